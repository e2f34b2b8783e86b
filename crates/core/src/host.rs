//! What all groups share: epochs, settings, the disk's gate, the outbox. A [`Cx`] lends it to the
//! rules of one group together with the present time.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::address::Endpoint;
use crate::brake::Brake;
use crate::conns::Conns;
use crate::durable::Config;
use crate::effect::Effect;
use crate::gate::Gate;
use crate::ident::{ConnId, Epoch, MasterId, SentinelId, Ticket};
use crate::limits;
use crate::note::Note;
use crate::outbox::Outbox;
use crate::peer::Peer;
use crate::query::Purpose;
use crate::request::{Request, SimulatedFailures};
use crate::rng::Rng;
use crate::rules::{Rule, Rules};
use crate::scripts::ScriptQueue;
use crate::settings::{Settings, Tunables};
use crate::tilt::Tilt;
use crate::time::{Now, Span, Time};
use crate::view::Counters;

/// Fellow Sentinels of all masters, by id. Boxed: a peer is taken out while its rules run.
pub(crate) type Peers = BTreeMap<SentinelId, Box<Peer>>;

/// A data node within this process; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct NodeId(u64);

/// Whom a connection belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Owner {
    Node { master: MasterId, node: NodeId, purpose: Purpose },
    Peer(SentinelId),
}

/// What all groups share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Host {
    pub(crate) config: Config,
    pub(crate) rules: Rules,
    pub(crate) my_id: SentinelId,
    pub(crate) settings: Arc<Settings>,
    pub(crate) tunables: Tunables,
    pub(crate) rng: Rng,
    pub(crate) current_epoch: Epoch,
    /// Whether an epoch was ever saved or opened: before that any epoch is believed (H17).
    pub(crate) epoch_known: bool,
    /// The epoch opened in this turn, shared by all masters that start in it (rule S4).
    pub(crate) turn_epoch: Option<Epoch>,
    pub(crate) gate: Gate,
    pub(crate) brake: Brake,
    pub(crate) scripts: ScriptQueue,
    pub(crate) outbox: Outbox,
    pub(crate) tilt: Tilt,
    pub(crate) counters: Counters,
    pub(crate) simulated: SimulatedFailures,
    /// Own addresses as announced; a hello with our id from elsewhere is a copy of us (rule S7).
    pub(crate) announced: BTreeSet<Endpoint>,
    pub(crate) own_id_heard: Option<(Endpoint, Time)>,
    /// So many masters are watched that what is regular is gathered, and what is quiet is shown a
    /// little later.
    pub(crate) crowded: bool,
    /// Masters that are down or not connected, and were not a few seconds ago (rule S3).
    pub(crate) gone: u32,
    /// When something last happened to a master that rules had to agree about.
    pub(crate) unrest_at: Time,
    /// Masters are pinged closely as long as there are few of them (rule E2).
    pub(crate) close_pings: bool,
    /// When somebody's epoch last rose (rule R2).
    pub(crate) epoch_rose_at: Option<Time>,
    conns: Conns,
    next_conn: u64,
    next_node: u64,
    /// Without rule E3: when silence is judged next.
    pub(crate) tick_at: Time,
    /// Groups that must be looked at before the turn ends.
    pub(crate) touched: BTreeSet<MasterId>,
    pub(crate) touched_peers: BTreeSet<SentinelId>,
    /// Requests that wait for an earlier change of the same name.
    pub(crate) parked: VecDeque<(Ticket, Request)>,
    /// MONITORs whose name is being resolved.
    pub(crate) unresolved: Vec<(Ticket, Request)>,
    /// Sentinels whose address another id took over: they leave every master.
    pub(crate) usurped: BTreeSet<SentinelId>,
    /// Names that the shell is resolving.
    pub(crate) resolving: BTreeSet<Arc<str>>,
    /// Names that did not resolve lately: tried again after PING-PERIOD.
    unresolvable: BTreeMap<Arc<str>, Time>,
}

