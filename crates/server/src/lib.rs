//! The tokio shell of the daemon: links, listeners, TLS, store, scripts, resolver, signals.

pub mod store;
