use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{Effect, Epoch, MasterName, Query, ReplicationTarget, Rules};

use super::elections::{Elected, Elections};
use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Whoever is elected has max(majority, quorum) votes of those it knows, or was forced; no two
/// Sentinels with the same member list are elected for one master at one epoch, unless by the double
/// vote of a member at the reference's pace; and nobody is promoted but by the elected.
#[derive(Default)]
pub(super) struct OneLeader {
    elections: Elections,
    elected: BTreeMap<(MasterName, Epoch), Vec<Elected>>,
    /// Sentinels that lead, or led until a moment ago.
    leading: BTreeSet<SentinelIndex>,
    /// Sentinels at the reference's pace.
    old: BTreeSet<SentinelIndex>,
}

impl OneLeader {
    fn elect(&mut self, master: &MasterName, epoch: Epoch, new: Elected) -> Result<(), String> {
        hold(new.forced || new.has_votes(), || {
            format!("elected for {master} at {epoch} with too few votes: {new:?}")
        })?;
        let others = self.elected.entry((master.clone(), epoch)).or_default();
        let old = &self.old;
        let rival = others.iter().find(|other| {
            let both = other.votes.intersection(&new.votes);
            let old_alone = !old.is_empty() && both.into_iter().all(|voter| old.contains(voter));
            other.who != new.who
                && !old_alone
                && other.voters == new.voters
                && other.has_votes()
                && new.has_votes()
        });
        hold(rival.is_none(), || {
            format!("two leaders for {master} at {epoch}: {rival:?} and {new:?}")
        })?;
        others.push(new);
        Ok(())
    }
}

impl Invariant for OneLeader {
    fn name(&self) -> &'static str {
        "one elected leader per master and epoch"
    }

    fn binds(&self, _: Rules) -> bool {
        true
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        if scene.rules != Rules::ALL {
            self.old.insert(scene.sentinel);
            return Ok(());
        }
        for (master, epoch, elected) in self.elections.see(scene, seen) {
            self.leading.insert(scene.sentinel);
            self.elect(&master, epoch, elected)?;
        }
        match seen {
            Seen::Ordered(Effect::Send {
                query: Query::Replicate { target: ReplicationTarget::NoOne, .. },
                ..
            }) => self.may_promote(scene),
            Seen::Started(_) | Seen::Ended => {
                self.leading.remove(&scene.sentinel);
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

impl OneLeader {
    /// `SLAVEOF NO ONE` may leave in the turn of the election, before its event is published: then
    /// the disk shows the own vote.
    fn may_promote(&self, scene: &Scene<'_>) -> Result<(), String> {
        let leads = self.leading.contains(&scene.sentinel);
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
        let votes = (0..votes).map(SentinelIndex).collect();
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
