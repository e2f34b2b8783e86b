//! Whoever watches a run: every fact passes here, is hashed, shown to the invariants, and
//! remembered if it is an interesting place.

use std::collections::BTreeMap;

use vedette_core::{
    Census, DurableState, Effect, Input, Opinion, Request, Response, Rules, SentinelId,
};
use vedette_flight::Bounds;
use vedette_wire::Snapshot;

use crate::fault::Fault;
use crate::invariant::{self, Invariant};
use crate::network::Parcel;
use crate::places::Places;
use crate::sentinel_host::{Question, SentinelHost, SentinelIndex};
use crate::trace::{Trace, TraceHash};
use crate::traffic::Traffic;

/// Something that can be seen from outside of a core.
#[derive(Clone, Debug)]
pub enum Seen<'a> {
    /// A process started from this.
    Started(&'a DurableState),
    /// It is gone.
    Ended,
    /// The core is about to be told.
    Took(&'a Input),
    /// The core ordered. A publication is visible to clients by now.
    Ordered(&'a Effect),
    /// It published that it calls somebody down since now.
    Judged {
        /// What has reached it and is not read yet.
        unread: usize,
    },
    /// What it remembers was counted, and what there is to remember.
    Counted {
        /// What it remembers.
        census: &'a Census,
        /// What there is.
        scale: Scale,
    },
    /// A fellow Sentinel answered a question.
    Heard {
        /// Which one.
        by: SentinelIndex,
        /// What it was asked.
        question: &'a Question,
        /// What it says.
        opinion: &'a Opinion,
    },
    /// A request of a client was answered.
    Responded {
        /// What it wanted.
        request: &'a Request,
        /// What it got.
        response: &'a Response,
    },
}

/// What there is to remember in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Sentinels.
    pub sentinels: usize,
    /// Masters.
    pub masters: usize,
    /// Addresses that were ever a data node's.
    pub addresses: usize,
    /// Requests whose clients wait for an answer of this Sentinel.
    pub requests: usize,
}

/// Where and when something was seen.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Virtual time.
    pub at_ms: u64,
    /// Whose doing it is.
    pub sentinel: SentinelIndex,
    /// Its id.
    pub id: SentinelId,
    /// The rules that it keeps.
    pub rules: Rules,
    /// What its disk holds.
    pub disk: &'a DurableState,
    /// What its clients see.
    pub snapshot: Option<&'a Snapshot>,
}

/// An invariant does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at_ms: u64,
    /// Which.
    pub invariant: &'static str,
    /// What shows it.
    pub evidence: String,
}

/// Checks, hash, trace and counts of a run.
#[derive(Default)]
pub struct Witness {
    invariants: Vec<Box<dyn Invariant>>,
    /// Which of them bind Sentinels of these rules, asked once for each set of rules.
    binding: Vec<(Rules, Vec<usize>)>,
    violation: Option<Violation>,
    places: Places,
    hash: TraceHash,
    trace: Option<Trace>,
    writes: u64,
    idle: bool,
    recording: Option<Bounds>,
    traffic: Option<Traffic>,
}

impl Witness {
    /// Checks every invariant.
    #[must_use]
    pub fn strict() -> Self {
        Self { invariants: invariant::all(), ..Self::default() }
    }

    /// As [`Witness::strict`], and writes everything down.
    #[must_use]
    pub fn tracing() -> Self {
        Self { trace: Some(Trace::default()), ..Self::strict() }
    }

    /// Checks nothing.
    #[must_use]
    pub fn idle() -> Self {
        Self { idle: true, ..Self::default() }
    }

    /// Counts what Sentinels send and are told, and checks nothing.
    #[must_use]
    pub fn counting() -> Self {
        Self { traffic: Some(Traffic::default()), ..Self::default() }
    }

    /// What was counted so far.
    #[must_use]
    pub fn traffic(&self) -> Option<&Traffic> {
        self.traffic.as_ref()
    }

    /// The same, and a flight recorder runs in every Sentinel.
    #[must_use]
    pub fn with_recorders(self, bounds: Bounds) -> Self {
        Self { recording: Some(bounds), ..self }
    }

    pub(crate) fn recording(&self) -> Option<Bounds> {
        self.recording
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.idle
    }

    /// What was found to be wrong.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// The hash of everything that passed.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash.value()
    }

    /// Interesting places, and how often they were reached.
    #[must_use]
    pub fn places(&self) -> &BTreeMap<&'static str, u64> {
        self.places.reached()
    }

    /// Switches to a new epoch that were announced.
    #[must_use]
    pub fn failovers(&self) -> u64 {
        self.places.failovers()
    }

    /// Writes that were acknowledged.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// What was written down.
    #[must_use]
    pub fn trace(&self) -> Option<&Trace> {
        self.trace.as_ref()
    }

    pub(crate) fn see(
        &mut self,
        at_ms: u64,
        sentinel: SentinelIndex,
        host: &SentinelHost,
        seen: &Seen<'_>,
    ) {
        if self.idle {
            return;
        }
        if let Some(traffic) = &mut self.traffic {
            return traffic.count(sentinel, seen);
        }
        let disk = host.disk.image();
        let (id, rules, snapshot) = (host.id, host.rules, host.snapshot());
        let scene = Scene { at_ms, sentinel, id, rules, disk, snapshot };
        self.hash.note_seen(&scene, seen);
        if let Some(trace) = &mut self.trace {
            trace.note(&scene, seen);
        }
        self.places.see(&scene, seen);
        let known = self.binding.iter().position(|(of, _)| *of == rules);
        let known = known.unwrap_or_else(|| self.note_rules(rules));
        for place in &self.binding[known].1 {
            let invariant = &mut self.invariants[*place];
            if let Err(evidence) = invariant.see(&scene, seen)
                && self.violation.is_none()
            {
                let evidence = format!("Sentinel {}: {evidence}", sentinel.0);
                let invariant = invariant.name();
                self.violation = Some(Violation { at_ms, invariant, evidence });
            }
        }
    }

    /// Notes which invariants bind Sentinels of these rules.
    fn note_rules(&mut self, rules: Rules) -> usize {
        let all = self.invariants.iter().enumerate();
        let binding = all.filter(|(_, invariant)| invariant.binds(rules)).map(|(place, _)| place);
        self.binding.push((rules, binding.collect()));
        self.binding.len() - 1
    }

    pub(crate) fn accuse(&mut self, at_ms: u64, invariant: &'static str, evidence: String) {
        if !self.idle && self.violation.is_none() {
            self.violation = Some(Violation { at_ms, invariant, evidence });
        }
    }

    pub(crate) fn reach(&mut self, place: &'static str) {
        self.places.reach(place);
    }

    pub(crate) fn count_write(&mut self) {
        self.writes += 1;
    }

    pub(crate) fn note_arrival(&mut self, at_ms: u64, wire: u64, parcel: &Parcel) {
        self.hash.note_parcel(at_ms, wire, parcel);
    }

    pub(crate) fn note_phase(&mut self, at_ms: u64, text: String) {
        if let Some(trace) = &mut self.trace {
            trace.note_phase(at_ms, text);
        }
    }

    pub(crate) fn note_incident(&mut self, at_ms: u64, number: usize, fault: &Fault) {
        self.hash.note_number(number as u64);
        if let Some(trace) = &mut self.trace {
            trace.note_incident(at_ms, number, fault);
        }
    }
}
