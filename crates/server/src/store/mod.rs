//! The store: the one place that writes `sentinel.conf`. It runs on a thread of its own, so that a
//! slow disk holds up nothing but what waits for durability.

mod commit;
mod disk_files;
mod in_place;
mod spare;
mod target;
mod worker;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::fs::{Access, access};
use vedette_conf::{Document, SentinelFile, ShellChange};
use vedette_core::{DurableChange, DurableState, Generation};

pub use self::commit::replace_file;
pub use self::disk_files::DiskFiles;
pub(crate) use self::disk_files::may_run;
pub use self::in_place::{copy_to_put_back, recover};
use self::target::Target;
use self::worker::{Order, Worker};

/// The suffix of our own state beside the configuration.
const SIDE_FILE: &str = ".vedette";

/// The bytes of `<conf>.vedette`, for [`vedette_conf::Loaded::remember_votes`]; empty if it is not
/// there.
#[must_use]
pub fn read_side_file(path: &Path) -> Vec<u8> {
    std::fs::read(Target::new(path).beside(SIDE_FILE)).unwrap_or_default()
}

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
        access(path, Access::WRITE_OK).map_err(|error| OpenError::NotWritable {
            path: path.to_path_buf(),
            error: without_number(&error.into()),
        })?;
        let dir = std::env::current_dir().unwrap_or_default();
        let file = SentinelFile::new(document, state, &dir);
        let worker = Worker::new(file, Target::new(path), notify);
        let (orders, inbox) = mpsc::channel();
        let thread = thread::Builder::new().name("store".into());
        let thread = thread.spawn(move || worker.run(&inbox)).map_err(OpenError::Thread)?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Makes changes durable, all or none; answered by `Saved` or `Failed`. The file is written even
    /// without changes (`FLUSHCONFIG`, first start).
    pub fn save(&self, generation: Generation, changes: Vec<DurableChange>) {
        self.order(Order::Save { generation, changes });
    }

    /// From now on every save writes these users, asked for anew each time; nothing is saved now
    /// (spec: interface 4.12).
    pub fn tell_users(&self, users: impl Fn() -> Vec<Vec<u8>> + Send + 'static) {
        self.order(Order::TellUsers(Box::new(users)));
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

/// The system's words for an error, as `strerror` has them.
fn without_number(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_string()
}
