//! What state a node's process is in, and how faults change it.

use std::collections::{BTreeMap, BTreeSet};

use vedette_resp::Frame;

use crate::limits::HELD_BYTES_MAX;
use crate::node::Counters;
use crate::replication::{Flow, History, Upstream};
use crate::{CloseKind, ConnId, Fault, Input, LinkId, Node, Output, Revival, reply};

/// The state of the process.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) alive: bool,
    pub(crate) refusing: bool,
    pub(crate) halt: Option<Halt>,
    pub(crate) loading_until: Option<u64>,
    pub(crate) script: Option<Script>,
    pub(crate) pause: Option<Pause>,
    /// How the stream of the master arrives.
    pub(crate) flow: Flow,
}

/// The process reads nothing.
#[derive(Debug, Default)]
pub(crate) struct Halt {
    /// The end, if it ends by itself.
    pub(crate) until: Option<u64>,
    /// Who sleeps in DEBUG SLEEP.
    pub(crate) sleeper: Option<ConnId>,
    held: Vec<Input>,
    held_bytes: BTreeMap<Source, usize>,
}

/// Where held bytes came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Client(ConnId),
    Master(LinkId),
}

/// A script that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub(crate) has_written: bool,
}

/// CLIENT PAUSE.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause {
    pub(crate) until: u64,
    pub(crate) mode: PauseMode,
}

/// What CLIENT PAUSE holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PauseMode {
    All,
    Write,
}

impl Default for Condition {
    fn default() -> Self {
        Self {
            alive: true,
            refusing: false,
            halt: None,
            loading_until: None,
            script: None,
            pause: None,
            flow: Flow::Delayed { ms: 0 },
        }
    }
}

impl Condition {
    pub(crate) fn is_halted(&self) -> bool {
        self.halt.is_some()
    }

    pub(crate) fn deadlines(&self) -> impl Iterator<Item = u64> {
        self.loading_until.into_iter().chain(self.pause.map(|pause| pause.until))
    }
}

impl Node {
    pub(crate) fn suffer(&mut self, fault: Fault) {
        match fault {
            Fault::Killed => self.die(CloseKind::Reset),
            Fault::Revived(revival) => self.revive(revival),
            Fault::Hung => self.halt(None, None),
            Fault::Resumed => self.end_halt(),
            Fault::ConnectionsRefused => {
                self.condition.refusing = true;
                self.order(Output::StopListening);
            }
            Fault::ConnectionsAccepted => {
                self.condition.refusing = false;
                if self.condition.alive {
                    self.order(Output::Listen);
                }
            }
            Fault::LoadingStarted { ms } => self.condition.loading_until = Some(self.now + ms),
            Fault::ScriptStarted { has_written } => {
                self.condition.script = Some(Script { has_written });
            }
            Fault::ScriptEnded => self.condition.script = None,
            Fault::ReplicationLagged { ms } => self.set_flow(Flow::Delayed { ms }),
            Fault::ReplicationPaused => self.set_flow(Flow::Stopped),
            Fault::ReplicationResumed => self.set_flow(Flow::Delayed { ms: 0 }),
        }
    }

    /// The end of the process: every connection goes.
    pub(crate) fn die(&mut self, kind: CloseKind) {
        if !self.condition.alive {
            return;
        }
        self.condition.alive = false;
        self.condition.halt = None;
        self.hand_over = None;
        self.order(Output::StopListening);
        for conn in self.connections.keys().copied().collect::<Vec<_>>() {
            self.close(conn, kind);
        }
        self.drop_link();
    }

    fn revive(&mut self, revival: Revival) {
        if self.condition.alive {
            return;
        }
        match revival {
            Revival::SameProcess => self.condition.alive = true,
            Revival::WithData => self.restart(),
            Revival::Empty => {
                self.data.clear();
                self.restart();
            }
        }
        self.condition.refusing = false;
        self.order(Output::Listen);
    }

