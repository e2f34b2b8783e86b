//! The world around one core: time, and facts and orders that pass between the two.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use vedette_core::{
    Config, ConnId, Effect, Endpoint, Hello, Input, JobId, Now, Request, Rule, Rules, ScriptEnd,
    Sentinel, Ticket, Time, WallTime,
};

use super::check::Check;
use super::network::Line;
use super::node::Node;
use super::parse::Variant;
use super::peer::Peer;
use super::setup::Setup;
use super::store::{Saves, Store};
use super::trace::Trace;

/// The core's clocks when a scenario begins; scenarios count from there.
const START_MONO: u64 = 1_000_000;
const START_WALL: u64 = 1_700_000_000_000;
/// Inputs within one millisecond; more is a loop.
const INPUTS_PER_MS: u32 = 400;

/// What is going to happen.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    Connected(ConnId),
    Refused(ConnId),
    Lost(ConnId),
    Answer(ConnId),
    Message(ConnId, Arc<Hello>),
    Saved,
    SaveFailed,
    Resolved(Arc<str>),
    ScriptStarted(JobId),
    ScriptEnded(JobId, ScriptEnd),
    /// A data node turns to master.
    Promoted(usize),
    /// A master has handed over, or given up.
    HandedOver(usize, Option<Endpoint>),
    /// A replica's link is up.
    Synced(usize),
}

/// What scripts do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scripts {
    Exit(i32),
    Hang,
    FailToStart,
}

/// The world.
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) core: Option<Sentinel>,
    /// Fed with the same inputs: it must do the same.
    mirror: Option<Sentinel>,
    pub(crate) setup: Setup,
    pub(crate) nodes: Vec<Node>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) lines: BTreeMap<ConnId, Line>,
    pub(crate) store: Option<Store>,
    pub(crate) names: BTreeMap<String, IpAddr>,
    pub(crate) name_delay: u64,
    pub(crate) scripts: Scripts,
    pub(crate) trace: Trace,
    pub(crate) check: Check,
    variant: Variant,
    /// The rules that this Sentinel keeps.
    rules: Rules,
    due: BTreeMap<(u64, u64), Happening>,
    /// What the wall clock was moved by.
    pub(crate) clock_step: i64,
    serial: u64,
    next_ticket: u64,
    inputs: (u64, u32),
}

impl World {
    pub(crate) fn new(variant: Variant, rules: Rules) -> Self {
        Self {
            rules,
            now: 0,
            core: None,
            mirror: None,
            setup: Setup::default(),
            nodes: Vec::new(),
            peers: Vec::new(),
            lines: BTreeMap::new(),
            store: None,
            names: BTreeMap::new(),
            name_delay: 5,
            scripts: Scripts::Exit(0),
            trace: Trace::new(variant),
            check: Check::default(),
            variant,
            due: BTreeMap::new(),
            clock_step: 0,
            serial: 0,
            next_ticket: 1,
            inputs: (0, 0),
        }
    }

    /// The present on the core's clocks.
    pub(crate) fn present(&self) -> Now {
        let wall = START_WALL.saturating_add_signed(self.clock_step) + self.now;
        Now { mono: Time(self.now + self.mono_ahead()), wall: WallTime(wall) }
    }

    /// How far the core's clock is ahead of the scenario's: the monotonic one, or without hole
    /// H34's cure the wall's.
    fn mono_ahead(&self) -> u64 {
        let wall = START_WALL.saturating_add_signed(self.clock_step);
        if self.rules.keeps(Rule::H34) { START_MONO } else { wall }
    }

    /// Starts the process if it does not run.
    pub(crate) fn start(&mut self) {
        if self.core.is_some() {
            return;
        }
        let durable = match &self.store {
            Some(store) => store.durable.clone(),
            None => self.setup.durable(START_WALL),
        };
        let config = self.setup.config();
        if self.store.is_none() {
            let mut store = Store::new(durable.clone(), self.variant);
            store.behave(self.setup.saves);
            self.store = Some(store);
        }
        self.trace.me = self.setup.me.clone();
        self.launch(config, durable);
    }

