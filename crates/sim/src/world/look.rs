//! Looking at a world and acting on it from outside.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use vedette_core::{Input, Manner, Request, Ticket};
use vedette_flight::History;
use vedette_node::{Fault, Node};
use vedette_wire::Snapshot;

use super::World;
use crate::node_host::NodeIndex;
use crate::plan::Plan;
use crate::sentinel_host::SentinelIndex;
use crate::timeline::Timeline;
use crate::witness::{Scale, Seen, Witness};

impl World {
    /// What it was made from.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Everything the Sentinels said.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// What was checked and reached.
    #[must_use]
    pub fn witness(&self) -> &Witness {
        &self.witness
    }

    /// Virtual time since the safety phase began.
    #[must_use]
    pub fn phase_ms(&self) -> u64 {
        self.now_ms - self.began_ms
    }

    /// Gives back what was checked and reached, and what was said.
    #[must_use]
    pub fn into_parts(self) -> (Witness, Timeline) {
        (self.witness, self.timeline)
    }

    /// What the clients of a running Sentinel see.
    #[must_use]
    pub fn snapshot(&self, sentinel: SentinelIndex) -> Option<&Snapshot> {
        self.sentinels[sentinel.0].snapshot()
    }

    /// The model of a data node.
    #[must_use]
    pub fn node(&self, node: NodeIndex) -> &Node {
        &self.nodes[node.0].node
    }

    /// Where a data node listens.
    #[must_use]
    pub fn node_address(&self, node: NodeIndex) -> SocketAddr {
        self.nodes[node.0].address
    }

    /// The file of a Sentinel as it would be read after a crash.
    #[must_use]
    pub fn file(&self, sentinel: SentinelIndex) -> String {
        self.sentinels[sentinel.0].disk.text()
    }

    /// What the flight recorder of a running Sentinel holds; see [`Witness::with_recorders`].
    #[must_use]
    pub fn recording(&self, sentinel: SentinelIndex) -> Option<History> {
        let process = self.sentinels[sentinel.0].process.as_ref()?;
        process.core.tape().map(|tape| tape.history())
    }

    /// The address that a Sentinel gives to clients of a group's master now.
    #[must_use]
    pub fn official(&self, sentinel: SentinelIndex, group: usize) -> Option<SocketAddr> {
        let master = self.snapshot(sentinel)?.master(&self.plan.masters[group].name)?;
        master.node.socket
    }

    /// Every running Sentinel names this node for the first master.
    #[must_use]
    pub fn agree_on(&self, node: NodeIndex) -> bool {
        let address = self.node_address(node);
        SentinelIndex::all(self.sentinels.len())
            .all(|index| self.official(index, 0) == Some(address))
    }

    /// The node that most Sentinels call the master of a group.
    pub(super) fn favourite(&self, group: usize) -> Option<NodeIndex> {
        let mut votes: BTreeMap<NodeIndex, usize> = BTreeMap::new();
        for index in SentinelIndex::all(self.sentinels.len()) {
            let named = self.official(index, group).and_then(|address| self.node_at(address));
            if let Some(node) = named {
                *votes.entry(node).or_default() += 1;
            }
        }
        votes.into_iter().max_by_key(|(_, count)| *count).map(|(node, _)| node)
    }

    pub(super) fn first_node(&self, group: usize) -> NodeIndex {
        let before = &self.plan.masters[..group];
        NodeIndex(before.iter().map(|master| master.priorities.len()).sum())
    }

    /// The nodes of a group.
    pub(super) fn nodes_of(&self, group: usize) -> impl Iterator<Item = NodeIndex> + use<> {
        let first = self.first_node(group).0;
        (first..first + self.plan.masters[group].priorities.len()).map(NodeIndex)
    }

    /// Whether a Sentinel has a node for its group's master, or for one of the replicas.
    pub(super) fn knows(&self, sentinel: SentinelIndex, node: NodeIndex) -> bool {
        let (group, address) = (self.nodes[node.0].group, self.node_address(node));
        let name = &self.plan.masters[group].name;
        let view = self.snapshot(sentinel).and_then(|snapshot| snapshot.master(name));
        view.is_some_and(|view| {
            let replicas = view.replicas.iter().map(|replica| &replica.node);
            let mut nodes = std::iter::once(&view.node).chain(replicas);
            nodes.any(|node| node.socket == Some(address))
        })
    }

    /// Votes that elect with the settings in force.
    pub(super) fn enough_now(&self) -> usize {
        let hosts = self.sentinels.iter().filter_map(|host| host.snapshot());
        let quorums = hosts.flat_map(|snapshot| snapshot.masters().map(|m| m.settings.quorum));
        let quorum = quorums.max().map_or(0, |quorum| usize::try_from(quorum).unwrap_or(0));
        self.plan.enough().max(quorum)
    }

    /// Something happens to a node.
    pub fn fault(&mut self, node: NodeIndex, fault: Fault) {
        self.suffer(node, fault);
    }

    /// A request without a connection.
    pub fn request(&mut self, sentinel: SentinelIndex, request: Request) {
        let ticket = Ticket(u64::MAX);
        self.run_turns(sentinel, VecDeque::from([Input::Requested { ticket, request }]));
    }

    /// A forced failover of the first master, as `SENTINEL FAILOVER`.
    pub fn force_failover(&mut self, sentinel: SentinelIndex) {
        let name = self.plan.masters[0].name.as_str().into();
        self.request(sentinel, Request::Failover(name, Manner::Forced));
    }
}

impl World {
    /// Holds what every Sentinel remembers against what there is.
    pub(super) fn count_memory(&mut self) {
        if self.witness.is_idle() {
            return;
        }
        for index in SentinelIndex::all(self.sentinels.len()) {
            let Some(process) = &self.sentinels[index.0].process else { continue };
            let census = process.core.census();
            let scale = Scale {
                sentinels: self.sentinels.len(),
                masters: self.plan.masters.len(),
                addresses: self.nodes.iter().map(|host| 1 + host.moves).sum(),
                // One that needs no connection sets the times of scripts.
                requests: process.tickets.len() + 1,
            };
            self.see(index, &Seen::Counted { census: &census, scale });
        }
    }

    /// Notes that a statement about the whole world does not hold.
    pub fn find(&mut self, invariant: &'static str, evidence: String) {
        self.accuse(invariant, evidence);
    }
}
