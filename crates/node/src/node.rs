//! The state machine and its contract.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use vedette_resp::Frame;

use crate::connection::Connection;
use crate::fault::Condition;
use crate::parameters::Parameters;
use crate::pubsub::Pubsub;
use crate::random::Random;
use crate::replication::{HandOver, History, Upstream, Waiter};
use crate::{CloseKind, ConnId, Input, LinkId, NodeConfig, Output};

/// A data node. See the crate's page for the loop around it.
#[derive(Debug)]
pub struct Node {
    pub(crate) config: Arc<NodeConfig>,
    /// The time of the current input.
    pub(crate) now: u64,
    pub(crate) random: Random,
    pub(crate) started_at: u64,
    pub(crate) run_id: String,
    pub(crate) parameters: Parameters,
    /// What a new process starts from.
    pub(crate) saved: Saved,
    pub(crate) data: BTreeMap<Bytes, Bytes>,
    pub(crate) watchers: BTreeMap<Bytes, BTreeSet<ConnId>>,
    pub(crate) connections: BTreeMap<ConnId, Connection>,
    /// Connections with unsent bytes or a pending close.
    pub(crate) touched: BTreeSet<ConnId>,
    pub(crate) replicas: BTreeSet<ConnId>,
    pub(crate) pubsub: Pubsub,
    pub(crate) history: History,
    pub(crate) upstream: Option<Upstream>,
    pub(crate) waiters: Vec<Waiter>,
    /// By FAILOVER.
    pub(crate) hand_over: Option<HandOver>,
    /// When a master next pings its replicas.
    pub(crate) ping_at: u64,
    pub(crate) condition: Condition,
    pub(crate) counters: Counters,
    last_client_id: u64,
    last_link: u64,
    outputs: VecDeque<Output>,
}

/// The part of the configuration that CONFIG REWRITE writes.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    pub(crate) parameters: Parameters,
    pub(crate) replica_of: Option<(String, u16)>,
}

/// What INFO counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: u64,
    pub(crate) commands: u64,
    pub(crate) longest_ping_gap_ms: u64,
    pub(crate) rejected_connections: u64,
    pub(crate) full_syncs: u64,
    pub(crate) partial_syncs: u64,
    pub(crate) refused_partial_syncs: u64,
    pub(crate) error_replies: u64,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It takes writes.
    Master,
    /// It follows a master, reached or not.
    Replica,
}

impl Node {
    /// A node that has just started. Nodes with different seeds have different ids.
    pub fn new(config: Arc<NodeConfig>, seed: u64, now: u64) -> Self {
        let mut random = Random::new(seed);
        let parameters = Parameters::new(&config.parameters);
        let replica_of = config.replica_of.clone();
        let mut node = Self {
            now,
            started_at: now,
            run_id: random.id(),
            history: History::new(random.id()),
            random,
            saved: Saved { parameters: parameters.clone(), replica_of: replica_of.clone() },
            parameters,
            config,
            data: BTreeMap::new(),
            watchers: BTreeMap::new(),
            connections: BTreeMap::new(),
            touched: BTreeSet::new(),
            replicas: BTreeSet::new(),
            pubsub: Pubsub::default(),
            upstream: None,
            waiters: Vec::new(),
            hand_over: None,
            ping_at: now,
            condition: Condition::default(),
            counters: Counters::default(),
            last_client_id: 0,
            last_link: 0,
            outputs: VecDeque::from([Output::Listen]),
        };
        node.upstream = replica_of.map(|(host, port)| Upstream::at_start(host, port, now));
        node.run_due();
        node
    }

    /// Takes a fact. `now` is in milliseconds and never goes back.
    pub fn handle_input(&mut self, now: u64, input: Input) {
        self.now = self.now.max(now);
        self.end_halt_if_due();
        match input {
            Input::Faulted(fault) => self.suffer(fault),
            input if self.condition.is_halted() => self.hold(input),
            input => self.accept(input),
        }
        if !self.condition.is_halted() {
            self.run_due();
        }
        self.flush();
    }

    /// The next order, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When the node next wants [`Input::DeadlineReached`], if ever.
    pub fn poll_deadline(&self) -> Option<u64> {
        if !self.condition.alive {
            return None;
        }
        if let Some(halt) = &self.condition.halt {
            return halt.until;
        }
        let replication =
            [self.upstream_deadline(), self.replicas_deadline(), self.hand_over_deadline()];
        replication.into_iter().flatten().chain(self.condition.deadlines()).min()
    }

