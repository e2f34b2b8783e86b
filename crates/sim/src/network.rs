//! Connections between the processes of a world, and what stands in their way.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use vedette_core::ConnId;
use vedette_wire::ClientId;

use crate::node_host::NodeIndex;
use crate::sentinel_host::SentinelIndex;
use crate::speech::Speech;
use crate::world::AppIndex;

/// A connection of the world; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WireId(pub(crate) u64);

impl WireId {
    fn place(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

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

    fn index(self) -> usize {
        match self {
            Self::Caller => 0,
            Self::Callee => 1,
        }
    }
}

/// A process with an address: its place in the network's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Site(pub(crate) usize);

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
    /// A client's connection.
    App(AppIndex),
}

/// What travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parcel {
    /// A connection attempt.
    Connect,
    /// It was accepted.
    Accepted,
    /// It was refused.
    Refused,
    /// Bytes.
    Bytes(Bytes),
    /// The end of the connection.
    Close,
}

/// Whether a connection still works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// It does.
    Alive,
    /// Whatever is sent on it disappears, and nobody is told.
    Vanishing,
    /// The other side lost it with its power: once back, it answers with a reset.
    Orphaned,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) sites: [Site; 2],
    pub(crate) caller: Holder,
    /// Known once accepted.
    pub(crate) callee: Option<Holder>,
    pub(crate) health: Health,
    pub(crate) speech: [Speech; 2],
    /// By receiving end: when the last parcel arrives.
    last_arrival_ms: [u64; 2],
    /// By receiving end: what a partition holds back.
    held: [VecDeque<Parcel>; 2],
}

/// What becomes of a parcel.
pub(crate) enum Passage {
    /// It arrives then.
    At(u64),
    /// It waits for the network.
    Held,
    /// It is gone.
    Lost,
}

/// All connections, and the ways between all processes.
#[derive(Debug, Default)]
pub(crate) struct Network {
    /// By number, which counts up.
    wires: Vec<Option<Box<Wire>>>,
    sites: usize,
    /// By sender and receiver: how many faults block this way.
    blocks: Vec<u32>,
    /// By sender and receiver: how much longer it takes.
    extra_ms: Vec<u64>,
}

impl Network {
    pub(crate) fn new(sites: usize) -> Self {
        let ways = sites * sites;
        // Numbers begin with 1.
        let wires = vec![None];
        Self { wires, sites, blocks: vec![0; ways], extra_ms: vec![0; ways] }
    }

    pub(crate) fn open(
        &mut self,
        (from, to): (SocketAddr, SocketAddr),
        sites: [Site; 2],
        caller: Holder,
    ) -> WireId {
        let id = WireId(self.wires.len() as u64);
        let wire = Wire {
            from,
            to,
            sites,
            caller,
            callee: None,
            health: Health::Alive,
            speech: Default::default(),
            last_arrival_ms: [0; 2],
            held: Default::default(),
        };
        self.wires.push(Some(Box::new(wire)));
        id
    }

    pub(crate) fn get(&self, id: WireId) -> Option<&Wire> {
        self.wires.get(id.place())?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: WireId) -> Option<&mut Wire> {
        self.wires.get_mut(id.place())?.as_deref_mut()
    }

    pub(crate) fn close(&mut self, id: WireId) {
        if let Some(wire) = self.wires.get_mut(id.place()) {
            *wire = None;
        }
    }

    fn all(&self) -> impl Iterator<Item = (WireId, &Wire)> {
        let open = |(id, wire)| Some((WireId(id), Option::as_deref(wire)?));
        (0..).zip(&self.wires).filter_map(open)
    }

    pub(crate) fn holder(&self, id: WireId, end: End) -> Option<Holder> {
        let wire = self.get(id)?;
        match end {
            End::Caller => Some(wire.caller),
            End::Callee => wire.callee,
        }
    }

    /// All connections of a process.
    pub(crate) fn wires_of(&self, site: Site) -> Vec<WireId> {
        self.all().filter(|(_, wire)| wire.sites.contains(&site)).map(|(id, _)| id).collect()
    }

    fn way(&self, from: Site, to: Site) -> usize {
        from.0 * self.sites + to.0
    }

    pub(crate) fn block(&mut self, from: Site, to: Site) {
        let way = self.way(from, to);
        self.blocks[way] += 1;
    }

    pub(crate) fn unblock(&mut self, from: Site, to: Site) {
        let way = self.way(from, to);
        self.blocks[way] = self.blocks[way].saturating_sub(1);
    }

    pub(crate) fn slow_down(&mut self, from: Site, to: Site, ms: u64) {
        let way = self.way(from, to);
        self.extra_ms[way] += ms;
    }

    pub(crate) fn speed_up(&mut self, from: Site, to: Site, ms: u64) {
        let way = self.way(from, to);
        self.extra_ms[way] = self.extra_ms[way].saturating_sub(ms);
    }

    /// Takes all obstacles out of the way.
    pub(crate) fn heal(&mut self) {
        self.blocks.fill(0);
        self.extra_ms.fill(0);
    }

    /// Sends a parcel off towards `end`; parcels of one direction never overtake each other.
    pub(crate) fn dispatch(
        &mut self,
        id: WireId,
        end: End,
        parcel: &Parcel,
        at_ms: u64,
    ) -> Passage {
        let Some(Some(wire)) = self.wires.get_mut(id.place()) else { return Passage::Lost };
        if wire.health == Health::Vanishing {
            return Passage::Lost;
        }
        let [caller, callee] = wire.sites;
        let (from, to) = match end {
            End::Caller => (callee, caller),
            End::Callee => (caller, callee),
        };
        let way = from.0 * self.sites + to.0;
        let place = end.index();
        if self.blocks[way] > 0 || !wire.held[place].is_empty() {
            wire.held[place].push_back(parcel.clone());
            return Passage::Held;
        }
        let at_ms = (at_ms + self.extra_ms[way]).max(wire.last_arrival_ms[place]);
        wire.last_arrival_ms[place] = at_ms;
        Passage::At(at_ms)
    }

    /// Takes out what is held although its way is free.
    pub(crate) fn release(&mut self) -> Vec<(WireId, End, Parcel)> {
        let mut free = Vec::new();
        for (id, wire) in (0..).zip(&mut self.wires) {
            let Some(wire) = wire else { continue };
            for end in [End::Caller, End::Callee] {
                let (to, from) = (wire.sites[end.index()], wire.sites[end.other().index()]);
                if self.blocks[from.0 * self.sites + to.0] == 0 {
                    free.extend(
                        wire.held[end.index()].drain(..).map(|parcel| (WireId(id), end, parcel)),
                    );
                }
            }
        }
        free
    }
}
