use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{Effect, Epoch, Event, EventKind, MasterName, Query, ReplicationTarget};

use super::{Invariant, hold, saved, shown};
use crate::address;
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Whoever is elected has max(majority, quorum) votes of those it knows, or was forced; no two
/// Sentinels with the same member list are elected for one master at one epoch; and nobody is
/// promoted but by the elected.
#[derive(Default)]
pub(super) struct OneLeader {
    /// Votes heard: by candidate, group and epoch.
    votes: BTreeMap<(SentinelIndex, usize, Epoch), BTreeSet<SentinelIndex>>,
    elected: BTreeMap<(MasterName, Epoch), Vec<Elected>>,
    /// Groups that a Sentinel leads, or led until a moment ago.
    leading: BTreeSet<(SentinelIndex, usize)>,
    /// Masters whose failover the picture before showed as forced: it may be elected and end in one
    /// turn.
    forced: BTreeSet<(SentinelIndex, String)>,
}

/// Somebody who was elected.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Elected {
    who: SentinelIndex,
    voters: BTreeSet<String>,
    quorum: u32,
    votes: usize,
    forced: bool,
}

impl Elected {
    fn needed(&self) -> usize {
        (self.voters.len() / 2 + 1).max(usize::try_from(self.quorum).unwrap_or(usize::MAX))
    }
}

impl OneLeader {
    fn elect(&mut self, master: &MasterName, epoch: Epoch, new: Elected) -> Result<(), String> {
        hold(new.forced || new.votes >= new.needed(), || {
            format!("elected for {master} at {epoch} with too few votes: {new:?}")
        })?;
        let others = self.elected.entry((master.clone(), epoch)).or_default();
        let by_votes = |one: &Elected| one.votes >= one.needed();
        let rival = others.iter().find(|other| {
            other.who != new.who && other.voters == new.voters && by_votes(other) && by_votes(&new)
        });
        hold(rival.is_none(), || {
            format!("two leaders for {master} at {epoch}: {rival:?} and {new:?}")
        })?;
        others.push(new);
        Ok(())
    }

    fn hear_event(&mut self, scene: &Scene<'_>, event: &Event) -> Result<(), String> {
        let Some(about) = &event.about else { return Ok(()) };
        let Some(group) = address::group_of(&about.address) else { return Ok(()) };
        if event.kind != EventKind::ElectedLeader {
            return Ok(());
        }
        self.leading.insert((scene.sentinel, group));
        let (Some(view), Some(record)) =
            (shown(scene, &about.master), saved(scene.disk, &about.master))
        else {
            return Ok(());
        };
        let epoch = record.leader_epoch.unwrap_or_default();
        let heard = self.votes.get(&(scene.sentinel, group, epoch)).map_or(0, BTreeSet::len);
        let mut voters: BTreeSet<String> =
            view.sentinels.iter().map(|member| member.id.to_string()).collect();
        voters.insert(scene.id.to_string());
        let before = (scene.sentinel, about.master.to_string());
        let forced = view.failover.map_or(self.forced.contains(&before), |now| now.forced);
        let (quorum, votes) = (view.settings.quorum, heard + 1);
        let new = Elected { who: scene.sentinel, voters, quorum, votes, forced };
        self.elect(&about.master, epoch, new)
    }
}

impl Invariant for OneLeader {
    fn name(&self) -> &'static str {
        "one elected leader per master and epoch"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
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
                Ok(())
            }
            Seen::Ordered(Effect::Publish(publication)) => {
                publication.events.iter().try_for_each(|event| self.hear_event(scene, event))?;
                for view in &publication.masters {
                    let key = (scene.sentinel, view.name.to_string());
                    if view.failover.is_some_and(|failover| failover.forced) {
                        self.forced.insert(key);
                    } else {
                        self.forced.remove(&key);
                    }
                }
                Ok(())
            }
            Seen::Ordered(Effect::Send {
                query: Query::Replicate { target: ReplicationTarget::NoOne, .. },
                ..
            }) => self.may_promote(scene),
            Seen::Started(_) | Seen::Ended => {
                self.leading.retain(|(who, _)| *who != scene.sentinel);
                self.forced.retain(|(who, _)| *who != scene.sentinel);
                Ok(())
            }
            Seen::Took(_) | Seen::Ordered(_) | Seen::Responded { .. } => Ok(()),
        }
    }
}

impl OneLeader {
    /// `SLAVEOF NO ONE` may leave in the turn of the election, before its event is published: then
    /// the disk shows the own vote.
    fn may_promote(&self, scene: &Scene<'_>) -> Result<(), String> {
        let leads = self.leading.iter().any(|(who, _)| *who == scene.sentinel);
        let own = |vote: &vedette_core::SavedVote| vote.leader == scene.id;
        let voted = scene.disk.masters.iter().any(|m| m.last_vote.as_ref().is_some_and(own));
        hold(leads || voted, || "SLAVEOF NO ONE from somebody who was never elected".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elected(who: usize, voters: usize, votes: usize, forced: bool) -> Elected {
        let voters = (0..voters).map(|number| number.to_string()).collect();
        Elected { who: SentinelIndex(who), voters, quorum: 2, votes, forced }
    }

    fn elect(history: &[Elected]) -> Result<(), String> {
        let mut check = OneLeader::default();
        let epoch = Epoch::new(3).unwrap_or_default();
        history.iter().try_for_each(|new| check.elect(&"m0".into(), epoch, new.clone()))
    }

    #[test]
    fn two_leaders_and_too_few_votes_are_found() {
        assert!(elect(&[elected(0, 3, 2, false)]).is_ok());
        assert!(elect(&[elected(0, 3, 1, false)]).is_err());
        assert!(elect(&[elected(0, 5, 2, false)]).is_err());
        assert!(elect(&[elected(0, 3, 2, false), elected(1, 3, 2, false)]).is_err());
        assert!(elect(&[elected(0, 3, 2, false), elected(1, 3, 1, true)]).is_ok());
        assert!(elect(&[elected(0, 3, 2, false), elected(1, 4, 3, false)]).is_ok());
    }
}
