//! Name resolution by the system (`getaddrinfo`), on the runtime's few blocking threads.

use std::net::ToSocketAddrs as _;
use std::sync::Arc;

use vedette_core::Input;

use crate::control::ControlMailbox;

/// Resolves a name to its first address and posts it.
pub(super) fn resolve(host: Arc<str>, control: Arc<ControlMailbox>) {
    tokio::task::spawn_blocking(move || {
        let first = (&*host, 0).to_socket_addrs().ok().and_then(|mut all| all.next());
        control.post(Input::Resolved { host, ip: first.map(|address| address.ip()) });
    });
}
