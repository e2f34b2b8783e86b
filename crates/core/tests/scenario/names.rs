//! Short names for what the core knows by long ones: Sentinels are letters, data nodes are `n` and
//! the last part of their address.

use std::net::SocketAddr;

use vedette_core::{Endpoint, RunId, SentinelId};

/// The id of the Sentinel called by one letter: that letter, forty times.
pub(crate) fn sentinel_id(name: &str) -> SentinelId {
    SentinelId::parse(&name.repeat(40)).expect("a Sentinel is called by one letter")
}

/// The letter of a Sentinel.
pub(crate) fn sentinel_name(id: SentinelId) -> String {
    id.as_str()[..1].to_owned()
}

/// A run id that begins with `text`.
pub(crate) fn run_id(text: &str) -> RunId {
    RunId::parse(&format!("{text:0<40}")).expect("a run id is short and printable")
}

/// `host:port`.
pub(crate) fn endpoint(text: &str) -> Endpoint {
    let (host, port) = text.rsplit_once(':').unwrap_or_else(|| panic!("no host:port: {text}"));
    Endpoint::new(host, port.parse().expect("a port"))
}

/// The name of the data node at this address. Its port belongs to it unless it is the usual one.
pub(crate) fn node_name(socket: SocketAddr) -> String {
    let text = socket.ip().to_string();
    let host = text.rsplit(['.', ':']).next().unwrap_or_default();
    match socket.port() {
        6379 => format!("n{host}"),
        port => format!("n{host}:{port}"),
    }
}
