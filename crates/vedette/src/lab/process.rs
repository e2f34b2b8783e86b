//! One process of the lab: started, signalled and ended here and nowhere else.

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::{until, warden};

/// A running or ended child. It is ended on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    ended: Option<ExitStatus>,
    log: PathBuf,
}

impl Process {
    /// Starts `words` in `folder`; both outputs are appended to `log`.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub fn start(words: &[String], folder: &Path, log: &Path) -> anyhow::Result<Self> {
        let Some((program, arguments)) = words.split_first() else { bail!("an empty command") };
        let file = OpenOptions::new().create(true).append(true).open(log)?;
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        warden::add(child.id());
        Ok(Self { child, ended: None, log: log.to_path_buf() })
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All it has written so far, over every start with the same log.
    pub fn output(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How it ended, if it has.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            warden::forget(self.pid());
            self.ended = Some(status);
        }
        self.ended
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&mut self) {
        if self.exit_status().is_some() {
            return;
        }
        // It can only fail if the process ended this instant.
        let _ = self.child.kill();
        if let Ok(status) = self.child.wait() {
            warden::forget(self.pid());
            self.ended = Some(status);
        }
    }

    /// SIGTERM, and waits for the end.
    ///
    /// # Errors
    ///
    /// It goes on for longer than the bound.
    pub fn terminate(&mut self, bound: Duration) -> anyhow::Result<ExitStatus> {
        self.signal(Signal::TERM);
        self.wait_for_end(bound)
    }

    /// Waits for an end that comes by itself.
    ///
    /// # Errors
    ///
    /// It goes on for longer than the bound.
    pub fn wait_for_end(&mut self, bound: Duration) -> anyhow::Result<ExitStatus> {
        until("the end of a process", bound, || self.exit_status())
            .with_context(|| format!("its log: {}", self.output()))
    }

    /// SIGSTOP: it keeps its connections and answers nothing.
    pub fn suspend(&mut self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn resume(&mut self) {
        self.signal(Signal::CONT);
    }

    /// SIGUSR2: one of our Sentinels writes its flight recording.
    pub fn ask_for_recording(&mut self) {
        self.signal(Signal::USR2);
    }

    /// Any signal.
    pub fn signal(&mut self, signal: Signal) {
        if self.exit_status().is_none()
            && let Ok(number) = i32::try_from(self.pid())
            && let Some(pid) = Pid::from_raw(number)
        {
            // The child has not been waited for, so the number is still its own.
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
