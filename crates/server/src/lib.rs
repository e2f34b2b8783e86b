//! The tokio shell of the daemon: links, listeners, TLS, store, scripts, resolver, signals. No
//! decisions: it carries facts to the core and the core's orders to the world.
//!
//! ```text
//! main thread      signals, accepting, scripts, names      daemon, process, errands
//! control thread   the Sentinel, links to nodes and peers  control
//! client threads   accepted connections                    clients
//! store thread     sentinel.conf                           store
//! recorder thread  recordings                              recorder
//! log thread       the log file                            log
//! TLS threads      hand-shakes, if TLS is wanted           tls
//! ```
//!
//! Threads talk by letters (`doorbell`); what clients read hangs on the `board`.

mod daemon;
pub use daemon::{Start, run};

mod own_settings;
pub use own_settings::{OwnSettings, OwnSettingsError};

mod control;

mod clients;

pub mod tls;

mod stream;

mod accounts;
mod board;
mod channels;
mod doorbell;

pub mod store;

mod errands;

mod recorder;

mod process;

mod log;

mod clock;
mod random;
