//! How much a Sentinel remembers, in numbers: whoever runs it can hold that against what there is
//! to remember.

use alloc::vec::Vec;

use crate::group::Group;
use crate::sentinel::Sentinel;

/// The lengths of everything that grows with what comes in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Connections to nodes and fellow Sentinels.
    pub connections: usize,
    /// Fellow Sentinels of all masters.
    pub peers: usize,
    /// Each master's group.
    pub groups: Vec<GroupCensus>,
    /// Requests that wait for something.
    pub requests: usize,
    /// Masters with something to save.
    pub unsaved: usize,
    /// Orders, answers and events that were not taken yet.
    pub untaken: usize,
    /// Scripts that run or wait.
    pub scripts: usize,
    /// Orders of promotions that wait for others on the same host, and those on their way.
    pub promotions: (usize, usize),
    /// Names that are being resolved, or did not resolve.
    pub names: usize,
    /// Own addresses.
    pub announced: usize,
    /// Things that wait for their moment.
    pub deadlines: usize,
}

/// What is remembered of one master.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupCensus {
    /// Data nodes.
    pub nodes: usize,
    /// Fellow Sentinels.
    pub members: usize,
    /// Vote requests that wait for the disk.
    pub ballots: usize,
    /// Events that wait for their turn.
    pub held_events: usize,
}

impl Sentinel {
    /// Counts.
    #[must_use]
    pub fn census(&self) -> Census {
        let host = &self.host;
        Census {
            connections: host.connections(),
            peers: self.peers.len(),
            groups: self.groups.values().map(|group| group.census()).collect(),
            requests: host.parked.len()
                + host.unresolved.len()
                + host.gate.staged_requests().count(),
            unsaved: host.gate.unsaved(),
            untaken: host.outbox.len(),
            scripts: host.scripts.len(),
            promotions: host.brake.count(),
            names: host.resolving.len() + host.names_that_failed(),
            announced: host.announced.len(),
            deadlines: self.deadlines.len(),
        }
    }
}

impl Group {
    fn census(&self) -> GroupCensus {
        GroupCensus {
            nodes: self.nodes().count(),
            members: self.members.len(),
            ballots: self.ballots.len(),
            held_events: self.held.len(),
        }
    }
}
