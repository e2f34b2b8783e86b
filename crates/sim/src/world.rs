//! A world: its inhabitants, and what passes between them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bytes::Bytes;
use vedette_core::{
    Config, ConnId, DurableState, Effect, Endpoint, Epoch, Event, Input, LogLevel, MasterSettings,
    Request, SavedMaster, Sentinel, SentinelId, Settings, Span, Ticket, Tunables,
};
use vedette_node::{CloseKind, Fault, Input as NodeInput, NodeConfig, Output};
use vedette_wire::events::render;
use vedette_wire::{Action, ClientId, NodeLink, Snapshot};

use crate::agenda::{Agenda, Happening};
use crate::network::{End, Holder, Network, WireId};
use crate::node_host::{NodeHost, NodeIndex};
use crate::sentinel_host::{SentinelHost, SentinelIndex, now_at};
use crate::timeline::{Moment, Timeline};

/// What a group is made of.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    /// Sentinels.
    pub sentinels: usize,
    /// Replicas of the one master.
    pub replicas: usize,
    /// Quorum.
    pub quorum: u32,
    /// `down-after-milliseconds`.
    pub down_after_ms: u64,
    /// One way through the network.
    pub delay_ms: u64,
    /// How long a save takes.
    pub commit_ms: u64,
    /// Draws the ids and everything random.
    pub seed: u64,
}

impl Default for GroupPlan {
    fn default() -> Self {
        Self {
            sentinels: 3,
            replicas: 2,
            quorum: 2,
            down_after_ms: 1000,
            delay_ms: 1,
            commit_ms: 1,
            seed: 1,
        }
    }
}

/// The name of the one master of a planned group.
const MASTER_NAME: &str = "mymaster";
/// Ports as everybody knows them.
const NODE_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
/// The replicas find their master before the Sentinels start.
const SYNC_MS: u64 = 2_000;
/// Inputs within one virtual millisecond; more is a loop that never ends.
const INPUTS_PER_MS: u32 = 100_000;

/// Sentinels, nodes, and the network between them.
pub struct World {
    now_ms: u64,
    agenda: Agenda,
    network: Network,
    sentinels: Vec<SentinelHost>,
    nodes: Vec<NodeHost>,
    timeline: Timeline,
    delay_ms: u64,
    inputs_now: u32,
}

fn node_address(index: usize) -> SocketAddr {
    let host = u8::try_from(index + 1).unwrap_or(u8::MAX);
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, host)), NODE_PORT)
}

fn sentinel_address(index: usize) -> SocketAddr {
    let host = u8::try_from(index + 1).unwrap_or(u8::MAX);
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 1, host)), SENTINEL_PORT)
}

fn sentinel_id(seed: u64, index: usize) -> SentinelId {
    let mut bytes = [0; 20];
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) ^ (index as u64) << 56;
    bytes[..8].copy_from_slice(&mixed.to_be_bytes());
    bytes[19] = u8::try_from(index).unwrap_or(u8::MAX);
    SentinelId::from_random(bytes)
}

/// Building.
impl World {
    /// A master with replicas in step, and Sentinels that have just started and know only the
    /// master.
    #[must_use]
    pub fn new(plan: &GroupPlan) -> Self {
        let mut world = Self {
            now_ms: 0,
            agenda: Agenda::default(),
            network: Network::default(),
            sentinels: Vec::new(),
            nodes: Vec::new(),
            timeline: Timeline::default(),
            delay_ms: plan.delay_ms,
            inputs_now: 0,
        };
        for index in 0..=plan.replicas {
            world.add_node(index, plan.seed);
        }
        world.run_for(SYNC_MS);
        for index in 0..plan.sentinels {
            world.add_sentinel(index, plan);
        }
        world
    }

    fn add_node(&mut self, index: usize, seed: u64) {
        let master = (index > 0).then(|| (node_address(0).ip().to_string(), NODE_PORT));
        let config = NodeConfig { replica_of: master, ..NodeConfig::default() };
        let host = NodeHost::new(config, node_address(index), seed + index as u64, self.now_ms);
        self.nodes.push(host);
        self.serve_node(NodeIndex(index));
    }

