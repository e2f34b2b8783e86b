//! Scripts: started without a shell, in a process group of their own, with the Sentinel's
//! environment, folder and standard streams and nothing else of it (spec: behaviour 11.2; every
//! descriptor of this process is closed on exec).

use std::collections::HashMap;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use vedette_core::{Input, JobId, ScriptEnd};

use crate::control::ControlMailbox;

/// The process group of each script that was not collected yet: a number that the system cannot
/// have given to anybody else.
pub(super) type Running = Arc<Mutex<HashMap<JobId, Pid>>>;

/// The exit code of a script that could not be executed (spec: behaviour 11.2).
const EXIT_NOT_EXECUTABLE: i32 = 2;

/// Starts a script and posts what becomes of it.
pub(super) fn run(job: JobId, argv: &[String], running: &Running, control: &Arc<ControlMailbox>) {
    match spawn(argv) {
        Ok(child) => {
            let pid = child.id().unwrap_or_default();
            if let Some(group) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                locked(running).insert(job, group);
            }
            control.post(Input::ScriptStarted { job, pid });
            tokio::spawn(collect(job, child, running.clone(), control.clone()));
        }
        Err(error) if is_want_of_resources(&error) => {
            control.post(Input::ScriptFailedToStart { job });
        }
        Err(_) => {
            // The reference forks first and fails to execute in the child. Here the child never
            // was, so it has no number.
            control.leave(Input::ScriptStarted { job, pid: 0 });
            control.post(Input::ScriptEnded { job, end: ScriptEnd::Exited(EXIT_NOT_EXECUTABLE) });
        }
    }
}

/// Kills a script and whatever it started in its process group.
pub(super) fn kill(job: JobId, running: &Running) {
    if let Some(group) = locked(running).get(&job) {
        // It may have ended by itself; its end is on the way then.
        let _ = kill_process_group(*group, Signal::KILL);
    }
}

fn spawn(argv: &[String]) -> io::Result<Child> {
    let (path, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    // A path without a slash would be looked up in PATH; the reference does not.
    let program = if path.contains('/') { path.clone() } else { format!("./{path}") };
    Command::new(program).arg0(path).args(arguments).process_group(0).spawn()
}

async fn collect(job: JobId, mut child: Child, running: Running, control: Arc<ControlMailbox>) {
    let status = child.wait().await;
    locked(&running).remove(&job);
    let end = status.map_or(ScriptEnd::Exited(EXIT_NOT_EXECUTABLE), end_of);
    control.post(Input::ScriptEnded { job, end });
}

fn end_of(status: ExitStatus) -> ScriptEnd {
    match (status.code(), status.signal()) {
        (Some(code), _) => ScriptEnd::Exited(code),
        (None, signal) => ScriptEnd::Killed(signal.unwrap_or_default()),
    }
}

/// Whether the system had no process to give, rather than no way to run this program.
fn is_want_of_resources(error: &io::Error) -> bool {
    let wants = [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE];
    Errno::from_io_error(error).is_some_and(|errno| wants.contains(&errno))
}

fn locked(running: &Running) -> std::sync::MutexGuard<'_, HashMap<JobId, Pid>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}
