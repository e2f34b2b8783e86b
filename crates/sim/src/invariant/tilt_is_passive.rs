use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{Effect, Event, EventKind, Query};

use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// In TILT a Sentinel changes no verdict, asks nothing, stands for nothing, promotes and repairs
/// nothing (rule E4).
#[derive(Default)]
pub(super) struct TiltIsPassive {
    tilted: BTreeSet<SentinelIndex>,
    /// Sent in a turn that began in TILT. Its events come last: they may tell that TILT had ended.
    suspects: BTreeMap<SentinelIndex, String>,
}

impl TiltIsPassive {
    fn hear_event(&mut self, who: SentinelIndex, event: &Event) -> Result<(), String> {
        match event.kind {
            EventKind::TiltEntered => {
                self.tilted.insert(who);
                Ok(())
            }
            EventKind::TiltLeft => {
                self.tilted.remove(&who);
                self.suspects.remove(&who);
                Ok(())
            }
            kind if is_active(kind) => {
                hold(!self.tilted.contains(&who), || format!("{kind:?} in TILT: {:?}", event.about))
            }
            _ => Ok(()),
        }
    }

    fn send(&mut self, who: SentinelIndex, query: &Query) {
        let active = matches!(query, Query::AskDown { .. } | Query::Replicate { .. });
        if active && self.tilted.contains(&who) {
            self.suspects.insert(who, format!("sends {query:?} in TILT"));
        }
    }

    fn begin_turn(&mut self, who: SentinelIndex) -> Result<(), String> {
        self.suspects.remove(&who).map_or(Ok(()), Err)
    }
}

/// What is a decision of the Sentinel's own.
fn is_active(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::SdownEntered
            | EventKind::SdownLeft
            | EventKind::OdownEntered
            | EventKind::ElectedLeader
            | EventKind::StateSelectReplica
            | EventKind::SelectedReplica
            | EventKind::StateWaitPromotion
            | EventKind::ConvertToReplica
            | EventKind::FixReplicaConfig
            | EventKind::ReplicaReconfSent
    )
}

impl Invariant for TiltIsPassive {
    fn name(&self) -> &'static str {
        "TILT is passive"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Ordered(Effect::Publish(publication)) => {
                publication.events.iter().try_for_each(|e| self.hear_event(scene.sentinel, e))
            }
            Seen::Ordered(Effect::Send { query, .. }) => {
                self.send(scene.sentinel, query);
                Ok(())
            }
            Seen::Took(_) => self.begin_turn(scene.sentinel),
            Seen::Started(_) | Seen::Ended => {
                self.tilted.remove(&scene.sentinel);
                self.suspects.remove(&scene.sentinel);
                Ok(())
            }
            Seen::Ordered(_) | Seen::Heard { .. } | Seen::Responded { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use vedette_core::Detail;

    use super::*;

    #[test]
    fn a_verdict_in_tilt_is_found() {
        let mut check = TiltIsPassive::default();
        let who = SentinelIndex(0);
        let event = |kind| Event { kind, about: None, detail: Detail::None };
        let mut hear = |kind| check.hear_event(who, &event(kind));
        assert!(hear(EventKind::SdownEntered).is_ok());
        assert!(hear(EventKind::TiltEntered).is_ok());
        assert!(hear(EventKind::VoteForLeader).is_ok());
        assert!(hear(EventKind::SdownEntered).is_err());
        assert!(hear(EventKind::TiltLeft).is_ok());
        assert!(hear(EventKind::SdownEntered).is_ok());
    }
}