    fn add_sentinel(&mut self, index: usize, plan: &GroupPlan) {
        let mut settings = MasterSettings::new(plan.quorum, &Tunables::default());
        settings.down_after = Span(plan.down_after_ms);
        let master = SavedMaster {
            name: MASTER_NAME.into(),
            address: Endpoint::new(&node_address(0).ip().to_string(), NODE_PORT),
            settings,
            config_epoch: Epoch::ZERO,
            leader_epoch: Some(Epoch::ZERO),
            replicas: Vec::new(),
            sentinels: Vec::new(),
            last_vote: None,
        };
        let saved = DurableState {
            my_id: sentinel_id(plan.seed, index),
            current_epoch: Some(Epoch::ZERO),
            settings: Settings::default(),
            masters: vec![master],
        };
        let config = Config { listen_port: SENTINEL_PORT, local_password: None };
        let seed = plan.seed.wrapping_add(index as u64 * 7919);
        let core = Sentinel::start(config, saved, seed, now_at(self.now_ms));
        self.sentinels.push(SentinelHost::new(core, sentinel_address(index), plan.commit_ms));
        self.serve_sentinel(SentinelIndex(index));
    }
}

/// Looking and acting from outside.
impl World {
    /// Virtual time in milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Everything the Sentinels said.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// What a Sentinel's clients see.
    #[must_use]
    pub fn snapshot(&self, sentinel: SentinelIndex) -> &Snapshot {
        self.sentinels[sentinel.0].snapshot()
    }

    /// The model of a data node.
    #[must_use]
    pub fn node(&self, node: NodeIndex) -> &vedette_node::Node {
        &self.nodes[node.0].node
    }

    /// Where a data node listens.
    #[must_use]
    pub fn node_address(&self, node: NodeIndex) -> SocketAddr {
        self.nodes[node.0].address
    }

    /// The address that a Sentinel gives to clients now.
    #[must_use]
    pub fn official_address(&self, sentinel: SentinelIndex) -> Option<String> {
        let master = self.snapshot(sentinel).master(MASTER_NAME)?;
        Some(master.node.address.to_string())
    }

    /// Something happens to a node.
    pub fn fault(&mut self, node: NodeIndex, fault: Fault) {
        self.node_input(node, NodeInput::Faulted(fault));
    }

    /// An operator's request, without a connection.
    pub fn request(&mut self, sentinel: SentinelIndex, request: Request) {
        let ticket = Ticket(u64::MAX);
        self.sentinel_input(sentinel, Input::Requested { ticket, request });
    }

    /// A forced failover, as `SENTINEL FAILOVER`.
    pub fn force_failover(&mut self, sentinel: SentinelIndex) {
        self.request(sentinel, Request::Failover(MASTER_NAME.into()));
    }

    /// Lets time pass.
    pub fn run_for(&mut self, ms: u64) {
        let until_ms = self.now_ms + ms;
        while let Some((at_ms, happening)) = self.agenda.take(until_ms) {
            self.come_to(at_ms);
            self.happen(happening);
        }
        self.come_to(until_ms);
    }

    fn come_to(&mut self, at_ms: u64) {
        if at_ms > self.now_ms {
            self.inputs_now = 0;
        }
        self.now_ms = at_ms;
    }

    /// Lets time pass until something is so. False if it was not within `ms`.
    pub fn run_until(&mut self, ms: u64, mut holds: impl FnMut(&Self) -> bool) -> bool {
        let until_ms = self.now_ms + ms;
        while !holds(self) {
            let Some((at_ms, happening)) = self.agenda.take(until_ms) else {
                self.come_to(until_ms);
                return holds(self);
            };
            self.come_to(at_ms);
            self.happen(happening);
        }
        true
    }
}

