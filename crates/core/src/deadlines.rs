//! Ordered queues of due moments: a quiet moment costs nothing, however much is watched.

use alloc::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ident::{MasterId, SentinelId};
use crate::time::Time;

/// The next due moments of everybody who has one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deadlines {
    pub(crate) groups: Queue<MasterId>,
    pub(crate) peers: Queue<SentinelId>,
}

impl Deadlines {
    pub(crate) fn len(&self) -> usize {
        self.groups.due.len() + self.peers.due.len()
    }

    pub(crate) fn first(&self) -> Option<Time> {
        self.groups.first().into_iter().chain(self.peers.first()).min()
    }
}

/// Who wants to be looked at when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "K: Ord + Serialize", deserialize = "K: Ord + Deserialize<'de>"))]
pub(crate) struct Queue<K> {
    due: BTreeSet<(Time, K)>,
    #[serde(with = "as_pairs")]
    moments: BTreeMap<K, Time>,
}

impl<K> Default for Queue<K> {
    fn default() -> Self {
        Self { due: BTreeSet::new(), moments: BTreeMap::new() }
    }
}

impl<K: Copy + Ord> Queue<K> {
    pub(crate) fn set(&mut self, key: K, at: Option<Time>) {
        let before = match at {
            Some(at) => self.moments.insert(key, at),
            None => self.moments.remove(&key),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.due.remove(&(before, key));
        }
        if let Some(at) = at {
            self.due.insert((at, key));
        }
    }

    /// Unless it wants to be looked at before that anyway.
    pub(crate) fn set_earlier(&mut self, key: K, at: Time) {
        if self.moments.get(&key).is_none_or(|before| *before > at) {
            self.set(key, Some(at));
        }
    }

    /// Everybody whose moment has come; each sets a new one when it was looked at.
    pub(crate) fn due(&self, now: Time) -> impl Iterator<Item = K> {
        let first = self.due.iter().take_while(move |(at, _)| *at <= now);
        first.map(|(_, key)| *key)
    }

    fn first(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }
}

/// Maps with keys that are no strings travel as lists of pairs.
mod as_pairs {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Time;

    pub(super) fn serialize<K: Serialize, S: Serializer>(
        map: &BTreeMap<K, Time>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, K: Ord + Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<K, Time>, D::Error> {
        Vec::<(K, Time)>::deserialize(deserializer).map(|pairs| pairs.into_iter().collect())
    }
}
