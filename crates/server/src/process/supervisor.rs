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
                log.warning("systemd supervision error: NOTIFY_SOCKET not found!");
                Self::Nobody
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
            Self::Nobody => "no",
            Self::Systemd => "systemd",
            Self::Upstart => "upstart",
        }
    }

    /// The start begins.
    pub(crate) fn starting(self, dialect: Dialect, log: &Log) {
        match self {
            Self::Nobody => {}
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
    pub(crate) fn ready(self) {
        if self == Self::Systemd {
            notify(NotifyState::Status("Ready to accept connections"));
            notify(NotifyState::Ready);
        }
    }

    /// The stop begins.
    pub(crate) fn stopping(self) {
        if self == Self::Systemd {
            notify(NotifyState::Stopping);
        }
    }
}

/// One datagram each, as the reference sends them. A manager that does not listen is not our
/// business.
fn notify(state: NotifyState<'_>) {
    let _ = sd_notify::notify(false, &[state]);
}