/// What happens.
impl World {
    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::ConnectArrives { wire } => self.connect_arrives(wire),
            Happening::ConnectAnswered { wire, accepted } => self.connect_answered(wire, accepted),
            Happening::BytesArrive { wire, at, bytes } => self.bytes_arrive(wire, at, bytes),
            Happening::CloseArrives { wire, at } => self.close_arrives(wire, at),
            Happening::SaveEnds { sentinel, generation } => {
                self.sentinel_input(sentinel, Input::Persisted { generation });
            }
            Happening::SentinelDeadline { sentinel } => self.sentinel_deadline(sentinel),
            Happening::NodeDeadline { node } => {
                self.nodes[node.0].next_deadline = None;
                if self.node(node).poll_deadline().is_some_and(|at| at <= self.now_ms) {
                    self.node_input(node, NodeInput::DeadlineReached);
                } else {
                    self.serve_node(node);
                }
            }
        }
    }

    fn connect_arrives(&mut self, wire: WireId) {
        let Some((from, to)) = self.network.get(wire).map(|wire| (wire.from, wire.to)) else {
            return;
        };
        let node = self.nodes.iter().position(|host| host.address == to && host.listening);
        let sentinel = self.sentinels.iter().position(|host| host.address == to);
        let callee = match (node, sentinel) {
            (Some(index), _) => {
                let host = &mut self.nodes[index];
                let conn = host.mint_client();
                host.clients.insert(conn, wire);
                let node = NodeIndex(index);
                let opened = NodeInput::ConnectionOpened { conn, peer: from, local: to };
                self.network.accept(wire, Holder::NodeClient(node, conn));
                self.node_input(node, opened);
                true
            }
            (None, Some(index)) => {
                let client = self.sentinels[index].accept(wire, from);
                let holder = Holder::SentinelClient(SentinelIndex(index), client);
                self.network.accept(wire, holder);
                true
            }
            (None, None) => false,
        };
        let at = self.now_ms + self.delay_ms;
        self.agenda.add(at, Happening::ConnectAnswered { wire, accepted: callee });
    }

    fn connect_answered(&mut self, wire: WireId, accepted: bool) {
        let Some(caller) = self.network.holder(wire, End::Caller) else { return };
        if !accepted {
            self.network.close(wire);
        }
        match caller {
            Holder::SentinelLink(sentinel, conn) => {
                let input = if accepted {
                    let local_ip = self.sentinels[sentinel.0].address.ip();
                    Input::Connected { conn, local_ip }
                } else {
                    self.sentinels[sentinel.0].links.remove(&conn);
                    Input::ConnectFailed { conn, reason: "Connection refused".into() }
                };
                self.sentinel_input(sentinel, input);
            }
            Holder::NodeLink(node, link) if accepted => {
                self.node_input(node, NodeInput::LinkConnected { link });
            }
            Holder::NodeLink(node, link) => {
                self.nodes[node.0].links.remove(&link);
                self.node_input(node, NodeInput::LinkClosed { link });
            }
            Holder::SentinelClient(..) | Holder::NodeClient(..) => {}
        }
    }

    fn bytes_arrive(&mut self, wire: WireId, at: End, bytes: Bytes) {
        match self.network.holder(wire, at) {
            Some(Holder::SentinelLink(sentinel, conn)) => {
                self.link_receives(sentinel, conn, &bytes);
            }
            Some(Holder::SentinelClient(sentinel, client)) => {
                let host = &mut self.sentinels[sentinel.0];
                host.shared.now_ms = self.now_ms;
                if let Some((client, _)) = host.clients.get_mut(&client) {
                    client.receive(&bytes, now_at(self.now_ms));
                }
                self.serve_client(sentinel, client);
            }
            Some(Holder::NodeClient(node, conn)) => {
                self.node_input(node, NodeInput::BytesReceived { conn, bytes });
            }
            Some(Holder::NodeLink(node, link)) => {
                self.node_input(node, NodeInput::LinkReceived { link, bytes });
            }
            None => {}
        }
    }

    fn link_receives(&mut self, sentinel: SentinelIndex, conn: ConnId, bytes: &[u8]) {
        let host = &mut self.sentinels[sentinel.0];
        let Some((link, _)) = host.links.get_mut(&conn) else { return };
        let fine = link.receive(bytes).is_ok();
        while let Some((link, _)) = self.sentinels[sentinel.0].links.get_mut(&conn) {
            let Some(input) = link.poll_input() else { break };
            self.sentinel_input(sentinel, input);
        }
        if !fine {
            self.hang_up(Holder::SentinelLink(sentinel, conn));
            self.sentinel_input(sentinel, Input::Disconnected { conn });
        }
    }

    fn close_arrives(&mut self, wire: WireId, at: End) {
        let holder = self.network.holder(wire, at);
        self.network.close(wire);
        match holder {
            Some(Holder::SentinelLink(sentinel, conn)) => {
                self.sentinels[sentinel.0].links.remove(&conn);
                self.sentinel_input(sentinel, Input::Disconnected { conn });
            }
            Some(Holder::SentinelClient(sentinel, client)) => {
                self.sentinels[sentinel.0].clients.remove(&client);
            }
            Some(Holder::NodeClient(node, conn)) => {
                self.nodes[node.0].clients.remove(&conn);
                self.node_input(node, NodeInput::ConnectionClosed { conn });
            }
            Some(Holder::NodeLink(node, link)) => {
                self.nodes[node.0].links.remove(&link);
                self.node_input(node, NodeInput::LinkClosed { link });
            }
            None => {}
        }
    }

    /// An end is closed by its holder; the other end hears of it.
    fn hang_up(&mut self, holder: Holder) {
        let (wire, end) = match holder {
            Holder::SentinelLink(sentinel, conn) => {
                let link = self.sentinels[sentinel.0].links.remove(&conn);
                (link.map(|(_, wire)| wire), End::Caller)
            }
            Holder::SentinelClient(sentinel, client) => {
                let client = self.sentinels[sentinel.0].clients.remove(&client);
                (client.map(|(_, wire)| wire), End::Callee)
            }
            Holder::NodeClient(node, conn) => {
                (self.nodes[node.0].clients.remove(&conn), End::Callee)
            }
            Holder::NodeLink(node, link) => (self.nodes[node.0].links.remove(&link), End::Caller),
        };
        if let Some(wire) = wire {
            let at = self.now_ms + self.delay_ms;
            self.agenda.add(at, Happening::CloseArrives { wire, at: end.other() });
        }
    }

    fn send(&mut self, wire: WireId, from: End, bytes: Bytes) {
        let at_ms = self.now_ms + self.delay_ms;
        self.agenda.add(at_ms, Happening::BytesArrive { wire, at: from.other(), bytes });
    }
}

