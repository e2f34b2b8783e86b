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

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::fd::AsRawFd as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use super::*;
    use crate::doorbell::Mailbox;

    const JOB: JobId = JobId(7);

    /// Runs a script with this text and mode; `meanwhile` sees it started. Returns its end.
    async fn ended(text: &str, mode: u32, meanwhile: impl Fn(&Running)) -> ScriptEnd {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("script");
        fs::write(&path, text.replace("$FOLDER", folder.path().to_str().unwrap())).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let control = Arc::new(Mailbox::new(Arc::default()));
        let running = Running::default();
        let argv = [path.to_str().unwrap(), "+sdown", "a b"].map(str::to_owned);
        run(JOB, &argv, &running, &control);
        let mut inputs = Vec::new();
        loop {
            control.take(&mut inputs);
            if started(&inputs) {
                meanwhile(&running);
            }
            if let Some(Input::ScriptEnded { end, .. }) = inputs.last() {
                assert!(inputs.len() == 2 && started(&inputs[..1]), "{inputs:?}");
                assert!(locked(&running).is_empty(), "an ended script cannot be killed");
                return *end;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn started(inputs: &[Input]) -> bool {
        matches!(inputs, [Input::ScriptStarted { job: JOB, .. }])
    }

    #[tokio::test]
    async fn the_end_of_a_script_is_told() {
        let end = ended("#!/bin/sh\n[ \"$1 $2\" = '+sdown a b' ] && exit 3", 0o755, |_| {}).await;
        assert_eq!(end, ScriptEnd::Exited(3));
    }

    #[tokio::test]
    async fn a_script_that_cannot_be_executed_ends_with_2() {
        assert_eq!(ended("#!/bin/sh\n", 0o644, |_| {}).await, ScriptEnd::Exited(2));
        assert_eq!(ended("no program", 0o755, |_| {}).await, ScriptEnd::Exited(2));
    }

    #[tokio::test]
    async fn a_kill_reaches_the_whole_group() {
        let script = "#!/bin/sh\nsleep 60 &\nwait";
        let end = ended(script, 0o755, |running| kill(JOB, running)).await;
        assert_eq!(end, ScriptEnd::Killed(9));
    }

    /// spec: behaviour 11.2
    #[tokio::test]
    async fn nothing_of_this_process_is_left_open_in_a_script() {
        let folder = tempfile::tempdir().unwrap();
        let [list, held] = ["list", "held"].map(|name| folder.path().join(name));
        let _held = fs::File::create(&held).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = fs::read_link(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
        ended(&format!("#!/bin/sh\nls -l /proc/$$/fd > {}", list.display()), 0o755, |_| {}).await;
        let listed = fs::read_to_string(&list).unwrap();
        for own in [&held, &socket] {
            assert!(!listed.contains(own.to_str().unwrap()), "{listed}");
        }
        assert!(listed.contains(list.to_str().unwrap()), "{listed}");
    }
}
