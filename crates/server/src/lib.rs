//! The tokio shell of the daemon.