    /// What the node is.
    pub fn role(&self) -> Role {
        if self.upstream.is_some() { Role::Replica } else { Role::Master }
    }

    /// The address of its master, if it is a replica.
    pub fn master_address(&self) -> Option<(&str, u16)> {
        self.upstream.as_ref().map(|upstream| (upstream.host.as_str(), upstream.port))
    }

    /// Whether it is a replica whose link to the master is up.
    pub fn is_link_up(&self) -> bool {
        self.upstream.as_ref().is_some_and(Upstream::is_online)
    }

    /// The replication id and offset.
    pub fn position(&self) -> (&str, u64) {
        (&self.history.id, self.history.offset)
    }

    /// The id of the running process.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The value of a key.
    pub fn value(&self, key: &[u8]) -> Option<&Bytes> {
        self.data.get(key)
    }

    /// Whether the process runs, hung or not.
    pub fn is_alive(&self) -> bool {
        self.condition.alive
    }

    /// Whether it runs but does nothing.
    pub fn is_hung(&self) -> bool {
        self.condition.is_halted()
    }

    /// Commands since its start, as `total_commands_processed` of INFO.
    pub fn commands_processed(&self) -> u64 {
        self.counters.commands
    }

    /// The longest time between two PINGs of one connection, in ms, since this was last asked.
    pub fn take_longest_ping_gap(&mut self) -> u64 {
        core::mem::take(&mut self.counters.longest_ping_gap_ms)
    }

    /// Its settings.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    pub(crate) fn accept(&mut self, input: Input) {
        match input {
            Input::ConnectionOpened { conn, peer, local } => {
                if !self.condition.alive || self.condition.refusing {
                    return self.order(Output::Close { conn, kind: CloseKind::Reset });
                }
                self.last_client_id += 1;
                self.counters.connections += 1;
                let mut connection = Connection::new(self.last_client_id, peer, local, self.now);
                if self.parameters.password().is_empty() {
                    connection.authenticate(Some("default".to_owned()));
                }
                self.connections.insert(conn, connection);
            }
            Input::BytesReceived { conn, bytes } => {
                if let Some(connection) = self.connections.get_mut(&conn) {
                    connection.decoder.feed(&bytes);
                    self.read_requests(conn);
                }
            }
            Input::ConnectionClosed { conn } => self.forget(conn),
            Input::LinkConnected { link } => self.link_connected(link),
            Input::LinkReceived { link, bytes } => self.link_received(link, bytes),
            Input::LinkClosed { link } => self.link_closed(link),
            Input::DeadlineReached => {}
            Input::Faulted(fault) => self.suffer(fault),
        }
    }

    /// Everything whose time has come, in a running process.
    fn run_due(&mut self) {
        if self.condition.alive {
            self.end_conditions_if_due();
            self.upstream_due();
            self.replicas_due();
            self.advance_hand_over();
        }
    }

    pub(crate) fn order(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn new_link(&mut self) -> LinkId {
        self.last_link += 1;
        LinkId(self.last_link)
    }

    /// Writes to a connection; it leaves at the end of this input.
    pub(crate) fn write(&mut self, conn: ConnId, frame: &Frame) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.write(frame);
            self.touched.insert(conn);
        }
    }

    pub(crate) fn write_raw(&mut self, conn: ConnId, bytes: &[u8]) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.out.extend_from_slice(bytes);
            self.touched.insert(conn);
        }
    }

    /// Closes a connection at the end of this input.
    pub(crate) fn close(&mut self, conn: ConnId, kind: CloseKind) {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.closing = Some(kind);
            self.touched.insert(conn);
        }
    }

    pub(crate) fn forget(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.remove(&conn) else {
            return;
        };
        self.pubsub.forget(conn, &connection);
        for key in &connection.watched {
            self.unwatch(conn, key);
        }
        self.replicas.remove(&conn);
        self.touched.remove(&conn);
        self.waiters.retain(|waiter| waiter.conn != conn);
    }

    fn flush(&mut self) {
        for conn in std::mem::take(&mut self.touched) {
            let Some(connection) = self.connections.get_mut(&conn) else { continue };
            let bytes = std::mem::take(&mut connection.out).freeze();
            let closing = connection.closing;
            if !bytes.is_empty() && closing != Some(CloseKind::Reset) {
                self.order(Output::Send { conn, bytes });
            }
            if let Some(kind) = closing {
                self.forget(conn);
                self.order(Output::Close { conn, kind });
            }
        }
    }
}