    fn launch(&mut self, config: Config, durable: vedette_core::DurableState) {
        let seed = self.setup.seed;
        let core = Sentinel::start_under(self.rules, config, durable, seed, self.present());
        self.mirror = Some(core.clone());
        self.core = Some(core);
        self.obey();
    }

    /// The process dies: what is on the disk remains.
    pub(crate) fn stop(&mut self) {
        self.core = None;
        self.mirror = None;
        self.lines.clear();
        self.due.retain(|_, happening| {
            matches!(
                happening,
                Happening::Promoted(_) | Happening::Synced(_) | Happening::HandedOver(..)
            )
        });
        if let Some(store) = &mut self.store {
            let _ = store.fail();
        }
        self.check.restarted();
    }

    pub(crate) fn plan(&mut self, delay: u64, happening: Happening) {
        self.serial += 1;
        self.due.insert((self.now + delay, self.serial), happening);
    }

    /// Lets time pass. Sockets are read before the timer (rule E3).
    pub(crate) fn wait(&mut self, span: u64) {
        self.start();
        let end = self.now + span;
        loop {
            let happening = self.due.first_key_value().map(|((at, _), _)| *at);
            let deadline = self.deadline();
            let next = happening.into_iter().chain(deadline).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            if happening.is_some_and(|at| at <= self.now) {
                self.take_turn();
            } else {
                self.tell(Input::DeadlineReached);
            }
            self.obey();
        }
        self.now = end;
    }

    /// Everything that is readable now is one turn.
    fn take_turn(&mut self) {
        let ready = self.due.range(..=(self.now, u64::MAX)).map(|(key, _)| *key);
        for key in ready.collect::<Vec<_>>() {
            if let Some(happening) = self.due.remove(&key) {
                self.happen(happening);
            }
        }
    }

    fn deadline(&self) -> Option<u64> {
        let deadline = self.core.as_ref()?.poll_deadline()?;
        Some(deadline.0.saturating_sub(self.mono_ahead()))
    }

    /// The process stands still; what happens meanwhile is read when it wakes.
    pub(crate) fn stall(&mut self, span: u64) {
        self.start();
        self.now += span;
        self.take_turn();
        self.obey();
        self.wait(0);
    }

    /// Tells the core a fact.
    pub(crate) fn tell(&mut self, input: Input) {
        self.count_input(&input);
        self.check.heard(&input);
        let now = self.present();
        if let Some(mirror) = &mut self.mirror {
            mirror.handle_input(now, input.clone());
        }
        if let Some(core) = &mut self.core {
            core.handle_input(now, input);
        }
    }

    fn count_input(&mut self, input: &Input) {
        let (moment, count) = &mut self.inputs;
        *count = if *moment == self.now { *count + 1 } else { 1 };
        *moment = self.now;
        let spins = *count >= INPUTS_PER_MS;
        assert!(
            !spins,
            "the core spins at {} with {input:?}, wants {:?}",
            self.now,
            self.core.as_ref().and_then(Sentinel::poll_deadline)
        );
    }

    pub(crate) fn request(&mut self, request: Request) -> Ticket {
        self.start();
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.tell(Input::Requested { ticket, request });
        self.obey();
        ticket
    }

