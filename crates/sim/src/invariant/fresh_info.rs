use std::collections::BTreeMap;

use vedette_core::{Answer, ConnId, Effect, InfoAnswer, Input, Query, ReplicationTarget, Role};

use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

const FRESH_MS: u64 = 1_000;

/// `SLAVEOF` leaves only on a connection on which an INFO was answered within the last second, and
/// `SLAVEOF NO ONE` only to a node that said there that it is a replica (rule L5).
#[derive(Default)]
pub(super) struct FreshInfo {
    heard: BTreeMap<(SentinelIndex, ConnId), (u64, Role)>,
}

impl FreshInfo {
    fn order(
        &self,
        (who, conn): (SentinelIndex, ConnId),
        target: &ReplicationTarget,
        at_ms: u64,
    ) -> Result<(), String> {
        let heard = self.heard.get(&(who, conn));
        let fresh = heard.filter(|(at, _)| at_ms - at <= FRESH_MS);
        hold(fresh.is_some(), || {
            format!("SLAVEOF {target:?} on {conn:?}, whose last INFO was {heard:?}")
        })?;
        let promotes = *target == ReplicationTarget::NoOne;
        hold(!promotes || fresh.is_some_and(|(_, role)| *role == Role::Replica), || {
            format!("SLAVEOF NO ONE on {conn:?} to a master")
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
                self.heard.insert((who, *conn), (scene.at_ms, info.role));
                Ok(())
            }
            Seen::Took(Input::Disconnected { conn }) | Seen::Ordered(Effect::Close { conn }) => {
                self.heard.remove(&(who, *conn));
                Ok(())
            }
            Seen::Ordered(Effect::Send { conn, query: Query::Replicate { target, .. } }) => {
                self.order((who, *conn), target, scene.at_ms)
            }
            Seen::Started(_) | Seen::Ended => {
                self.heard.retain(|(owner, _), _| *owner != who);
                Ok(())
            }
            Seen::Took(_) | Seen::Ordered(_) | Seen::Heard { .. } | Seen::Responded { .. } => {
                Ok(())
            }
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
        assert!(check.order(key, &ReplicationTarget::NoOne, 0).is_err());
        check.heard.insert(key, (100, Role::Replica));
        assert!(check.order(key, &ReplicationTarget::NoOne, 1_100).is_ok());
        assert!(check.order(key, &ReplicationTarget::NoOne, 1_101).is_err());
        check.heard.insert(key, (100, Role::Master));
        assert!(check.order(key, &ReplicationTarget::NoOne, 100).is_err());
    }
}
