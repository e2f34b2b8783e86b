//! What happens next: one queue for everything, ordered by time, then by rank, then by arrival.

use std::collections::{BTreeMap, VecDeque};

use vedette_core::{Generation, JobId, ScriptEnd};

use crate::network::{End, Parcel, WireId};
use crate::node_host::NodeIndex;
use crate::sentinel_host::SentinelIndex;
use crate::world::{AppIndex, Repair};

/// Something that is going to happen.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// Something comes out of the network.
    Arrives { wire: WireId, at: End, parcel: Parcel },
    /// A save of this life of a Sentinel ends.
    SaveEnds { sentinel: SentinelIndex, life: u64, generation: Generation },
    /// A script of this life of a Sentinel ends.
    ScriptEnds { sentinel: SentinelIndex, life: u64, job: JobId, end: ScriptEnd },
    /// A Sentinel's deadline.
    SentinelDeadline { sentinel: SentinelIndex, life: u64 },
    /// A node's deadline.
    NodeDeadline { node: NodeIndex },
    /// A client's deadline; its number tells whether it is still wanted.
    AppDeadline { app: AppIndex, alarm: u64 },
    /// The n-th incident of the plan.
    Incident(usize),
    /// The end of a fault.
    Repair(Repair),
}

/// Milliseconds that are kept apart from each other; almost everything happens within them.
const NEAR_MS: u64 = 1 << 11;
/// See [`Happening::rank`].
const RANKS: usize = 4;

/// The queue: a ring of the next milliseconds, and a map of what is further away.
#[derive(Debug)]
pub(crate) struct Agenda {
    ring: Vec<[VecDeque<Happening>; RANKS]>,
    /// The first millisecond of the ring: nothing happens before it any more.
    from_ms: u64,
    near: usize,
    far: BTreeMap<u64, Vec<Happening>>,
}

impl Default for Agenda {
    fn default() -> Self {
        let ring = (0..NEAR_MS).map(|_| Default::default()).collect();
        Self { ring, from_ms: 0, near: 0, far: BTreeMap::new() }
    }
}

impl Happening {
    /// What is readable is read before a timer fires (rule E3).
    fn rank(&self) -> usize {
        match self {
            Self::Incident(_) | Self::Repair(_) => 0,
            Self::Arrives { .. } | Self::SaveEnds { .. } | Self::ScriptEnds { .. } => 1,
            Self::NodeDeadline { .. } | Self::AppDeadline { .. } => 2,
            Self::SentinelDeadline { .. } => 3,
        }
    }
}

impl Agenda {
    pub(crate) fn add(&mut self, at_ms: u64, happening: Happening) {
        let at_ms = at_ms.max(self.from_ms);
        if at_ms >= self.from_ms + NEAR_MS {
            return self.far.entry(at_ms).or_default().push(happening);
        }
        self.near += 1;
        let rank = happening.rank();
        self.ring[slot(at_ms)][rank].push_back(happening);
    }

    /// The next thing, if it happens before or at `until_ms`.
    pub(crate) fn take(&mut self, until_ms: u64) -> Option<(u64, Happening)> {
        while self.from_ms <= until_ms {
            let ranks = &mut self.ring[slot(self.from_ms)];
            if let Some(happening) = ranks.iter_mut().find_map(VecDeque::pop_front) {
                self.near -= 1;
                return Some((self.from_ms, happening));
            }
            if self.from_ms == until_ms {
                return None;
            }
            let quiet = self.near == 0 && self.far.keys().next().is_none_or(|at| *at > until_ms);
            self.advance(if quiet { until_ms } else { self.from_ms + 1 });
        }
        None
    }

    /// What arrives at this very moment and was not taken yet.
    pub(crate) fn arriving(&self) -> impl Iterator<Item = (WireId, End)> {
        let ranks = &self.ring[slot(self.from_ms)];
        ranks.iter().flatten().filter_map(|happening| match happening {
            Happening::Arrives { wire, at, .. } => Some((*wire, *at)),
            Happening::SaveEnds { .. }
            | Happening::ScriptEnds { .. }
            | Happening::SentinelDeadline { .. }
            | Happening::NodeDeadline { .. }
            | Happening::AppDeadline { .. }
            | Happening::Incident(_)
            | Happening::Repair(_) => None,
        })
    }

    /// Time passes; what was far away comes near, before anything is added beside it.
    fn advance(&mut self, from_ms: u64) {
        self.from_ms = from_ms;
        while let Some(entry) = self.far.first_entry()
            && *entry.key() < from_ms + NEAR_MS
        {
            let (at_ms, happenings) = entry.remove_entry();
            happenings.into_iter().for_each(|happening| self.add(at_ms, happening));
        }
    }
}

fn slot(at_ms: u64) -> usize {
    usize::try_from(at_ms % NEAR_MS).unwrap_or(0)
}