    /// A new process from the saved configuration and the data at hand.
    fn restart(&mut self) {
        self.condition = Condition::default();
        self.counters = Counters::default();
        self.started_at = self.now;
        self.run_id = self.random.id();
        self.history = History::new(self.random.id());
        self.parameters = self.saved.parameters.clone();
        self.upstream = self
            .saved
            .replica_of
            .clone()
            .map(|(host, port)| Upstream::at_start(host, port, self.now));
    }

    /// The process stops for a time, or until it is resumed.
    pub(crate) fn halt(&mut self, until: Option<u64>, sleeper: Option<ConnId>) {
        match &mut self.condition.halt {
            _ if !self.condition.alive => {}
            // A stopped process also sleeps longer than it wanted to.
            Some(halt) => halt.until = until,
            None => self.condition.halt = Some(Halt { until, sleeper, ..Halt::default() }),
        }
    }

    /// Keeps an input for later. A connection whose buffers overflow breaks.
    pub(crate) fn hold(&mut self, input: Input) {
        let Some(halt) = &mut self.condition.halt else { return };
        let (source, len) = match &input {
            Input::BytesReceived { conn, bytes } => (Source::Client(*conn), bytes.len()),
            Input::LinkReceived { link, bytes } => (Source::Master(*link), bytes.len()),
            Input::ConnectionOpened { .. }
            | Input::ConnectionClosed { .. }
            | Input::LinkConnected { .. }
            | Input::LinkClosed { .. }
            | Input::Faulted(_) => return halt.held.push(input),
            // Deadlines are looked at anyway when it goes on.
            Input::DeadlineReached => return,
        };
        let held_bytes = halt.held_bytes.entry(source).or_default();
        *held_bytes += len;
        if *held_bytes <= HELD_BYTES_MAX {
            return halt.held.push(input);
        }
        halt.held_bytes.remove(&source);
        match source {
            Source::Client(conn) => {
                halt.held.push(Input::ConnectionClosed { conn });
                self.order(Output::Close { conn, kind: CloseKind::Reset });
            }
            Source::Master(link) => {
                halt.held.push(Input::LinkClosed { link });
                self.order(Output::LinkClose { link });
            }
        }
    }

    pub(crate) fn end_halt_if_due(&mut self) {
        let until = self.condition.halt.as_ref().and_then(|halt| halt.until);
        if until.is_some_and(|until| until <= self.now) {
            self.end_halt();
        }
    }

    fn end_halt(&mut self) {
        let Some(halt) = self.condition.halt.take() else { return };
        if let Some(conn) = halt.sleeper {
            if let Some(connection) = self.connections.get_mut(&conn) {
                connection.blocked = false;
            }
            self.answer(conn, Frame::OK.into());
            self.read_requests(conn);
        }
        for input in halt.held {
            // A held DEBUG SLEEP may halt it again.
            match self.condition.is_halted() {
                true => self.hold(input),
                false => self.accept(input),
            }
        }
    }

    pub(crate) fn end_conditions_if_due(&mut self) {
        if self.condition.loading_until.is_some_and(|until| until <= self.now) {
            self.condition.loading_until = None;
        }
        if self.condition.pause.is_some_and(|pause| pause.until <= self.now) {
            self.end_pause();
        }
        self.end_waits_if_due();
    }

    pub(crate) fn end_pause(&mut self) {
        self.condition.pause = None;
        self.resume_held();
    }

    /// Writers that wait for replicas cannot be served by a replica.
    pub(crate) fn unblock_waiters(&mut self) {
        let waiters = std::mem::take(&mut self.waiters);
        let conns: BTreeSet<ConnId> = waiters.iter().map(|waiter| waiter.conn).collect();
        for conn in conns {
            if let Some(connection) = self.connections.get_mut(&conn) {
                connection.blocked = false;
            }
            self.answer(conn, reply::UNBLOCKED.into());
            self.read_requests(conn);
        }
    }
}
