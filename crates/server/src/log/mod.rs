//! The log (spec: behaviour 12.5, interface 10.1).
//!
//! The file is opened, appended to and closed again, so it may be moved away at any time. Lines get
//! their time where they are written but reach the file on a thread of their own: a slow disk holds
//! nobody up. Until that thread starts (it must not, before the process has daemonized) lines are
//! written on the spot.

mod format;
mod syslog;

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use vedette_core::LogLevel;

pub(crate) use format::{Form, local_date};
pub(crate) use syslog::Syslog;

/// Lines that may wait for a slow disk; further ones are counted and left out.
const MAX_WAITING_LINES: usize = 65_536;

/// Where lines go, and how they look.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogTarget {
    /// The file; none is standard output.
    pub(crate) file: Option<PathBuf>,
    pub(crate) form: Form,
    /// Also to the system's log.
    pub(crate) syslog: Option<Syslog>,
}

/// The process's log. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Log(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    target: LogTarget,
    threshold: AtomicU8,
    threaded: AtomicBool,
    queue: Mutex<Queue>,
    work: Condvar,
    idle: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<Line>,
    lost: u64,
    writing: bool,
}

#[derive(Debug)]
struct Line {
    level: LogLevel,
    /// As it stands in the file.
    whole: String,
    /// As the system's log gets it, if it does.
    text: Option<String>,
}

impl Log {
    /// A log that writes lines of at least this level.
    pub(crate) fn new(target: LogTarget, threshold: LogLevel) -> Self {
        let log = Self(Arc::new(Shared {
            target,
            threshold: AtomicU8::new(0),
            threaded: AtomicBool::new(false),
            queue: Mutex::default(),
            work: Condvar::new(),
            idle: Condvar::new(),
        }));
        log.set_threshold(threshold);
        log
    }

    /// Writes lines of at least this level from now on.
    pub(crate) fn set_threshold(&self, threshold: LogLevel) {
        self.0.threshold.store(threshold as u8, Ordering::Relaxed);
    }

    /// Whether a line of this level is written.
    pub(crate) fn takes(&self, level: LogLevel) -> bool {
        level as u8 >= self.0.threshold.load(Ordering::Relaxed)
    }

    /// Writes a line.
    pub(crate) fn line(&self, level: LogLevel, text: &str) {
        if self.takes(level) {
            let text = format::tidy(text);
            let whole = self.0.target.form.line(level, &text);
            self.write(Line { level, whole, text: Some(text) });
        }
    }

    /// Writes a verbose line.
    pub(crate) fn verbose(&self, text: &str) {
        self.line(LogLevel::Verbose, text);
    }

    /// Writes a notice.
    pub(crate) fn notice(&self, text: &str) {
        self.line(LogLevel::Notice, text);
    }

    /// Writes a warning.
    pub(crate) fn warning(&self, text: &str) {
        self.line(LogLevel::Warning, text);
    }

    /// Writes what a signal caused; like the reference not to the system's log.
    pub(crate) fn signal(&self, text: &str) {
        let level = LogLevel::Warning;
        if self.takes(level) {
            self.write(Line { level, whole: format::signal_line(text), text: None });
        }
    }

    /// Writes a line on the spot, past everything that waits: the process is about to die.
    pub(crate) fn last_words(&self, text: &str) {
        let (level, text) = (LogLevel::Warning, format::tidy(text));
        let whole = self.0.target.form.line(level, &text);
        self.put(&[Line { level, whole, text: Some(text) }]);
    }

    /// Starts the log's thread.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub(crate) fn start_thread(&self) -> io::Result<()> {
        let log = self.clone();
        std::thread::Builder::new().name("log".into()).spawn(move || log.write_for_ever())?;
        self.0.threaded.store(true, Ordering::Release);
        Ok(())
    }

    /// Returns once every line is written.
    pub(crate) fn flush(&self) {
        let mut queue = self.queue();
        while self.0.threaded.load(Ordering::Acquire) && (queue.writing || !queue.lines.is_empty())
        {
            queue = self.0.idle.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn write(&self, line: Line) {
        if !self.0.threaded.load(Ordering::Acquire) {
            return self.put(&[line]);
        }
        let mut queue = self.queue();
        if queue.lines.len() < MAX_WAITING_LINES {
            queue.lines.push_back(line);
        } else {
            queue.lost += 1;
        }
        self.0.work.notify_one();
    }

    fn write_for_ever(&self) {
        loop {
            let mut queue = self.queue();
            while queue.lines.is_empty() {
                queue.writing = false;
                self.0.idle.notify_all();
                queue = self.0.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            queue.writing = true;
            let lines: Vec<Line> = queue.lines.drain(..).collect();
            let lost = std::mem::take(&mut queue.lost);
            drop(queue);
            self.put(&lines);
            if lost > 0 {
                self.warning(&format!("The log is too slow: {lost} lines were left out"));
            }
        }
    }

    /// Writes lines in one go. What cannot be logged is lost: there is nobody left to tell.
    fn put(&self, lines: &[Line]) {
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(line.whole.as_bytes());
            bytes.push(b'\n');
        }
        let _lost = match &self.0.target.file {
            Some(path) => append(path, &bytes),
            None => io::stdout().write_all(&bytes).and_then(|()| io::stdout().flush()),
        };
        if let Some(syslog) = &self.0.target.syslog {
            let told = lines.iter().filter_map(|line| Some((line.level, line.text.as_deref()?)));
            told.for_each(|(level, text)| syslog.send(level, text));
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(bytes)
}

/// A system error as C spells it, without Rust's ` (os error 2)` and its words before those of the
/// resolver.
pub(crate) fn os_words(error: &io::Error) -> String {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or(&words);
    words.trim_start_matches("failed to lookup address information: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(threaded: bool, act: impl Fn(&Log)) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sentinel.log");
        let target = LogTarget { file: Some(file.clone()), ..LogTarget::default() };
        let log = Log::new(target, LogLevel::Notice);
        if threaded {
            log.start_thread().unwrap();
        }
        act(&log);
        log.flush();
        std::fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_reach_the_file_in_order_with_or_without_a_thread() {
        for threaded in [false, true] {
            let lines = logged(threaded, |log| (0..1000).for_each(|n| log.notice(&n.to_string())));
            let texts: Vec<_> = lines.iter().filter_map(|line| line.rsplit(' ').next()).collect();
            let expected: Vec<_> = (0..1000).map(|n| n.to_string()).collect();
            assert_eq!(texts, expected);
        }
    }

    #[test]
    fn lines_below_the_threshold_are_left_out() {
        assert!(logged(true, |log| log.verbose("quiet")).is_empty());
    }

    #[test]
    fn the_threshold_can_change() {
        let lines = logged(true, |log| {
            log.set_threshold(LogLevel::Nothing);
            log.warning("unheard");
            log.set_threshold(LogLevel::Verbose);
            log.verbose("heard");
        });
        assert!(lines.len() == 1 && lines[0].ends_with("- heard"), "{lines:?}");
    }

    #[test]
    fn signal_lines_have_their_own_format() {
        let lines = logged(true, |log| log.signal("Received SIGTERM scheduling shutdown..."));
        assert!(lines[0].contains(":signal-handler ("), "{lines:?}");
    }
}
