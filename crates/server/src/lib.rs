//! The shell.
mod clock;
mod doorbell;
mod log;
mod syslog;
pub use log::{Log, LogTarget};
pub use syslog::Syslog;