/// Nodes.
impl World {
    fn node_input(&mut self, node: NodeIndex, input: NodeInput) {
        self.nodes[node.0].node.handle_input(self.now_ms, input);
        self.serve_node(node);
    }

    fn serve_node(&mut self, index: NodeIndex) {
        while let Some(output) = self.nodes[index.0].node.poll_output() {
            self.node_output(index, output);
        }
        let host = &mut self.nodes[index.0];
        let deadline = host.node.poll_deadline();
        if let Some(at) = deadline.filter(|at| host.next_deadline.is_none_or(|next| *at < next)) {
            host.next_deadline = Some(at);
            self.agenda.add(at.max(self.now_ms), Happening::NodeDeadline { node: index });
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
            Output::Close { conn, kind: CloseKind::Graceful | CloseKind::Reset } => {
                self.hang_up(Holder::NodeClient(index, conn));
            }
            Output::LinkConnect { link, host: to, port } => {
                let Ok(ip) = to.parse::<IpAddr>() else { return };
                let from = SocketAddr::new(host.address.ip(), 40_000);
                let to = SocketAddr::new(ip, port);
                let wire = self.network.open(from, to, Holder::NodeLink(index, link));
                self.nodes[index.0].links.insert(link, wire);
                let at = self.now_ms + self.delay_ms;
                self.agenda.add(at, Happening::ConnectArrives { wire });
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

/// Sentinels.
impl World {
    fn sentinel_input(&mut self, index: SentinelIndex, input: Input) {
        self.inputs_now += 1;
        assert!(self.inputs_now < INPUTS_PER_MS, "a loop at {} ms: {input:?}", self.now_ms);
        self.sentinels[index.0].core.handle_input(now_at(self.now_ms), input);
        self.serve_sentinel(index);
    }

    fn sentinel_deadline(&mut self, index: SentinelIndex) {
        self.sentinels[index.0].next_deadline = None;
        let due = self.sentinels[index.0].core.poll_deadline();
        if due.is_some_and(|at| at.0 <= self.now_ms) {
            self.sentinel_input(index, Input::DeadlineReached);
        } else {
            self.serve_sentinel(index);
        }
    }

    fn serve_sentinel(&mut self, index: SentinelIndex) {
        self.sentinels[index.0].shared.now_ms = self.now_ms;
        while let Some(effect) = self.sentinels[index.0].core.poll_effect() {
            self.carry_out(index, effect);
        }
        self.flush_links(index);
        let host = &mut self.sentinels[index.0];
        let deadline = host.core.poll_deadline().map(|at| at.0);
        if let Some(at) = deadline.filter(|at| host.next_deadline.is_none_or(|next| *at < next)) {
            host.next_deadline = Some(at);
            let happening = Happening::SentinelDeadline { sentinel: index };
            self.agenda.add(at.max(self.now_ms), happening);
        }
    }

    fn carry_out(&mut self, index: SentinelIndex, effect: Effect) {
        let host = &mut self.sentinels[index.0];
        match effect {
            Effect::Connect { conn, purpose, to, renames } => {
                let from = SocketAddr::new(host.address.ip(), 50_000);
                let wire = self.network.open(from, to, Holder::SentinelLink(index, conn));
                host.links.insert(conn, (NodeLink::new(conn, purpose, renames), wire));
                let at = self.now_ms + self.delay_ms;
                self.agenda.add(at, Happening::ConnectArrives { wire });
            }
            Effect::Close { conn } => self.hang_up(Holder::SentinelLink(index, conn)),
            Effect::Send { conn, query } => {
                if let Some((link, _)) = host.links.get_mut(&conn) {
                    link.send(&query);
                }
            }
            Effect::Rename { conn, renames } => {
                if let Some((link, _)) = host.links.get_mut(&conn) {
                    link.set_renames(renames);
                }
            }
            Effect::Persist { generation, changes: _ } => {
                let at = self.now_ms + host.commit_ms;
                self.agenda.add(at, Happening::SaveEnds { sentinel: index, generation });
            }
            Effect::Publish(publication) => {
                host.shared.apply(&publication);
                let shown = |event: &&Event| event.kind.level() > LogLevel::Debug;
                for event in publication.events.iter().filter(shown) {
                    let rendered = render(event);
                    self.timeline.add(Moment {
                        at_ms: self.now_ms,
                        sentinel: index,
                        channel: rendered.channel.to_owned(),
                        payload: String::from_utf8_lossy(&rendered.payload).into_owned(),
                    });
                }
            }
            Effect::Respond { ticket, response } => {
                let Some(id) = host.tickets.remove(&ticket) else { return };
                if let Some((client, _)) = host.clients.get_mut(&id) {
                    client.respond(ticket, &response);
                }
                self.serve_client(index, id);
            }
            Effect::Resolve { .. }
            | Effect::RunScript { .. }
            | Effect::KillScript { .. }
            | Effect::Log(_)
            | Effect::Crash => {}
        }
    }

    fn flush_links(&mut self, index: SentinelIndex) {
        let host = &mut self.sentinels[index.0];
        let mut ready = Vec::new();
        for (link, wire) in host.links.values_mut() {
            let established = self.network.get(*wire).is_some_and(|wire| wire.callee.is_some());
            if established && !link.output().is_empty() {
                ready.push((*wire, link.output().split().freeze()));
            }
        }
        for (wire, bytes) in ready {
            self.send(wire, End::Caller, bytes);
        }
    }

    fn serve_client(&mut self, index: SentinelIndex, id: ClientId) {
        let host = &mut self.sentinels[index.0];
        let Some((client, wire)) = host.clients.get_mut(&id) else { return };
        client.advance(&mut host.shared);
        let wire = *wire;
        let output = client.output().split().freeze();
        let mut actions = Vec::new();
        while let Some(action) = client.poll_action() {
            actions.push(action);
        }
        if !output.is_empty() {
            self.send(wire, End::Callee, output);
        }
        for action in actions {
            match action {
                Action::Submit { ticket, request } => {
                    self.sentinels[index.0].tickets.insert(ticket, id);
                    self.sentinel_input(index, Input::Requested { ticket, request });
                }
                Action::Close(_) => self.hang_up(Holder::SentinelClient(index, id)),
                Action::ListClients { .. }
                | Action::KillClients { .. }
                | Action::Pause(_)
                | Action::Unpause
                | Action::Shutdown
                | Action::SubscriptionChanged(_)
                | Action::Warn(_) => {}
            }
        }
    }

    /// Every Sentinel names this node.
    #[must_use]
    pub fn agree_on(&self, node: NodeIndex) -> bool {
        let address = self.node_address(node).to_string();
        (0..self.sentinels.len())
            .all(|index| self.official_address(SentinelIndex(index)).as_ref() == Some(&address))
    }
}
