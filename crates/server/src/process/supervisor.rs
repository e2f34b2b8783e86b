//! The service manager (spec: interface 10.3).

use sd_notify::NotifyState;
use vedette_conf::Supervision;
use vedette_wire::Dialect;

use crate::log::Log;

/// Who supervises this process, as far as it wants to hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supervisor {
    Nobody,
    Systemd,
    /// It should be there, and is not.
    MissedSystemd,
    Upstart,
}

impl Supervisor {
    /// Finds it in the environment.
    pub(crate) fn find(wanted: Supervision, log: &Log) -> Self {
        let systemd = std::env::var_os("NOTIFY_SOCKET").is_some();
        let upstart = std::env::var_os("UPSTART_JOB").is_some();
        match wanted {
            Supervision::No => Self::Nobody,
            Supervision::Auto if upstart => Self::Upstart,
            Supervision::Auto if systemd => Self::Systemd,
            Supervision::Auto => Self::Nobody,
            Supervision::Systemd if systemd => Self::Systemd,
            Supervision::Systemd => {
                miss_systemd(log);
                Self::MissedSystemd
            }
            Supervision::Upstart if upstart => Self::Upstart,
            Supervision::Upstart => {
                log.warning("upstart supervision requested, but UPSTART_JOB not found!");
                Self::Nobody
            }
        }
    }

    /// As INFO names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nobody | Self::MissedSystemd => "no",
            Self::Systemd => "systemd",
            Self::Upstart => "upstart",
        }
    }

    /// The start begins.
    pub(crate) fn starting(self, dialect: Dialect, log: &Log) {
        match self {
            Self::Nobody | Self::MissedSystemd => {}
            Self::Systemd => {
                log.notice(
                    "Supervised by systemd. Please make sure you set appropriate values for \
                     TimeoutStartSec and TimeoutStopSec in your service unit.",
                );
                let status = format!("{} is loading...", dialect.product());
                notify(NotifyState::Status(&status));
            }
            Self::Upstart => {
                log.notice("supervised by upstart, will stop to signal readiness");
                // Upstart waits for this stop and continues the process.
                let own = rustix::process::getpid();
                let _ = rustix::process::kill_process(own, rustix::process::Signal::STOP);
            }
        }
    }

    /// Clients are served.
    pub(crate) fn ready(self, log: &Log) {
        self.tell(NotifyState::Status("Ready to accept connections"), log);
        self.tell(NotifyState::Ready, log);
    }

    /// The stop begins.
    pub(crate) fn stopping(self, log: &Log) {
        self.tell(NotifyState::Stopping, log);
    }

    /// Whether it has this process in its care.
    pub(crate) fn is_there(self) -> bool {
        match self {
            Self::Nobody | Self::MissedSystemd => false,
            Self::Systemd | Self::Upstart => true,
        }
    }

    /// Who is not there is missed each time, as by the reference.
    fn tell(self, state: NotifyState<'_>, log: &Log) {
        match self {
            Self::Nobody | Self::Upstart => {}
            Self::Systemd => notify(state),
            Self::MissedSystemd => miss_systemd(log),
        }
    }
}

fn miss_systemd(log: &Log) {
    log.warning("systemd supervision error: NOTIFY_SOCKET not found!");
}

/// One datagram each, as the reference sends them. A manager that does not listen is not our
/// business.
fn notify(state: NotifyState<'_>) {
    let _ = sd_notify::notify(false, &[state]);
}
