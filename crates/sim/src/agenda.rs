//! What happens next: one queue for everything, ordered by time, then by rank, then by arrival.

use std::collections::BTreeMap;

use slab::Slab;
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

/// The queue: a ring of the next milliseconds, and a map of what is further away. What is near lies
/// in one slab, where what was taken makes room for what is added: little memory, often used.
#[derive(Debug)]
pub(crate) struct Agenda {
    ring: Vec<[Option<Line>; RANKS]>,
    entries: Slab<Entry>,
    /// The first millisecond of the ring: nothing happens before it any more.
    from_ms: u64,
    far: BTreeMap<u64, Vec<Happening>>,
}

/// What happens at one millisecond with one rank: its first and last entry.
#[derive(Clone, Copy, Debug)]
struct Line {
    first: usize,
    last: usize,
}

#[derive(Debug)]
struct Entry {
    happening: Happening,
    next: Option<usize>,
}

impl Default for Agenda {
    fn default() -> Self {
        let ring = (0..NEAR_MS).map(|_| Default::default()).collect();
        Self { ring, entries: Slab::new(), from_ms: 0, far: BTreeMap::new() }
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
        let line = &mut self.ring[slot(at_ms)][happening.rank()];
        let last = self.entries.insert(Entry { happening, next: None });
        if let Some(line) = line {
            self.entries[line.last].next = Some(last);
            line.last = last;
        } else {
            *line = Some(Line { first: last, last });
        }
    }

    /// The next thing, if it happens before or at `until_ms`.
    pub(crate) fn take(&mut self, until_ms: u64) -> Option<(u64, Happening)> {
        while self.from_ms <= until_ms {
            let lines = &mut self.ring[slot(self.from_ms)];
            if let Some(line) = lines.iter_mut().find(|line| line.is_some()) {
                return take_first(&mut self.entries, line).map(|taken| (self.from_ms, taken));
            }
            if self.from_ms == until_ms {
                return None;
            }
            let quiet =
                self.entries.is_empty() && self.far.keys().next().is_none_or(|at| *at > until_ms);
            self.advance(if quiet { until_ms } else { self.from_ms + 1 });
        }
        None
    }

    /// What arrives at this very moment and was not taken yet.
    pub(crate) fn arriving(&self) -> impl Iterator<Item = (WireId, End)> {
        let first = |line: &Line| &self.entries[line.first];
        let next = |entry: &&Entry| entry.next.map(|next| &self.entries[next]);
        let lines = self.ring[slot(self.from_ms)].iter().flatten();
        let entries = lines.flat_map(move |line| std::iter::successors(Some(first(line)), next));
        entries.filter_map(|entry| match &entry.happening {
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

/// The first of a line, which is over when that was also its last.
fn take_first(entries: &mut Slab<Entry>, line: &mut Option<Line>) -> Option<Happening> {
    let Line { first, last } = (*line)?;
    let Entry { happening, next } = entries.remove(first);
    *line = next.map(|first| Line { first, last });
    Some(happening)
}

fn slot(at_ms: u64) -> usize {
    usize::try_from(at_ms % NEAR_MS).unwrap_or(0)
}
