//! Data nodes: what reaches them and what they do.

use std::net::{IpAddr, SocketAddr};

use vedette_node::{ConnId, Input as NodeInput, LinkId, Output, Role};

use super::World;
use crate::agenda::Happening;
use crate::network::{End, Holder, Parcel, WireId};
use crate::node_host::NodeIndex;

impl World {
    pub(super) fn reach_node_client(&mut self, node: NodeIndex, conn: ConnId, parcel: Parcel) {
        match parcel {
            Parcel::Bytes(bytes) => {
                self.node_input(node, NodeInput::BytesReceived { conn, bytes });
            }
            Parcel::Close => {
                if let Some(wire) = self.nodes[node.0].clients.remove(&conn) {
                    self.network.close(wire);
                    self.node_input(node, NodeInput::ConnectionClosed { conn });
                }
            }
            Parcel::Connect | Parcel::Accepted | Parcel::Refused => {}
        }
    }

    pub(super) fn reach_node_link(
        &mut self,
        node: NodeIndex,
        link: LinkId,
        wire: WireId,
        parcel: Parcel,
    ) {
        match parcel {
            Parcel::Accepted => self.node_input(node, NodeInput::LinkConnected { link }),
            Parcel::Bytes(bytes) => self.node_input(node, NodeInput::LinkReceived { link, bytes }),
            Parcel::Refused | Parcel::Close => {
                self.network.close(wire);
                if self.nodes[node.0].links.remove(&link).is_some() {
                    self.node_input(node, NodeInput::LinkClosed { link });
                }
            }
            Parcel::Connect => {}
        }
    }

    pub(super) fn node_input(&mut self, node: NodeIndex, input: NodeInput) {
        self.nodes[node.0].node.handle_input(self.now_ms, input);
        self.serve_node(node);
    }

    pub(super) fn node_deadline(&mut self, index: NodeIndex) {
        let host = &mut self.nodes[index.0];
        host.alarm.ring(self.now_ms);
        if host.node.poll_deadline().is_some_and(|at| at <= self.now_ms) {
            self.node_input(index, NodeInput::DeadlineReached);
        } else {
            self.serve_node(index);
        }
    }

    pub(super) fn serve_node(&mut self, index: NodeIndex) {
        while let Some(output) = self.nodes[index.0].node.poll_output() {
            self.node_output(index, output);
        }
        let host = &mut self.nodes[index.0];
        host.replica_since_ms = match host.node.role() {
            Role::Master => None,
            Role::Replica => host.replica_since_ms.or(Some(self.now_ms)),
        };
        let deadline = host.node.poll_deadline().map(|at| at.max(self.now_ms));
        if let Some(at) = deadline.filter(|at| host.alarm.set(*at)) {
            self.agenda.add(at, Happening::NodeDeadline { node: index });
        }
    }

    fn node_output(&mut self, index: NodeIndex, output: Output) {
        let host = &mut self.nodes[index.0];
        match output {
            Output::Listen => host.listening = true,
            Output::StopListening => host.listening = false,
            Output::Send { conn, bytes } => {
                if let Some(wire) = host.clients.get(&conn).copied() {
                    self.send(wire, End::Callee, bytes);
                }
            }
            Output::Close { conn, kind: _ } => self.hang_up(Holder::NodeClient(index, conn)),
            Output::LinkConnect { link, host: to, port } => {
                let Ok(ip) = to.parse::<IpAddr>() else { return };
                let from = SocketAddr::new(host.address.ip(), 40_000);
                let from = (from, self.node_site(index));
                let holder = Holder::NodeLink(index, link);
                let wire = self.connect(from, SocketAddr::new(ip, port), holder);
                self.nodes[index.0].links.insert(link, wire);
            }
            Output::LinkSend { link, bytes } => {
                if let Some(wire) = host.links.get(&link).copied() {
                    self.send(wire, End::Caller, bytes);
                }
            }
            Output::LinkClose { link } => self.hang_up(Holder::NodeLink(index, link)),
        }
    }
}
