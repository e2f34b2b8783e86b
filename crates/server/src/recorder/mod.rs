//! The flight recorder of the daemon: it keeps what the core was told, and writes it to a file when
//! a signal asks for it or the process panics.
//!
//! The control thread only adds to what is kept. Everything slow happens on a thread of its own:
//! writing, packing, and freeing what is forgotten. A panicking thread writes by itself, for nobody
//! else may be left to do it.

mod files;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, OnceLock};

use vedette_core::{Now, Sentinel};
use vedette_flight::{Bounds, FORMAT, Header, History, Reason, Recorded, Segment, Tape};

use crate::clock::Clock;
use crate::log::{Log, os_words};
use files::{Files, Writer};

/// Tries of a panicking thread to get at what is kept while another thread adds to it. That thread
/// needs less than a microsecond, unless it is the panicking one.
const TRIES: usize = 10_000;

/// The recorder of this process. Clones share it.
#[derive(Clone)]
pub(crate) struct FlightRecorder(Arc<Shared>);

struct Shared {
    files: Files,
    log: Log,
    /// Set once there is a core.
    tape: OnceLock<Tape>,
    orders: SyncSender<Order>,
    /// A file was asked for and is not begun yet: further signals ask for the same one.
    asked: AtomicBool,
}

/// Orders that wait for the recorder's thread; segments are megabytes.
const ORDERS: usize = 4;

/// What the recorder's thread is asked to do.
enum Order {
    Write,
    /// A segment began: its checkpoint is to be packed, and this one freed.
    TidyUp(Option<Segment>),
}

impl FlightRecorder {
    /// A recorder that writes beside the configuration file, and its thread.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub(crate) fn start(config_file: &Path, log: &Log) -> io::Result<Self> {
        let (orders, inbox) = mpsc::sync_channel(ORDERS);
        let recorder = Self(Arc::new(Shared {
            files: Files::beside(config_file),
            log: log.clone(),
            tape: OnceLock::new(),
            orders,
            asked: AtomicBool::new(false),
        }));
        let worker = recorder.clone();
        std::thread::Builder::new().name("recorder".into()).spawn(move || worker.work(&inbox))?;
        Ok(recorder)
    }

    /// Records this core from now on. There is one core in a process.
    pub(crate) fn record(&self, core: Sentinel, now: Now) -> Recorded {
        let orders = self.0.orders.clone();
        let tidy_up = move |forgotten| {
            // A disk that hangs holds up the thread: then the segment is freed here and now.
            let _ = orders.try_send(Order::TidyUp(forgotten));
        };
        let recorded = Recorded::new(core, now, Bounds::default(), tidy_up);
        let _the_first_one_stays = self.0.tape.set(recorded.tape());
        let _is_packed_with_the_next_one = self.0.orders.try_send(Order::TidyUp(None));
        recorded
    }

    /// Has the file written.
    pub(crate) fn write_soon(&self) {
        if !self.0.asked.swap(true, Ordering::AcqRel)
            && self.0.orders.try_send(Order::Write).is_err()
        {
            self.0.asked.store(false, Ordering::Release);
        }
    }

    /// Writes the file on the spot: this thread panicked at `place`, and the process ends.
    pub(crate) fn write_at_panic(&self, place: String) {
        let Some(tape) = self.0.tape.get() else { return };
        let mut tries = (0..TRIES).map(|_| {
            std::thread::yield_now();
            tape.try_history()
        });
        match tries.find_map(|history| history) {
            Some(history) => match self.write(&history, Reason::Panic(place)) {
                Ok(path) => self.0.log.last_words(&written(&path)),
                Err(error) => self.0.log.last_words(&not_written(&error)),
            },
            None => self.0.log.last_words("The flight recording is locked and cannot be written"),
        }
    }

    fn work(&self, inbox: &Receiver<Order>) {
        while let Ok(order) = inbox.recv() {
            match order {
                Order::TidyUp(forgotten) => {
                    drop(forgotten);
                    self.0.tape.get().iter().for_each(|tape| tape.tidy_up());
                }
                Order::Write => {
                    self.0.asked.store(false, Ordering::Release);
                    self.write_as_asked();
                }
            }
        }
    }

    fn write_as_asked(&self) {
        let Some(tape) = self.0.tape.get() else { return };
        match self.write(&tape.history(), Reason::Signal) {
            Ok(path) => self.0.log.notice(&written(&path)),
            Err(error) => self.0.log.warning(&not_written(&error)),
        }
    }

    fn write(&self, history: &History, reason: Reason) -> io::Result<PathBuf> {
        let writer = match reason {
            Reason::Panic(_) => Writer::Panic,
            Reason::Signal | Reason::Test => Writer::Thread,
        };
        let header = Header {
            format: FORMAT,
            program: concat!("vedette ", env!("CARGO_PKG_VERSION")).to_owned(),
            pid: std::process::id(),
            written_at: Clock::start().now().wall,
            reason,
        };
        self.0.files.write(writer, |out| vedette_flight::write(&header, history, out))
    }
}

fn written(path: &Path) -> String {
    format!("Flight recording written to {}", path.display())
}

fn not_written(error: &io::Error) -> String {
    format!("The flight recording could not be written: {}", os_words(error))
}
