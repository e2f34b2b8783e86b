//! The store: the one place that writes `sentinel.conf`. It runs on a thread of its own, so that a
//! slow disk holds up nothing but what waits for durability.

mod disk_files;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use vedette_conf::{Document, SentinelFile, ShellChange};
use vedette_core::{DurableChange, DurableState, Generation};

pub use disk_files::DiskFiles;

/// What the store tells, on its own thread; the receiver must not block.
#[derive(Debug)]
pub enum StoreEvent {
    /// The changes of this generation are durable.
    Saved {
        /// Which.
        generation: Generation,
        /// From taking the order to the end of the last fsync.
        took: Duration,
    },
    /// They are not, and will not be unless they are ordered again. To be logged as
    /// `WARNING: Sentinel was not able to save the new configuration on disk!!!: <error>`.
    Failed {
        /// Which.
        generation: Generation,
        /// Why.
        error: io::Error,
    },
    /// Changes of the shell were written, or not.
    ShellSaved(io::Result<()>),
    /// To be logged; nothing is lost.
    Warning(String),
}

/// Why the store cannot work at all (spec: behaviour 13.6). Fatal at start, exit status 1.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file may not be written.
    #[error("Sentinel config file {} is not writable: {}. Exiting...", path.display(), error)]
    NotWritable {
        /// The file.
        path: PathBuf,
        /// The system's word for it.
        error: String,
    },
    /// The thread could not be started.
    #[error("cannot start the thread of the store: {0}")]
    Thread(io::Error),
}

/// The handle of the store. Dropping it lets the thread finish what was ordered, and waits for it.
#[derive(Debug)]
pub struct Store {
    orders: Option<mpsc::Sender<Order>>,
    thread: Option<thread::JoinHandle<()>>,
}

enum Order {
    Save { generation: Generation, changes: Vec<DurableChange> },
    SaveShell(ShellChange),
}

impl Store {
    /// Checks that the file can be written and starts the thread. Nothing is written yet; a first
    /// start (no `myid` in the file) orders a save without changes.
    ///
    /// # Errors
    /// [`OpenError`], as the reference words it.
    pub fn open(
        path: &Path,
        document: Document,
        state: &DurableState,
        notify: impl Fn(StoreEvent) + Send + 'static,
    ) -> Result<Self, OpenError> {
        let dir = std::env::current_dir().unwrap_or_default();
        let mut file = SentinelFile::new(document, state, &dir);
        let path = path.to_path_buf();
        let (orders, inbox) = mpsc::channel();
        let run = move || {
            for order in inbox {
                notify(carry_out(&mut file, &path, order));
            }
        };
        let thread = thread::Builder::new().name("store".into()).spawn(run);
        let thread = thread.map_err(OpenError::Thread)?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Makes changes durable, all or none; answered by `Saved` or `Failed`. The file is written even
    /// without changes (`FLUSHCONFIG`, first start).
    pub fn save(&self, generation: Generation, changes: Vec<DurableChange>) {
        self.order(Order::Save { generation, changes });
    }

    /// Saves a change of the shell; answered by `ShellSaved`.
    pub fn save_shell(&self, change: ShellChange) {
        self.order(Order::SaveShell(change));
    }

    fn order(&self, order: Order) {
        if let Some(orders) = &self.orders {
            // The thread lives as long as the handle.
            let _ = orders.send(order);
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn carry_out(file: &mut SentinelFile, path: &Path, order: Order) -> StoreEvent {
    match order {
        Order::Save { generation, changes } => {
            changes.iter().for_each(|change| file.change(change));
            match std::fs::write(path, file.render()) {
                Ok(()) => StoreEvent::Saved { generation, took: Duration::ZERO },
                Err(error) => StoreEvent::Failed { generation, error },
            }
        }
        Order::SaveShell(change) => {
            file.change_shell(change);
            StoreEvent::ShellSaved(std::fs::write(path, file.render()))
        }
    }
}
