//! Interesting places: a batch of seeds must really have been there. `sometimes` holds how often.

use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{Detail, Effect, Epoch, Event, EventKind, MasterName, Note, Part, Query, Rules};

use crate::address;
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Two leaders that soon after each other belong to one outage.
const ONE_OUTAGE_MS: u64 = 10_000;

/// What a run reached.
#[derive(Default)]
pub(crate) struct Places {
    reached: BTreeMap<&'static str, u64>,
    /// Configurations that were announced.
    switched: BTreeSet<(MasterName, Epoch)>,
    /// Sentinels that stand or lead, by group.
    standing: BTreeMap<(SentinelIndex, usize), bool>,
    /// The last leader of each group: who, when, and at which epoch.
    leaders: BTreeMap<usize, (SentinelIndex, u64, Epoch)>,
    /// A Sentinel at the reference's pace was seen.
    is_mixed: bool,
    /// Who was last told `SLAVEOF NO ONE` in a group, by whom.
    promoted: BTreeMap<usize, (String, SentinelIndex, u64)>,
}

impl Places {
    pub(crate) fn reached(&self) -> &BTreeMap<&'static str, u64> {
        &self.reached
    }

    pub(crate) fn failovers(&self) -> u64 {
        self.switched.len() as u64
    }

    pub(crate) fn reach(&mut self, place: &'static str) {
        *self.reached.entry(place).or_default() += 1;
    }

    pub(crate) fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) {
        match seen {
            Seen::Ordered(Effect::Send { query: Query::HandOver { .. }, .. }) => {
                self.reach("a master was told to hand over");
            }
            Seen::Ordered(Effect::Send { query: Query::RecallHandOver, .. }) => {
                self.reach("a master was told not to hand over");
            }
            Seen::Ordered(Effect::Publish(publication)) => {
                publication.events.iter().for_each(|event| self.hear_event(scene, event));
                if publication
                    .process
                    .as_ref()
                    .is_some_and(|process| process.counters.equal_epoch_conflicts > 0)
                {
                    self.reach("two addresses under one epoch");
                }
            }
            Seen::Ordered(Effect::Log(Note::FlappingAddress { .. })) => {
                self.reach("a Sentinel's address flapped");
            }
            Seen::Started(_) | Seen::Ended => {
                self.is_mixed |= scene.rules != Rules::ALL;
                self.standing.retain(|(who, _), _| *who != scene.sentinel);
            }
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => {}
        }
    }

    /// A replica was told `SLAVEOF NO ONE`.
    fn hear_promoting(&mut self, scene: &Scene<'_>, group: usize, part: &Part) {
        let Part::Replica { address, .. } = part else { return };
        let chosen = address.to_string();
        if let Some((before, by, at_ms)) = self.promoted.get(&group)
            && *before == chosen
            && *by != scene.sentinel
            && scene.at_ms - at_ms < ONE_OUTAGE_MS
        {
            self.reach("a replica was promoted twice");
        }
        self.promoted.insert(group, (chosen, scene.sentinel, scene.at_ms));
    }

    fn hear_event(&mut self, scene: &Scene<'_>, event: &Event) {
        if let Some((_, place)) = EVENTS.iter().find(|(kind, _)| *kind == event.kind) {
            self.reach(place);
        }
        if event.kind == EventKind::TiltEntered
            && self.standing.keys().any(|(who, _)| *who == scene.sentinel)
        {
            self.reach("TILT during a failover");
        }
        let Some(about) = &event.about else { return };
        let Some(group) = address::group_of(&about.address) else { return };
        if event.kind == EventKind::Replica
            && let Part::Replica { address, .. } = &about.part
            && address::is_moved_node(address)
        {
            self.reach("a moved replica was found");
        }
        let key = (scene.sentinel, group);
        if event.kind == EventKind::TryFailover {
            self.standing.insert(key, false);
        } else if event.kind == EventKind::ElectedLeader {
            self.hear_elected(scene, group, &about.master);
        } else if event.kind == EventKind::StateWaitPromotion {
            self.hear_promoting(scene, group, &about.part);
        } else if event.kind == EventKind::ConfigUpdateFrom {
            match self.standing.remove(&key) {
                Some(false) => self.reach("a configuration update ended a candidacy"),
                Some(true) => self.reach("a configuration update stood a leader down"),
                None => {}
            }
        } else if ABORTS.contains(&event.kind) {
            self.standing.remove(&key);
        } else if event.kind == EventKind::SwitchMaster {
            self.standing.remove(&key);
            self.leaders.remove(&group);
            self.promoted.remove(&group);
            if let Detail::Switch { to, .. } = &event.detail
                && address::is_moved_node(to)
            {
                self.reach("a moved replica was promoted");
            }
            if let Some(view) = scene.snapshot.and_then(|s| s.master(&about.master)) {
                self.switched.insert((about.master.clone(), view.config_epoch));
            }
        }
    }

    fn hear_elected(&mut self, scene: &Scene<'_>, group: usize, master: &MasterName) {
        self.standing.insert((scene.sentinel, group), true);
        if scene.rules != Rules::ALL {
            self.reach("a Sentinel at the reference's pace was elected");
        } else if self.is_mixed {
            self.reach("one of ours was elected in a mixed group");
        }
        let record = scene.disk.masters.iter().find(|record| record.name == *master);
        let epoch = record.and_then(|record| record.leader_epoch).unwrap_or_default();
        if let Some((before, at_ms, earlier)) = self.leaders.get(&group)
            && *before != scene.sentinel
            && scene.at_ms - at_ms < ONE_OUTAGE_MS
            && earlier.next() == Some(epoch)
        {
            self.reach("two leaders in consecutive epochs");
        }
        self.leaders.insert(group, (scene.sentinel, scene.at_ms, epoch));
        let view = scene.snapshot.and_then(|snapshot| snapshot.master(master));
        let failover = view.and_then(|view| view.failover);
        if failover.is_some_and(|failover| failover.forced) {
            self.reach("a forced failover went on");
        }
        if failover.is_some_and(|failover| failover.coordinated) {
            self.reach("a coordinated failover was elected");
        }
    }
}

/// Events that are places by themselves.
const EVENTS: &[(EventKind, &str)] = &[
    (EventKind::AbortNotElected, "an election was lost"),
    (EventKind::AbortNoGoodReplica, "no good replica"),
    (EventKind::AbortReplicaTimeout, "a promotion timed out"),
    (EventKind::AbortMasterIsBack, "the master came back"),
    (EventKind::ConvertToReplica, "a stray master was demoted"),
    (EventKind::FixReplicaConfig, "a misled replica was redirected"),
    (EventKind::ReplicaReconfSentTimeout, "a repointing timed out"),
    (EventKind::FailoverEndForTimeout, "a failover ended for timeout"),
    (EventKind::Reboot, "a reboot was noticed"),
    (EventKind::TiltEntered, "TILT"),
    (EventKind::OdownLeft, "ODOWN ended"),
    (EventKind::ResetMaster, "a master was reset"),
    (EventKind::Unmonitor, "a master was removed"),
    (EventKind::SwitchMaster, "a switch"),
    (EventKind::SentinelAddressSwitch, "a Sentinel moved"),
];

/// The ways a candidacy or a failover ends without a switch.
const ABORTS: &[EventKind] = &[
    EventKind::AbortNotElected,
    EventKind::AbortNoGoodReplica,
    EventKind::AbortReplicaTimeout,
    EventKind::AbortMasterIsBack,
];
