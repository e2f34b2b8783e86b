//! The process and the system around it: signals, exit codes, the background, the pid file, the
//! descriptor limit, the service manager (spec: interface 10).

mod background;
mod limits;
mod pidfile;
mod supervisor;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::log::Log;

pub(crate) use background::go_to_background;
pub(crate) use limits::fit_maxclients;
pub(crate) use pidfile::PidFile;
pub(crate) use supervisor::Supervisor;

/// Exit code of `SENTINEL SIMULATE-FAILURE`.
pub(crate) const EXIT_SIMULATED_CRASH: i32 = 99;

/// How a client's `SHUTDOWN` reaches the main thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExitRequest(Arc<Notify>);

impl ExitRequest {
    /// Asks for a clean stop.
    pub(crate) fn request(&self) {
        self.0.notify_one();
    }
}

/// The signals that the process listens to (spec: interface 10.2).
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Ignored: nothing is reloaded. (`SIGPIPE` is ignored by Rust's runtime.)
    _hangup: Signal,
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
            _hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Returns when the process is told to stop, by a signal or by a client.
    pub(crate) async fn told_to_stop(&mut self, exit: &ExitRequest, log: &Log) {
        tokio::select! {
            _ = self.terminate.recv() => log.signal("Received SIGTERM scheduling shutdown..."),
            _ = self.interrupt.recv() => log.signal("Received SIGINT scheduling shutdown..."),
            () = exit.0.notified() => {}
        }
    }

    /// Lets `work` end, unless somebody insists with another `SIGINT`.
    pub(crate) async fn unless_interrupted(
        &mut self,
        work: impl Future<Output = ()>,
        log: &Log,
    ) -> ExitCode {
        tokio::select! {
            () = work => ExitCode::SUCCESS,
            _ = self.interrupt.recv() => {
                log.signal("You insist... exiting now.");
                ExitCode::FAILURE
            }
        }
    }
}

/// A panic anywhere ends the process: a Sentinel with half of its threads is worse than none.
pub(crate) fn abort_on_panic(log: &Log) {
    let log = log.clone();
    let show = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        show(panic);
        log.last_words(&format!("This is a bug in Vedette, the process ends: {panic}"));
        std::process::abort();
    }));
}