    fn obey(&mut self) {
        loop {
            let effect = self.core.as_mut().and_then(Sentinel::poll_effect);
            let same = self.mirror.as_mut().and_then(Sentinel::poll_effect);
            assert_eq!(effect, same, "the same inputs lead to the same orders");
            let Some(effect) = effect else { return };
            self.check.ordered(&effect, self.store.as_ref(), &self.lines, &self.setup.me);
            let store = self.store.as_ref().expect("it runs");
            self.trace.order(self.now, &effect, &self.lines, store);
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Connect { conn, purpose, to, .. } => self.connect(conn, purpose, to),
            Effect::Close { conn } => {
                self.lines.remove(&conn);
            }
            Effect::Send { conn, query } => self.send(conn, query),
            Effect::Resolve { host } => self.plan(self.name_delay, Happening::Resolved(host)),
            Effect::Persist { generation, changes } => {
                let store = self.store.as_mut().expect("it runs");
                store.begin(generation, &changes);
                match store.saves {
                    Saves::After(delay) => self.plan(delay, Happening::Saved),
                    Saves::Never => {}
                    Saves::Fail => self.plan(1, Happening::SaveFailed),
                }
            }
            Effect::RunScript { job, .. } => self.plan(1, Happening::ScriptStarted(job)),
            Effect::KillScript { job } => {
                self.plan(1, Happening::ScriptEnded(job, ScriptEnd::Killed(9)));
            }
            Effect::Rename { .. }
            | Effect::Publish(_)
            | Effect::Respond { .. }
            | Effect::Log(_) => {}
            Effect::Crash => self.stop(),
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Connected(conn) => self.connected(conn),
            Happening::Refused(conn) => {
                self.lines.remove(&conn);
                self.tell(Input::ConnectFailed { conn, reason: "Connection refused".into() });
            }
            Happening::Lost(conn) => {
                if self.lines.remove(&conn).is_some() {
                    self.tell(Input::Disconnected { conn });
                }
            }
            Happening::Answer(conn) => self.answer(conn),
            Happening::Message(conn, hello) => {
                if self.lines.contains_key(&conn) {
                    self.tell(Input::MessageReceived { conn, hello: Some(hello) });
                }
            }
            Happening::Saved => {
                if let Some(generation) = self.store.as_mut().and_then(Store::succeed) {
                    self.tell(Input::Persisted { generation });
                }
            }
            Happening::SaveFailed => {
                if let Some(generation) = self.store.as_mut().and_then(Store::fail) {
                    self.tell(Input::PersistFailed { generation });
                }
            }
            Happening::Resolved(host) => {
                let ip = self.names.get(&*host).copied();
                self.tell(Input::Resolved { host, ip });
            }
            Happening::ScriptStarted(job) => self.run_script(job),
            Happening::ScriptEnded(job, end) => self.tell(Input::ScriptEnded { job, end }),
            Happening::HandedOver(index, to) => self.handed_over(index, to.as_ref()),
            Happening::Promoted(index) => {
                let now = self.now;
                self.nodes[index].follow(&vedette_core::ReplicationTarget::NoOne, now);
            }
            Happening::Synced(index) => self.nodes[index].link_down_since = None,
        }
    }

    fn run_script(&mut self, job: JobId) {
        match self.scripts {
            Scripts::FailToStart => self.tell(Input::ScriptFailedToStart { job }),
            Scripts::Hang => self.script_started(job),
            Scripts::Exit(code) => {
                self.script_started(job);
                self.plan(10, Happening::ScriptEnded(job, ScriptEnd::Exited(code)));
            }
        }
    }

    fn script_started(&mut self, job: JobId) {
        let pid = 1000 + u32::try_from(job.0).expect("few scripts");
        self.tell(Input::ScriptStarted { job, pid });
    }

    /// The end of a scenario: both are still the same, and the state survives a round trip.
    pub(crate) fn finish(&mut self) {
        self.start();
        assert_eq!(self.core, self.mirror, "the same inputs lead to the same state");
        self.round_trip();
    }

    /// From here on the mirror is what was written and read again.
    pub(crate) fn round_trip(&mut self) {
        let Some(core) = self.core.as_ref().filter(|_| !self.setup.has_secrets) else { return };
        let text = serde_json::to_string(core).expect("the state can be written");
        let read: Sentinel = serde_json::from_str(&text).expect("the state can be read");
        assert_eq!(*core, read, "the state survives a round trip");
        self.mirror = Some(read);
    }
}
