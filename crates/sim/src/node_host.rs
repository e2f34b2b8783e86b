//! A model data node in a world.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use vedette_node::{ConnId, LinkId, Node, NodeConfig};

use crate::alarm::Alarm;
use crate::network::WireId;

/// A data node of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeIndex(pub usize);

/// A node and its connections.
pub(crate) struct NodeHost {
    pub(crate) node: Node,
    pub(crate) address: SocketAddr,
    /// The group it belongs to.
    pub(crate) group: usize,
    pub(crate) listening: bool,
    /// Whether the machine answers at all.
    pub(crate) powered: bool,
    /// Faults that keep it down, hung, refusing or busy: it recovers when the last one ends.
    pub(crate) down: u32,
    pub(crate) hung: u32,
    pub(crate) refusing: u32,
    pub(crate) clients: BTreeMap<ConnId, WireId>,
    pub(crate) links: BTreeMap<LinkId, WireId>,
    /// Since when it has been a replica, if it is one.
    pub(crate) replica_since_ms: Option<u64>,
    /// Its start script asks the Sentinels for a master.
    pub(crate) asks: bool,
    /// How often its address has changed.
    pub(crate) moves: usize,
    next_client: u64,
    /// When the model's deadline is looked at.
    pub(crate) alarm: Alarm,
}

impl NodeHost {
    pub(crate) fn new(
        config: NodeConfig,
        address: SocketAddr,
        group: usize,
        seed: u64,
        now_ms: u64,
    ) -> Self {
        Self {
            node: Node::new(Arc::new(config), seed, now_ms),
            address,
            group,
            listening: true,
            powered: true,
            down: 0,
            hung: 0,
            refusing: 0,
            clients: BTreeMap::new(),
            links: BTreeMap::new(),
            replica_since_ms: None,
            asks: false,
            moves: 0,
            next_client: 0,
            alarm: Alarm::default(),
        }
    }

    pub(crate) fn mint_client(&mut self) -> ConnId {
        self.next_client += 1;
        ConnId(self.next_client)
    }
}
