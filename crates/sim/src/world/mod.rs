//! A world: its inhabitants, and what passes between them.

mod apps;
mod build;
mod delivery;
mod effects;
mod harm;
mod look;
mod mend;
mod moves;
mod nodes;
mod operators;
mod outage;
mod patience;
mod pending;
mod scripts;
mod sentinels;
mod traps;

pub(crate) use apps::{App, AppIndex};
pub(crate) use build::SYNC_MS;
pub(crate) use mend::Repair;
pub use outage::Switch;

use std::collections::BTreeMap;

use crate::agenda::{Agenda, Happening};
use crate::fault::{Moment, Trap};
use crate::network::Network;
use crate::node_host::{NodeHost, NodeIndex};
use crate::plan::Plan;
use crate::random::Random;
use crate::sentinel_host::{SentinelHost, SentinelIndex};
use crate::timeline::Timeline;
use crate::witness::Witness;

/// Inputs within one virtual millisecond, and for each master; more is a loop that never ends.
const INPUTS_PER_MS: (usize, usize) = (100_000, 1_000);

/// Sentinels, nodes, clients, and the network between them.
pub struct World {
    plan: Plan,
    now_ms: u64,
    /// When the safety phase began.
    began_ms: u64,
    agenda: Agenda,
    network: Network,
    sentinels: Vec<SentinelHost>,
    nodes: Vec<NodeHost>,
    apps: Vec<App>,
    timeline: Timeline,
    witness: Witness,
    traps: Vec<(usize, Moment, Trap)>,
    /// By group: the next voter between two candidates crashes for so long, silently or not.
    voter_traps: BTreeMap<usize, (u64, bool)>,
    /// Streams of chance by purpose.
    chance: Chance,
    inputs_now: usize,
    /// Faults are over: what ends them later has nothing to do any more.
    healed: bool,
    /// The third phase, once it has begun.
    outage: Option<outage::Ordeal>,
}

struct Chance {
    network: Random,
    disk: Random,
    apps: Random,
    lives: Random,
    scripts: Random,
}

/// Time.
impl World {
    /// Virtual time in milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Lets time pass. Ends early if something is found to be wrong.
    pub fn run_for(&mut self, ms: u64) {
        self.run_until(ms, |_| false);
    }

    /// Lets time pass until something is so. False if it was not within `ms`, or if something is
    /// found to be wrong before.
    pub fn run_until(&mut self, ms: u64, mut holds: impl FnMut(&Self) -> bool) -> bool {
        let until_ms = self.now_ms + ms;
        while !holds(self) {
            if self.witness.violation().is_some() {
                return false;
            }
            let Some((at_ms, happening)) = self.agenda.take(until_ms) else {
                self.come_to(until_ms);
                return holds(self);
            };
            self.come_to(at_ms);
            self.happen(happening);
        }
        true
    }

    fn come_to(&mut self, at_ms: u64) {
        if at_ms > self.now_ms {
            self.inputs_now = 0;
        }
        self.now_ms = at_ms;
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives { wire, at, parcel } => self.arrive(wire, at, parcel),
            Happening::SaveEnds { sentinel, life, generation } => {
                self.save_ends(sentinel, life, generation);
            }
            Happening::ScriptEnds { sentinel, life, job, end } => {
                self.script_ends(sentinel, life, job, end);
            }
            Happening::SentinelDeadline { sentinel, life } => {
                self.sentinel_deadline(sentinel, life);
            }
            Happening::NodeDeadline { node } => self.node_deadline(node),
            Happening::AppDeadline { app, alarm } => self.app_deadline(app, alarm),
            Happening::Incident(number) => self.befall(number),
            Happening::Repair(repair) => self.mend(repair),
        }
    }

    fn count_input(&mut self, what: &dyn std::fmt::Debug) {
        self.inputs_now += 1;
        let (least, for_each) = INPUTS_PER_MS;
        assert!(
            self.inputs_now < least.max(for_each * self.plan.masters.len()),
            "seed {}: a loop at {} ms: {what:?}",
            self.plan.seed,
            self.now_ms
        );
    }
}

impl SentinelIndex {
    fn all(count: usize) -> impl Iterator<Item = Self> {
        (0..count).map(Self)
    }
}

impl NodeIndex {
    fn all(count: usize) -> impl Iterator<Item = Self> {
        (0..count).map(Self)
    }
}
