//! Who is elected, and by how many votes that it heard: what several checks need.

use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{Effect, Epoch, Event, EventKind, MasterName};

use super::{saved, shown};
use crate::address;
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Somebody who was elected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Elected {
    pub(super) who: SentinelIndex,
    pub(super) voters: BTreeSet<String>,
    pub(super) quorum: u32,
    /// Who voted for it, itself included.
    pub(super) votes: BTreeSet<SentinelIndex>,
    pub(super) forced: bool,
    /// Members of the group as whoever knew most of them counted, itself included.
    pub(super) group: usize,
}

impl Elected {
    pub(super) fn needed(&self) -> usize {
        (self.voters.len() / 2 + 1).max(usize::try_from(self.quorum).unwrap_or(usize::MAX))
    }

    pub(super) fn has_votes(&self) -> bool {
        self.votes.len() >= self.needed()
    }

    /// Whether a majority of all that ever belonged to the group voted for it. An operator's order
    /// does not wait until the list of members is whole (rule C1).
    pub(super) fn has_majority(&self) -> bool {
        self.has_votes() && self.votes.len() > self.group / 2
    }

    /// Whether both could win because Sentinels at the reference's pace voted twice: nobody else
    /// voted for both.
    pub(super) fn won_by_double_votes(&self, other: &Self, old: &BTreeSet<SentinelIndex>) -> bool {
        let mut both = self.votes.intersection(&other.votes);
        !old.is_empty() && both.all(|voter| old.contains(voter))
    }
}

/// Votes and elections as they are seen.
#[derive(Default)]
pub(super) struct Elections {
    /// Votes heard: by candidate, group and epoch.
    votes: BTreeMap<(SentinelIndex, usize, Epoch), BTreeSet<SentinelIndex>>,
    /// Masters whose failover the picture before showed as forced: it may be elected and end in one
    /// turn.
    forced: BTreeSet<(SentinelIndex, MasterName)>,
    /// The longest list of members that anybody had, itself included.
    members: BTreeMap<MasterName, usize>,
}

impl Elections {
    /// Those who are elected by this, with master and epoch.
    pub(super) fn see(
        &mut self,
        scene: &Scene<'_>,
        seen: &Seen<'_>,
    ) -> Vec<(MasterName, Epoch, Elected)> {
        match seen {
            Seen::Heard { by, question, opinion } => {
                if let Some(group) = address::group_of(&question.address)
                    && question.vote_for == Some(scene.id)
                    && opinion.leader == Some(scene.id)
                    && opinion.leader_epoch == question.epoch
                {
                    let key = (scene.sentinel, group, question.epoch);
                    self.votes.entry(key).or_default().insert(*by);
                }
                Vec::new()
            }
            Seen::Ordered(Effect::Publish(publication)) => {
                let events = publication.events.iter();
                let elected = events.filter_map(|event| self.hear_event(scene, event)).collect();
                for view in &publication.masters {
                    let most = self.members.entry(view.name.clone()).or_default();
                    *most = (*most).max(view.sentinels.len() + 1);
                    let key = (scene.sentinel, view.name.clone());
                    if view.failover.is_some_and(|failover| failover.forced) {
                        self.forced.insert(key);
                    } else {
                        self.forced.remove(&key);
                    }
                }
                elected
            }
            Seen::Started(_) | Seen::Ended => {
                self.forced.retain(|(who, _)| *who != scene.sentinel);
                Vec::new()
            }
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Responded { .. } => Vec::new(),
        }
    }

    fn hear_event(&self, scene: &Scene<'_>, event: &Event) -> Option<(MasterName, Epoch, Elected)> {
        let about = event.about.as_ref().filter(|_| event.kind == EventKind::ElectedLeader)?;
        let group = address::group_of(&about.address)?;
        let (view, record) = (shown(scene, &about.master)?, saved(scene.disk, &about.master)?);
        let epoch = record.leader_epoch.unwrap_or_default();
        let mut votes =
            self.votes.get(&(scene.sentinel, group, epoch)).cloned().unwrap_or_default();
        votes.insert(scene.sentinel);
        let mut voters: BTreeSet<String> =
            view.sentinels.iter().map(|member| member.id.to_string()).collect();
        voters.insert(scene.id.to_string());
        let before = (scene.sentinel, about.master.clone());
        let forced = view.failover.map_or(self.forced.contains(&before), |now| now.forced);
        let quorum = view.settings.quorum;
        let group = self.members.get(&about.master).map_or(voters.len(), |most| *most);
        let elected = Elected { who: scene.sentinel, voters, quorum, votes, forced, group };
        Some((about.master.clone(), epoch, elected))
    }
}
