//! Connections between the processes of a world.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use vedette_core::ConnId;
use vedette_wire::ClientId;

use crate::node_host::NodeIndex;
use crate::sentinel_host::SentinelIndex;

/// A connection of the world; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WireId(u64);

/// One of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Who connected.
    Caller,
    /// Who accepted.
    Callee,
}

impl End {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

/// Who holds an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A Sentinel's connection to a node or a peer.
    SentinelLink(SentinelIndex, ConnId),
    /// A connection that a Sentinel accepted.
    SentinelClient(SentinelIndex, ClientId),
    /// A connection that a node accepted.
    NodeClient(NodeIndex, vedette_node::ConnId),
    /// A node's replication link.
    NodeLink(NodeIndex, vedette_node::LinkId),
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) caller: Holder,
    /// Known once accepted.
    pub(crate) callee: Option<Holder>,
}

/// All connections.
#[derive(Debug, Default)]
pub(crate) struct Network {
    wires: BTreeMap<WireId, Wire>,
    next: u64,
}

impl Network {
    pub(crate) fn open(&mut self, from: SocketAddr, to: SocketAddr, caller: Holder) -> WireId {
        self.next += 1;
        let id = WireId(self.next);
        self.wires.insert(id, Wire { from, to, caller, callee: None });
        id
    }

    pub(crate) fn get(&self, id: WireId) -> Option<&Wire> {
        self.wires.get(&id)
    }

    pub(crate) fn accept(&mut self, id: WireId, callee: Holder) {
        if let Some(wire) = self.wires.get_mut(&id) {
            wire.callee = Some(callee);
        }
    }

    pub(crate) fn close(&mut self, id: WireId) {
        self.wires.remove(&id);
    }

    pub(crate) fn holder(&self, id: WireId, end: End) -> Option<Holder> {
        let wire = self.wires.get(&id)?;
        match end {
            End::Caller => Some(wire.caller),
            End::Callee => wire.callee,
        }
    }
}
