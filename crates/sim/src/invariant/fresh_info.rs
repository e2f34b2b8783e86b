use std::collections::BTreeMap;

use vedette_core::{Answer, ConnId, Effect, InfoAnswer, Input, Query, ReplicationTarget, Role};

use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

const FRESH_MS: u64 = 1_000;

/// `SLAVEOF` leaves only on a connection on which an INFO was answered within the last second, and
/// `SLAVEOF NO ONE` only to a node that said there that it is a replica that may be promoted (rules
/// L4, L5).
#[derive(Default)]
pub(super) struct FreshInfo {
    heard: BTreeMap<(SentinelIndex, ConnId), Word>,
}

/// What a node last said, and when.
#[derive(Clone, Copy, Debug)]
struct Word {
    at_ms: u64,
    role: Role,
    priority: u32,
}

impl FreshInfo {
    fn order(
        &self,
        (who, conn): (SentinelIndex, ConnId),
        target: &ReplicationTarget,
        at_ms: u64,
    ) -> Result<(), String> {
        let heard = self.heard.get(&(who, conn));
        let Some(word) = heard.filter(|word| at_ms - word.at_ms <= FRESH_MS) else {
            return Err(format!("SLAVEOF {target:?} on {conn:?}, whose last INFO was {heard:?}"));
        };
        let fit = word.role == Role::Replica && word.priority > 0;
        hold(*target != ReplicationTarget::NoOne || fit, || {
            format!("SLAVEOF NO ONE on {conn:?}, to {word:?}")
        })
    }
}

impl Invariant for FreshInfo {
    fn name(&self) -> &'static str {
        "SLAVEOF only on fresh evidence"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        match seen {
            Seen::Took(Input::Answered {
                conn,
                answer: Answer::Info(InfoAnswer::Report(info)),
            }) => {
                let priority = info.priority.unwrap_or(100);
                let word = Word { at_ms: scene.at_ms, role: info.role, priority };
                self.heard.insert((who, *conn), word);
                Ok(())
            }
            Seen::Ordered(Effect::Send { conn, query: Query::Replicate { target, .. } }) => {
                self.order((who, *conn), target, scene.at_ms)
            }
            Seen::Started(_) | Seen::Ended => {
                self.heard.retain(|(owner, _), _| *owner != who);
                Ok(())
            }
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_on_stale_info_is_found() {
        let mut check = FreshInfo::default();
        let key = (SentinelIndex(0), ConnId(1));
        let word = |role, priority| Word { at_ms: 100, role, priority };
        assert!(check.order(key, &ReplicationTarget::NoOne, 0).is_err());
        check.heard.insert(key, word(Role::Replica, 100));
        assert!(check.order(key, &ReplicationTarget::NoOne, 1_100).is_ok());
        assert!(check.order(key, &ReplicationTarget::NoOne, 1_101).is_err());
        for unfit in [word(Role::Master, 100), word(Role::Replica, 0)] {
            check.heard.insert(key, unfit);
            assert!(check.order(key, &ReplicationTarget::NoOne, 100).is_err());
        }
    }
}
