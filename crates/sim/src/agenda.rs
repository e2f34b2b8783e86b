//! What happens next: one queue for everything, ordered by time, then by rank, then by arrival.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use vedette_core::Generation;

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

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    entries: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
}

#[derive(Debug)]
struct Entry {
    at_ms: u64,
    rank: u8,
    sequence: u64,
    happening: Happening,
}

impl Entry {
    fn key(&self) -> (u64, u8, u64) {
        (self.at_ms, self.rank, self.sequence)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl Happening {
    /// What is readable is read before a timer fires (rule E3).
    fn rank(&self) -> u8 {
        match self {
            Self::Incident(_) | Self::Repair(_) => 0,
            Self::Arrives { .. } | Self::SaveEnds { .. } => 1,
            Self::NodeDeadline { .. } | Self::AppDeadline { .. } => 2,
            Self::SentinelDeadline { .. } => 3,
        }
    }
}

impl Agenda {
    pub(crate) fn add(&mut self, at_ms: u64, happening: Happening) {
        self.sequence += 1;
        let (rank, sequence) = (happening.rank(), self.sequence);
        self.entries.push(Reverse(Entry { at_ms, rank, sequence, happening }));
    }

    /// The next thing, if it happens before or at `until_ms`.
    pub(crate) fn take(&mut self, until_ms: u64) -> Option<(u64, Happening)> {
        if self.entries.peek()?.0.at_ms > until_ms {
            return None;
        }
        self.entries.pop().map(|Reverse(entry)| (entry.at_ms, entry.happening))
    }
}
