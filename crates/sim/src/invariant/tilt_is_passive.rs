use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{
    Effect, Endpoint, Epoch, Event, EventKind, MasterId, MasterName, MasterView, Query,
};

use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// In TILT a Sentinel changes no verdict, asks nothing, promotes and repairs nothing (rule E4).
/// What was decided before may still be told: events wait for votes that are being saved.
#[derive(Default)]
pub(super) struct TiltIsPassive {
    tilted: BTreeSet<SentinelIndex>,
    /// Sent in a turn that began in TILT. Its events come last: they may tell that TILT had ended.
    suspects: BTreeMap<SentinelIndex, String>,
    verdicts: BTreeMap<(SentinelIndex, MasterName), Verdicts>,
}

/// Who is down, under which configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdicts {
    /// After REMOVE and MONITOR it is another.
    master: MasterId,
    config_epoch: Epoch,
    odown: bool,
    /// Few: they are searched, not indexed.
    down: Vec<(Endpoint, bool)>,
}

impl Verdicts {
    fn of(view: &MasterView) -> Self {
        let replicas = view.replicas.iter().map(|replica| &replica.node);
        let nodes = replicas.chain([&view.node]);
        let down = nodes.map(|node| (node.address.clone(), node.sdown_since.is_some()));
        let odown = view.odown_since.is_some();
        Self { master: view.id, config_epoch: view.config_epoch, odown, down: down.collect() }
    }

    /// A switch forgets verdicts, and so do REMOVE with MONITOR, and a reset, after which nodes are
    /// missing; new nodes have none yet.
    fn differ(&self, later: &Self) -> bool {
        let same = self.master == later.master && self.config_epoch == later.config_epoch;
        if self == later || !same {
            return false;
        }
        let later_of = |node: &Endpoint| {
            let found = later.down.iter().find(|(other, _)| other == node);
            found.map(|(_, down)| *down)
        };
        let changed = |(node, down): &(Endpoint, bool)| later_of(node).is_some_and(|l| l != *down);
        let reset = self.down.iter().any(|(node, _)| later_of(node).is_none());
        !reset && (self.odown != later.odown || self.down.iter().any(changed))
    }
}

impl TiltIsPassive {
    fn hear_event(&mut self, who: SentinelIndex, event: &Event) {
        if event.kind == EventKind::TiltEntered {
            self.tilted.insert(who);
        } else if event.kind == EventKind::TiltLeft {
            self.tilted.remove(&who);
            self.suspects.remove(&who);
        }
    }

    fn look(&mut self, who: SentinelIndex, passive: bool, view: &MasterView) -> Result<(), String> {
        let later = Verdicts::of(view);
        let known = self.verdicts.entry((who, view.name.clone())).or_insert_with(|| later.clone());
        let before = std::mem::replace(known, later);
        hold(!passive || !before.differ(known), || {
            format!("verdicts of {} change in TILT from {before:?} to {known:?}", view.name)
        })
    }

    fn send(&mut self, who: SentinelIndex, query: &Query) {
        let active = matches!(
            query,
            Query::AskDown { .. } | Query::Replicate { .. } | Query::HandOver { .. }
        );
        if active && self.tilted.contains(&who) {
            self.suspects.insert(who, format!("sends {query:?} in TILT"));
        }
    }

    fn begin_turn(&mut self, who: SentinelIndex) -> Result<(), String> {
        self.suspects.remove(&who).map_or(Ok(()), Err)
    }
}

impl Invariant for TiltIsPassive {
    fn name(&self) -> &'static str {
        "TILT is passive"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        match seen {
            Seen::Ordered(Effect::Publish(publication)) => {
                let before = self.tilted.contains(&who);
                publication.events.iter().for_each(|event| self.hear_event(who, event));
                let resets = publication.events.iter().filter(|e| e.kind == EventKind::ResetMaster);
                for about in resets.filter_map(|event| event.about.as_ref()) {
                    self.verdicts.remove(&(who, about.master.clone()));
                }
                let passive = before && self.tilted.contains(&who);
                publication.masters.iter().try_for_each(|view| self.look(who, passive, view))
            }
            Seen::Ordered(Effect::Send { query, .. }) => {
                self.send(who, query);
                Ok(())
            }
            Seen::Took(_) => self.begin_turn(who),
            Seen::Started(_) | Seen::Ended => {
                self.tilted.remove(&who);
                self.suspects.remove(&who);
                self.verdicts.retain(|(of, _), _| *of != who);
                Ok(())
            }
            Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use vedette_core::{ConnId, Detail, Input};

    use super::*;
    use crate::invariant::samples;

    fn verdicts(epoch: u64, down: bool) -> Verdicts {
        let config_epoch = Epoch::new(epoch).unwrap_or_default();
        let down = vec![(Endpoint::new("10.1.0.1", 6379), down)];
        Verdicts { master: MasterId(1), config_epoch, odown: false, down }
    }

    #[test]
    fn a_changed_verdict_is_a_difference_and_a_switch_is_none() {
        assert!(!verdicts(1, true).differ(&verdicts(1, true)));
        assert!(verdicts(1, true).differ(&verdicts(1, false)));
        assert!(!verdicts(1, true).differ(&verdicts(2, false)));
        let monitored_anew = Verdicts { master: MasterId(2), ..verdicts(1, false) };
        assert!(!verdicts(1, true).differ(&monitored_anew));
    }

    #[test]
    fn a_question_in_tilt_is_found() {
        let mut check = TiltIsPassive::default();
        let disk = samples::disk(1);
        let (sentinel, id) = (SentinelIndex(0), disk.my_id);
        let scene = Scene {
            at_ms: 0,
            sentinel,
            id,
            rules: vedette_core::Rules::ALL,
            disk: &disk,
            snapshot: None,
        };
        let address = Endpoint::new("10.1.0.1", 6379);
        let query = Query::AskDown { address, epoch: Epoch::ZERO, vote_for: None };
        let asks = Effect::Send { conn: ConnId(1), query };
        let event = |kind| Event { kind, about: None, detail: Detail::None };
        let turn = Input::DeadlineReached;
        check.hear_event(sentinel, &event(EventKind::TiltEntered));
        assert!(check.see(&scene, &Seen::Ordered(&asks)).is_ok());
        assert!(check.see(&scene, &Seen::Took(&turn)).is_err());
        assert!(check.see(&scene, &Seen::Ordered(&asks)).is_ok());
        check.hear_event(sentinel, &event(EventKind::TiltLeft));
        assert!(check.see(&scene, &Seen::Took(&turn)).is_ok());
    }
}
