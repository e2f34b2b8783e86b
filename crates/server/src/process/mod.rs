//! The process and the system around it: signals, exit codes, the background, the pid file, the
//! descriptor limit, the service manager (spec: interface 10).

mod background;
mod limits;
mod pidfile;
mod supervisor;

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::log::Log;
use crate::recorder::FlightRecorder;
use crate::tls::LiveTls;

pub(crate) use background::go_to_background;
pub(crate) use limits::fit_maxclients;
pub(crate) use pidfile::PidFile;
pub(crate) use supervisor::Supervisor;

/// Exit code of `SENTINEL SIMULATE-FAILURE`.
pub(crate) const EXIT_SIMULATED_CRASH: i32 = 99;

const RECEIVED_SIGTERM: &str = "Received SIGTERM scheduling shutdown...";

/// How a client's `SHUTDOWN` reaches the main thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExitRequest(Arc<Wish>);

#[derive(Debug, Default)]
struct Wish {
    is_there: Notify,
    client: OnceLock<String>,
}

impl ExitRequest {
    /// Asks for a clean stop, in the name of this client.
    pub(crate) fn request(&self, client: String) {
        // The first who asks is the one.
        let _ = self.0.client.set(client);
        self.0.is_there.notify_one();
    }
}

/// The signals that the process listens to (spec: interface 10.2).
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// The flight recording is wanted.
    record: Signal,
    /// The TLS files are to be read anew. (`SIGPIPE` is ignored by Rust's runtime.)
    hangup: Signal,
}

impl Signals {
    /// From now on signals do not kill. Must be called within a runtime.
    ///
    /// # Errors
    /// If the system refuses to hand over signals.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            record: signal(SignalKind::user_defined2())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Returns when the process is told to stop, by a signal or by a client: which one. Until then
    /// the flight recording is written, and the TLS files are read anew, whenever a signal asks for
    /// it. Without TLS that one is ignored, as by the reference.
    pub(crate) async fn told_to_stop(
        &mut self,
        exit: &ExitRequest,
        recorder: &FlightRecorder,
        tls: &LiveTls,
        log: &Log,
    ) -> Option<String> {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => {
                    log.signal(RECEIVED_SIGTERM);
                    return None;
                }
                _ = self.interrupt.recv() => {
                    log.signal("Received SIGINT scheduling shutdown...");
                    return None;
                }
                () = exit.0.is_there.notified() => return exit.0.client.get().cloned(),
                _ = self.record.recv() => {
                    log.signal("Received SIGUSR2 writing the flight recording...");
                    recorder.write_soon();
                }
                _ = self.hangup.recv(), if tls.is_wanted() => {
                    log.signal("Received SIGHUP reading the TLS files anew...");
                    tls.reload_soon(log);
                }
            }
        }
    }

    /// Lets `work` end, unless somebody insists with another `SIGINT`.
    pub(crate) async fn unless_interrupted(
        &mut self,
        work: impl Future<Output = ()>,
        log: &Log,
    ) -> ExitCode {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                () = &mut work => return ExitCode::SUCCESS,
                _ = self.terminate.recv() => log.signal(RECEIVED_SIGTERM),
                _ = self.interrupt.recv() => {
                    log.signal("You insist... exiting now.");
                    return ExitCode::FAILURE;
                }
            }
        }
    }
}

/// A panic that cannot write its recording in this time dies without it.
const LAST_ACT_SECS: u32 = 5;

/// A panic anywhere ends the process: a Sentinel with half of its threads is worse than none. What
/// led to it is written down before, by the flight recorder.
pub(crate) fn abort_on_panic(log: &Log, recorder: &FlightRecorder) {
    let (log, recorder) = (log.clone(), recorder.clone());
    let show = std::panic::take_hook();
    let is_first = AtomicBool::new(true);
    std::panic::set_hook(Box::new(move |panic| {
        show(panic);
        log.last_words(&format!("This is a bug in Vedette, the process ends: {panic}"));
        if is_first.swap(false, Ordering::AcqRel) {
            // The default action of its signal ends the process, should the disk hang.
            let _ = nix::unistd::alarm::set(LAST_ACT_SECS);
            recorder.write_at_panic(panic.location().map(ToString::to_string).unwrap_or_default());
            std::process::abort();
        }
        // Another thread panicked before and is writing; it ends the process.
        loop {
            std::thread::park();
        }
    }));
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};
    use vedette_core::LogLevel;

    use super::*;
    use crate::log::LogTarget;

    #[tokio::test]
    async fn who_insists_is_not_kept_waiting() {
        let log = Log::new(LogTarget::default(), LogLevel::Nothing);
        let mut signals = Signals::listen().unwrap();
        assert_eq!(signals.unless_interrupted(async {}, &log).await, ExitCode::SUCCESS);
        kill_process(getpid(), Signal::INT).unwrap();
        let never = std::future::pending();
        assert_eq!(signals.unless_interrupted(never, &log).await, ExitCode::FAILURE);
    }
}
