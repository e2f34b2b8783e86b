//! One ordered queue of due moments: a quiet moment costs nothing, however much is watched.

use alloc::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ident::{MasterId, SentinelId};
use crate::time::Time;

/// Who wants to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Key {
    Group(MasterId),
    Peer(SentinelId),
}

/// The next due moment of everybody who has one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deadlines {
    queue: BTreeSet<(Time, Key)>,
    #[serde(with = "as_pairs")]
    moments: BTreeMap<Key, Time>,
}

impl Deadlines {
    pub(crate) fn set(&mut self, key: Key, at: Option<Time>) {
        let before = match at {
            Some(at) => self.moments.insert(key, at),
            None => self.moments.remove(&key),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.queue.remove(&(before, key));
        }
        if let Some(at) = at {
            self.queue.insert((at, key));
        }
    }

    /// Unless it wants to be looked at before that anyway.
    pub(crate) fn set_earlier(&mut self, key: Key, at: Time) {
        if self.moments.get(&key).is_none_or(|before| *before > at) {
            self.set(key, Some(at));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn first(&self) -> Option<Time> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Everybody whose moment has come; each sets a new one when it was looked at.
    pub(crate) fn due(&self, now: Time) -> impl Iterator<Item = &Key> {
        let first = self.queue.iter().take_while(move |(at, _)| *at <= now);
        first.map(|(_, key)| key)
    }
}

/// Maps with keys that are no strings travel as lists of pairs.
mod as_pairs {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Key, Time};

    pub(super) fn serialize<S: Serializer>(
        map: &BTreeMap<Key, Time>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Key, Time>, D::Error> {
        Vec::<(Key, Time)>::deserialize(deserializer).map(|pairs| pairs.into_iter().collect())
    }
}
