//! The process and the system around it: signals, exit codes, the background, the pid file, the
//! descriptor limit, the service manager (spec: interface 10).

mod background;
mod limits;
mod pidfile;
mod supervisor;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
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

/// Returns when the process is told to stop. `SIGHUP` is ignored, as is `SIGPIPE` by Rust's
/// runtime; nothing is reloaded (spec: interface 10.2).
///
/// # Errors
/// If the system refuses to hand over signals.
pub(crate) async fn told_to_stop(exit: &ExitRequest, log: &Log) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let _ignored_from_now_on = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => log.signal("Received SIGTERM scheduling shutdown..."),
        _ = interrupt.recv() => log.signal("Received SIGINT scheduling shutdown..."),
        () = exit.0.notified() => {}
    }
    Ok(())
}

/// Lets `work` end, unless somebody insists with another `SIGINT` (spec: interface 10.2).
pub(crate) async fn unless_interrupted(work: impl Future<Output = ()>, log: &Log) -> ExitCode {
    let Ok(mut interrupt) = signal(SignalKind::interrupt()) else { return ExitCode::FAILURE };
    tokio::select! {
        () = work => ExitCode::SUCCESS,
        _ = interrupt.recv() => {
            log.signal("You insist... exiting now.");
            ExitCode::FAILURE
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