impl Host {
    pub(crate) fn new(
        config: Config,
        rules: Rules,
        my_id: SentinelId,
        settings: Arc<Settings>,
        epoch: Option<Epoch>,
        seed: u64,
        now: Time,
    ) -> Self {
        Self {
            config,
            rules,
            my_id,
            settings,
            tunables: Tunables::default(),
            rng: Rng::new(seed),
            current_epoch: epoch.unwrap_or_default(),
            epoch_known: epoch.is_some_and(|epoch| epoch > Epoch::ZERO),
            turn_epoch: None,
            brake: Brake::default(),
            gate: Gate::new(epoch.unwrap_or_default()),
            scripts: ScriptQueue::default(),
            outbox: Outbox::default(),
            tilt: Tilt::new(now),
            counters: Counters::default(),
            simulated: SimulatedFailures::default(),
            announced: BTreeSet::new(),
            own_id_heard: None,
            crowded: false,
            gone: 0,
            unrest_at: now,
            close_pings: true,
            epoch_rose_at: None,
            conns: Conns::default(),
            next_conn: 1,
            next_node: 1,
            tick_at: Time::default(),
            touched: BTreeSet::new(),
            touched_peers: BTreeSet::new(),
            parked: VecDeque::new(),
            unresolved: Vec::new(),
            usurped: BTreeSet::new(),
            resolving: BTreeSet::new(),
            unresolvable: BTreeMap::new(),
        }
    }

    pub(crate) fn mint_conn(&mut self, owner: Owner) -> ConnId {
        let id = ConnId(self.next_conn);
        self.next_conn += 1;
        self.conns.insert(id, owner);
        id
    }

    pub(crate) fn forget_conn(&mut self, id: ConnId) {
        if !crate::mutant::Mutant::ConnectionsLeak.lives() {
            self.conns.remove(id);
        }
    }

    pub(crate) fn owner(&self, id: ConnId) -> Option<Owner> {
        self.conns.get(id)
    }

    pub(crate) fn connections(&self) -> usize {
        self.conns.len()
    }

    pub(crate) fn names_that_failed(&self) -> usize {
        self.unresolvable.len()
    }

    pub(crate) fn mint_node(&mut self) -> NodeId {
        self.next_node += 1;
        NodeId(self.next_node)
    }

    /// Whether an offered epoch is so far above ours that it is an attack or a bug (H17).
    pub(crate) fn is_far(&mut self, offered: Epoch) -> bool {
        let current = self.current_epoch;
        let far = self.rules.keeps(Rule::H17)
            && self.epoch_known
            && offered.get() > current.get() + limits::FAR_EPOCH;
        if far {
            self.counters.far_epochs += 1;
            self.outbox.order(Effect::Log(Note::FarEpoch { offered, current }));
        }
        far
    }

    /// A higher epoch was heard; says whether it was higher.
    pub(crate) fn hear_epoch(&mut self, epoch: Epoch, now: Time) -> bool {
        if epoch <= self.current_epoch {
            return false;
        }
        self.current_epoch = epoch;
        self.epoch_known = true;
        self.epoch_rose_at = Some(now);
        self.gate.epoch_changed();
        self.outbox.process_changed = true;
        true
    }

    /// A name was resolved, or not.
    pub(crate) fn hear_resolved(&mut self, name: &Arc<str>, success: bool, now: Time) {
        let period = self.tunables.get(crate::settings::Tunable::PingPeriod);
        self.resolving.remove(name);
        self.unresolvable.retain(|_, at| *at + period > now);
        if !success {
            self.unresolvable.insert(name.clone(), now);
        }
    }

    /// Whether another process announces our id (rule S7): until it has been silent for three
    /// publish periods.
    pub(crate) fn own_id_elsewhere_until(&self) -> Option<Time> {
        let period = self.tunables.get(crate::settings::Tunable::PublishPeriod);
        self.own_id_heard.as_ref().map(|(_, at)| *at + period * 3)
    }
}

/// How long ago, at a moment, the last multiple of a step was, counted from a phase.
fn since_multiple(at: Time, phase: Span, step: u64) -> u64 {
    (at.0 + step - phase.0 % step) % step
}

