use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{
    ConnId, Effect, Epoch, Input, MasterName, Query, ReplicationTarget, Rules, SavedMaster,
};

use super::elections::{Elected, Elections};
use super::lines::Lines;
use super::{Invariant, hold, saved};
use crate::address::{group_of, group_of_socket};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// A forced failover asks for votes that long (rule C1).
const FORCED_MS: u64 = 500;

/// Whoever is elected has max(majority, quorum) votes of those it knows, or was forced and had
/// asked for half a second (rule C1); no two Sentinels with the same member list are elected for
/// one master at one epoch, unless by the double vote of a member at the reference's pace; and
/// nobody is promoted but by the elected.
#[derive(Default)]
pub(super) struct OneLeader {
    elections: Elections,
    elected: BTreeMap<(MasterName, Epoch), Vec<Elected>>,
    /// The last election that each Sentinel won in each group.
    leading: BTreeMap<(SentinelIndex, usize), Epoch>,
    /// `SLAVEOF NO ONE` of the present turn: the event of its election may come last.
    orders: BTreeMap<SentinelIndex, Vec<(usize, Epoch)>>,
    lines: Lines,
    /// Since when the last own vote is on the disk: from then on members are asked.
    asking: BTreeMap<(SentinelIndex, MasterName), (Epoch, u64)>,
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
            other.who != new.who
                && !other.won_by_double_votes(&new, old)
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
        self.lines.see(scene.at_ms, scene.sentinel, seen);
        for (master, epoch, elected) in self.elections.see(scene, seen) {
            let group = saved(scene.disk, &master).and_then(|saved| group_of(&saved.address));
            if let Some(group) = group {
                self.leading.insert((scene.sentinel, group), epoch);
            }
            let asked = self.asking.get(&(scene.sentinel, master.clone())).copied();
            has_asked(&elected, epoch, asked, scene.at_ms)?;
            self.elect(&master, epoch, elected)?;
        }
        match seen {
            Seen::Took(Input::Persisted { .. }) => {
                self.note_own_votes(scene);
                Ok(())
            }
            Seen::Ordered(Effect::Send {
                conn,
                query: Query::Replicate { target: ReplicationTarget::NoOne, .. },
            }) => self.may_promote(scene, *conn),
            Seen::Ordered(Effect::Publish(_)) => self.was_elected(scene),
            Seen::Started(_) | Seen::Ended => {
                self.leading.retain(|(who, _), _| *who != scene.sentinel);
                self.orders.remove(&scene.sentinel);
                self.asking.retain(|(who, _), _| *who != scene.sentinel);
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

/// Who is elected by force has asked for votes that long.
fn has_asked(
    elected: &Elected,
    epoch: Epoch,
    asked: Option<(Epoch, u64)>,
    at_ms: u64,
) -> Result<(), String> {
    let long = asked.is_some_and(|(of, since_ms)| of == epoch && at_ms >= since_ms + FORCED_MS);
    hold(!elected.forced || elected.has_votes() || long, || {
        format!("elected at {epoch} by force, but it asked since {asked:?}: {elected:?}")
    })
}

impl OneLeader {
    fn note_own_votes(&mut self, scene: &Scene<'_>) {
        let own = |master: &&SavedMaster| {
            master.last_vote.as_ref().is_some_and(|vote| vote.leader == scene.id)
        };
        for master in scene.disk.masters.iter().filter(own) {
            let epoch = master.leader_epoch.unwrap_or_default();
            let key = (scene.sentinel, master.name.clone());
            let known = self.asking.entry(key).or_insert((epoch, scene.at_ms));
            if known.0 != epoch {
                *known = (epoch, scene.at_ms);
            }
        }
    }

    /// The last vote on the disk is the own one, above the configuration: a leader at work gives no
    /// other (rule V7).
    fn may_promote(&mut self, scene: &Scene<'_>, conn: ConnId) -> Result<(), String> {
        let line = self.lines.get(scene.sentinel, conn);
        let group = line.and_then(|line| group_of_socket(line.to));
        let Some(group) = group else { return Ok(()) };
        let here = scene.disk.masters.iter().filter(|m| group_of(&m.address) == Some(group));
        let own = |master: &&SavedMaster| {
            let vote = master.last_vote.as_ref();
            vote.is_some_and(|vote| {
                vote.leader == scene.id
                    && Some(vote.epoch) == master.leader_epoch
                    && vote.epoch > master.config_epoch
            })
        };
        let epoch = here.clone().find(own).and_then(|master| master.leader_epoch);
        let Some(epoch) = epoch else {
            let votes: Vec<_> = here.map(|m| (&m.last_vote, m.config_epoch)).collect();
            return Err(format!("SLAVEOF NO ONE in group {group} with the votes {votes:?}"));
        };
        self.orders.entry(scene.sentinel).or_default().push((group, epoch));
        Ok(())
    }

    fn was_elected(&mut self, scene: &Scene<'_>) -> Result<(), String> {
        for (group, epoch) in self.orders.remove(&scene.sentinel).unwrap_or_default() {
            let won = self.leading.get(&(scene.sentinel, group)).copied();
            hold(won == Some(epoch), || {
                format!("SLAVEOF NO ONE in group {group} at {epoch}, but elected at {won:?}")
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elected(who: usize, voters: usize, votes: usize, forced: bool) -> Elected {
        let voters = (0..voters).map(|number| number.to_string()).collect();
        let votes = (0..votes).map(SentinelIndex).collect();
        Elected { who: SentinelIndex(who), voters, quorum: 2, votes, forced, group: 3 }
    }

    fn elect(history: &[Elected]) -> Result<(), String> {
        let mut check = OneLeader::default();
        let epoch = Epoch::new(3).unwrap_or_default();
        history.iter().try_for_each(|new| check.elect(&"m0".into(), epoch, new.clone()))
    }

    #[test]
    fn force_without_a_question_is_found() {
        let epoch = Epoch::new(3).unwrap_or_default();
        let (bare, full) = (elected(0, 3, 1, true), elected(0, 3, 2, true));
        assert!(has_asked(&bare, epoch, Some((epoch, 100)), 600).is_ok());
        assert!(has_asked(&bare, epoch, Some((epoch, 100)), 599).is_err());
        assert!(has_asked(&bare, epoch, Some((Epoch::ZERO, 100)), 600).is_err());
        assert!(has_asked(&bare, epoch, None, 600).is_err());
        assert!(has_asked(&full, epoch, None, 0).is_ok());
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
