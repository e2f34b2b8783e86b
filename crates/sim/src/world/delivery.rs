//! Parcels leave and arrive.

use std::net::SocketAddr;

use bytes::Bytes;
use vedette_node::Input as NodeInput;

use super::World;
use crate::address;
use crate::agenda::Happening;
use crate::network::{End, Health, Holder, Parcel, Passage, Site, WireId};
use crate::node_host::NodeIndex;

/// Pieces that one write can be cut into.
const PIECES_MAX: usize = 4;

/// Leaving.
impl World {
    /// Opens a connection.
    pub(super) fn connect(
        &mut self,
        from: (SocketAddr, Site),
        to: SocketAddr,
        caller: Holder,
    ) -> WireId {
        let target = self.site_of(to).unwrap_or(from.1);
        let wire = self.network.open((from.0, to), [from.1, target], caller);
        self.dispatch(wire, End::Callee, Parcel::Connect);
        wire
    }

    /// Sends a parcel towards an end.
    pub(super) fn dispatch(&mut self, wire: WireId, to: End, parcel: Parcel) {
        let plan = &self.plan.network;
        let jitter = if plan.jitter_ms > 0 { self.chance.network.below(plan.jitter_ms) } else { 0 };
        let at_ms = self.now_ms + plan.delay_ms + jitter;
        match self.network.dispatch(wire, to, &parcel, at_ms) {
            Passage::At(at_ms) => {
                self.agenda.add(at_ms, Happening::Arrives { wire, at: to, parcel });
            }
            Passage::Held | Passage::Lost => {}
        }
    }

    /// Sends bytes, in pieces if the plan wants it.
    pub(super) fn send(&mut self, wire: WireId, from: End, mut bytes: Bytes) {
        if self.plan.network.chunks {
            for _ in 1..PIECES_MAX {
                if bytes.len() < 2 || self.chance.network.percent(60) {
                    break;
                }
                let piece = bytes.split_to(1 + self.chance.network.index(bytes.len() - 1));
                self.dispatch(wire, from.other(), Parcel::Bytes(piece));
            }
        }
        self.dispatch(wire, from.other(), Parcel::Bytes(bytes));
    }

    /// Whoever holds an end closes it; the other end hears of it.
    pub(super) fn hang_up(&mut self, holder: Holder) {
        let (wire, end) = match holder {
            Holder::SentinelLink(sentinel, conn) => {
                let process = self.sentinels[sentinel.0].process.as_mut();
                (process.and_then(|process| process.end_link(conn)), End::Caller)
            }
            Holder::SentinelClient(sentinel, client) => {
                let process = self.sentinels[sentinel.0].process.as_mut();
                let client = process.and_then(|process| process.clients.remove(&client));
                (client.map(|(_, wire)| wire), End::Callee)
            }
            Holder::NodeClient(node, conn) => {
                (self.nodes[node.0].clients.remove(&conn), End::Callee)
            }
            Holder::NodeLink(node, link) => (self.nodes[node.0].links.remove(&link), End::Caller),
            Holder::App(app) => (self.apps[app.0].wire.take(), End::Caller),
        };
        if let Some(wire) = wire {
            self.dispatch(wire, end.other(), Parcel::Close);
        }
    }

    /// Sends what the network held back and does not hold back any more.
    pub(super) fn release_held(&mut self) {
        for (wire, end, parcel) in self.network.release() {
            self.dispatch(wire, end, parcel);
        }
    }
}

/// Arriving.
impl World {
    pub(super) fn arrive(&mut self, wire: WireId, at: End, parcel: Parcel) {
        let Some((health, to)) = self.network.get(wire).map(|wire| (wire.health, wire.to)) else {
            return;
        };
        self.witness.note_arrival(self.now_ms, wire.0, &parcel);
        if !self.is_powered(wire, at) {
            return;
        }
        if health == Health::Orphaned {
            return self.reset_orphan(wire, at, &parcel);
        }
        if parcel == Parcel::Connect {
            return self.connect_arrives(wire, to);
        }
        match self.network.holder(wire, at) {
            Some(Holder::SentinelLink(sentinel, _) | Holder::SentinelClient(sentinel, _)) => {
                self.reach_sentinel(sentinel, wire, at, parcel);
            }
            Some(Holder::NodeClient(node, conn)) => self.reach_node_client(node, conn, parcel),
            Some(Holder::NodeLink(node, link)) => self.reach_node_link(node, link, wire, parcel),
            Some(Holder::App(app)) => self.reach_app(app, wire, parcel),
            None => {}
        }
    }

    fn is_powered(&self, wire: WireId, at: End) -> bool {
        let Some(wire) = self.network.get(wire) else { return false };
        let Site(site) = wire.sites[usize::from(at == End::Callee)];
        match site.checked_sub(self.plan.sentinels) {
            None => self.sentinels[site].powered,
            Some(node) => self.nodes.get(node).is_none_or(|host| host.powered),
        }
    }

    /// A machine that is back knows nothing of its old connections.
    fn reset_orphan(&mut self, wire: WireId, at: End, parcel: &Parcel) {
        if *parcel == Parcel::Close {
            let holder = self.network.holder(wire, at);
            let known = holder.is_some_and(|holder| self.holds(holder, wire));
            if !known {
                return self.network.close(wire);
            }
            if let Some(wire) = self.network.get_mut(wire) {
                wire.health = Health::Alive;
            }
            return self.arrive(wire, at, Parcel::Close);
        }
        self.dispatch(wire, at.other(), Parcel::Close);
    }

    pub(super) fn holds(&self, holder: Holder, wire: WireId) -> bool {
        match holder {
            Holder::SentinelLink(sentinel, conn) => self.sentinels[sentinel.0]
                .process
                .as_ref()
                .and_then(|process| process.links.get(&conn))
                .is_some_and(|link| link.wire == wire),
            Holder::SentinelClient(sentinel, client) => self.sentinels[sentinel.0]
                .process
                .as_ref()
                .and_then(|process| process.clients.get(&client))
                .is_some_and(|(_, own)| *own == wire),
            Holder::NodeClient(node, conn) => self.nodes[node.0].clients.get(&conn) == Some(&wire),
            Holder::NodeLink(node, link) => self.nodes[node.0].links.get(&link) == Some(&wire),
            Holder::App(app) => self.apps[app.0].wire == Some(wire),
        }
    }

    fn connect_arrives(&mut self, wire: WireId, to: SocketAddr) {
        let accepted = match (address::sentinel_at(to), self.node_at(to)) {
            (Some(sentinel), _) => self.sentinel_accepts(sentinel, wire),
            (None, Some(node)) => self.node_accepts(node, wire),
            (None, None) => false,
        };
        let answer = if accepted { Parcel::Accepted } else { Parcel::Refused };
        self.dispatch(wire, End::Caller, answer);
    }

    fn node_accepts(&mut self, index: NodeIndex, wire: WireId) -> bool {
        let host = &mut self.nodes[index.0];
        let Some((peer, local)) = self.network.get(wire).map(|wire| (wire.from, wire.to)) else {
            return false;
        };
        if !host.listening {
            return false;
        }
        let conn = host.mint_client();
        host.clients.insert(conn, wire);
        if let Some(wire) = self.network.get_mut(wire) {
            wire.callee = Some(Holder::NodeClient(index, conn));
        }
        self.node_input(index, NodeInput::ConnectionOpened { conn, peer, local });
        true
    }
}