/// The shared things and the present time, lent to the rules of one group.
pub(crate) struct Cx<'a> {
    pub(crate) now: Now,
    pub(crate) host: &'a mut Host,
    pub(crate) peers: &'a mut Peers,
    /// Whether silence may be judged: only once everything readable was read (rule E3).
    pub(crate) may_judge: bool,
    /// Where the moments of the group's regular messages lie, where many masters are watched.
    phase: Span,
    wake_at: Option<Time>,
}

impl<'a> Cx<'a> {
    pub(crate) fn new(now: Now, host: &'a mut Host, peers: &'a mut Peers, may_judge: bool) -> Self {
        Self { now, host, peers, may_judge, phase: Span::ZERO, wake_at: None }
    }

    /// For the rules of this group.
    pub(crate) fn about(self, id: MasterId) -> Self {
        Self { phase: limits::SLOT * id.0, ..self }
    }

    /// Whether a moment has come; if not, the group is looked at again when it has.
    pub(crate) fn due(&mut self, at: Time) -> bool {
        if at <= self.now.mono {
            return true;
        }
        self.wake(at);
        false
    }

    /// When a regular message that is due at this moment leaves: with many masters earlier,
    /// together with others of its group. The moments of an interval are those of one twice as
    /// long, and one between any two. What left at such a moment and was answered soon leaves again
    /// a whole interval later, and the groups, each in its slot, are spread evenly.
    pub(crate) fn gathered(&self, at: Time, interval: Span) -> Time {
        if !self.host.crowded || interval < limits::GATHERED_FROM {
            return at;
        }
        let step = interval.0 / limits::JOINING;
        Time(at.0.saturating_sub(since_multiple(at, self.phase, step)))
    }

    /// When the moments of what comes in regularly are shown next: once a second, between those of
    /// the regular messages.
    pub(crate) fn shows_clocks_at(&self) -> Time {
        let every = limits::CLOCKS_SHOWN_EVERY;
        let phase = self.phase + limits::CLOCKS_SHOWN_AFTER;
        self.now.mono + every - Span(since_multiple(self.now.mono, phase, every.0))
    }

    /// As [`Cx::due`] for verdicts on silence, which wait until all input was handled (rule E3).
    pub(crate) fn verdict_due(&mut self, at: Time) -> bool {
        if !self.may_judge && !crate::mutant::Mutant::MayJudgeAlways.lives() {
            self.wake(at.max(self.host.tick_at));
            return false;
        }
        self.due(at)
    }

    /// Whether this Sentinel keeps a rule; the product keeps all.
    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.host.rules.keeps(rule)
    }

    /// The group is looked at again at this moment.
    pub(crate) fn wake(&mut self, at: Time) {
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// When the rules that ran so far want to run again.
    pub(crate) fn take_wake(&mut self) -> Option<Time> {
        self.wake_at.take()
    }

    pub(crate) fn order(&mut self, effect: Effect) {
        self.host.outbox.order(effect);
    }

    pub(crate) fn note(&mut self, note: Note) {
        self.order(Effect::Log(note));
    }

    /// `SENTINEL SIMULATE-FAILURE` strikes: nothing of this turn that comes later is seen.
    pub(crate) fn crash(&mut self) {
        self.note(Note::SimulatedCrash);
        self.host.outbox.crash();
    }

    /// How long ago a moment was.
    pub(crate) fn age(&self, at: Time) -> Span {
        self.now.mono.since(at)
    }

    pub(crate) fn in_tilt(&self) -> bool {
        self.host.tilt.since.is_some() && !crate::mutant::Mutant::TiltActs.lives()
    }

    /// Asks the shell to resolve a name, once at a time, and after a failure only at the pace of
    /// other retries (rule E1).
    pub(crate) fn resolve(&mut self, host: &Arc<str>) {
        let failed_at = self.host.unresolvable.get(host).copied();
        let period = self.host.tunables.get(crate::settings::Tunable::PingPeriod);
        if failed_at.is_some_and(|at| !self.due(at + period)) {
            return;
        }
        if self.host.resolving.insert(host.clone()) {
            self.order(Effect::Resolve { host: host.clone() });
        }
    }
}
