//! Replication: histories, what a master does for its replicas, what a replica does.

mod history;
pub(crate) use history::{History, NO_ID};

mod feed;
pub(crate) use feed::{Attached, AttachedState, Waiter};

mod hand_over;
pub(crate) use hand_over::HandOver;

mod upstream;
pub(crate) use upstream::{LinkState, Upstream};

mod handshake;

mod stream;
pub(crate) use stream::{Flow, Stream};
