//! The tokio shell of the daemon: links, listeners, TLS, store, scripts, resolver, signals.

pub mod store;

mod control;

mod clients;
mod board;

mod errands;

mod process;

mod log;
mod syslog;

mod clock;
mod doorbell;

pub use log::{Log, LogTarget};
pub use syslog::Syslog;
