//! What happens next: one queue for everything, ordered by time and then by arrival.

use std::collections::BTreeMap;

use bytes::Bytes;
use vedette_core::Generation;

use crate::network::{End, WireId};
use crate::node_host::NodeIndex;
use crate::sentinel_host::SentinelIndex;

/// Something that is going to happen.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// A connection attempt arrives at its target.
    ConnectArrives { wire: WireId },
    /// The answer to it arrives.
    ConnectAnswered { wire: WireId, accepted: bool },
    /// Bytes arrive.
    BytesArrive { wire: WireId, at: End, bytes: Bytes },
    /// The other side's closing arrives.
    CloseArrives { wire: WireId, at: End },
    /// A save ends.
    SaveEnds { sentinel: SentinelIndex, generation: Generation },
    /// A Sentinel's deadline.
    SentinelDeadline { sentinel: SentinelIndex },
    /// A node's deadline.
    NodeDeadline { node: NodeIndex },
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    entries: BTreeMap<(u64, u64), Happening>,
    sequence: u64,
}

impl Agenda {
    pub(crate) fn add(&mut self, at_ms: u64, happening: Happening) {
        self.sequence += 1;
        self.entries.insert((at_ms, self.sequence), happening);
    }

    /// The next thing, if it happens before or at `until_ms`.
    pub(crate) fn take(&mut self, until_ms: u64) -> Option<(u64, Happening)> {
        let key = *self.entries.first_key_value()?.0;
        (key.0 <= until_ms).then_some(())?;
        self.entries.remove(&key).map(|happening| (key.0, happening))
    }
}
