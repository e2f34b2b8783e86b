//! The thread that [`Control`] runs on.

use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use rustix::process::Pid;
use tokio::sync::oneshot;

use super::{Control, Core, Parts};
use crate::doorbell::Doorbell;

/// The running control thread.
#[derive(Debug)]
pub(crate) struct ControlThread {
    id: Pid,
    stop: Arc<AtomicBool>,
    bell: Arc<Doorbell>,
    ended: oneshot::Receiver<()>,
}

impl ControlThread {
    /// Its number in the system.
    pub(crate) fn id(&self) -> Pid {
        self.id
    }

    /// Ends it. Returns when all that was ordered of the store is done.
    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::Release);
        self.bell.ring();
        // An error means that it ended already.
        let _ = self.ended.await;
    }
}

/// Starts the thread. When this returns, the first snapshot is on the board.
///
/// # Errors
/// If the system refuses a thread.
pub(crate) fn spawn(parts: Parts<impl Core>) -> io::Result<ControlThread> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let stop = Arc::new(AtomicBool::new(false));
    let bell = parts.bell.clone();
    let (started, starting) = mpsc::sync_channel(1);
    let (ending, ended) = oneshot::channel();
    let told = stop.clone();
    let run = move || {
        runtime.block_on(async move {
            let control = Control::start(parts, told);
            let id = rustix::thread::gettid();
            let (control, outcome) = match control {
                Ok(control) => (Some(control), Ok(id)),
                Err(error) => (None, Err(error)),
            };
            // Somebody waits below.
            let _ = started.send(outcome);
            let Some(control) = control else { return };
            // A task of its own rather than the runtime's main future, which is woken through the
            // operating system even by its own sockets.
            let task = tokio::spawn(tokio::task::unconstrained(control.run()));
            task.await.unwrap_or_else(|error| panic!("control thread: {error}"));
        });
        // The process may end without waiting for it.
        let _ = ending.send(());
    };
    std::thread::Builder::new().name("control".into()).spawn(run)?;
    let id = starting.recv().map_err(io::Error::other)??;
    Ok(ControlThread { id, stop, bell, ended })
}

/// CPU time of a thread of this process, in the kernel and outside, in microseconds.
pub(crate) fn cpu_time_us(thread: Pid) -> Option<(u64, u64)> {
    /// Microseconds per tick: the kernel reports hundredths of a second to programs.
    const TICK_US: u64 = 10_000;
    let path = format!("/proc/self/task/{}/stat", thread.as_raw_nonzero());
    let text = fs::read_to_string(path).ok()?;
    // The name, in brackets, may hold blanks; after it comes the third field.
    let (_, fields) = text.rsplit_once(')')?;
    let mut ticks = fields.split_ascii_whitespace().skip(11).map(|field| field.parse().ok());
    let (user, system): (u64, u64) = (ticks.next()??, ticks.next()??);
    Some((system * TICK_US, user * TICK_US))
}
