use std::collections::BTreeSet;

use vedette_core::{ConnId, Effect, Endpoint, Epoch, MasterName, Query, SavedMaster, SentinelId};

use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Whoever asks for votes stands: its own last vote is the one for itself at that very epoch
/// (rule V6: a vote for another id ends a candidacy), and it has said hello about that master on
/// that connection before (rule S6).
#[derive(Default)]
pub(super) struct CandidateAsks {
    /// Where a hello about a master has left.
    told: BTreeSet<(SentinelIndex, ConnId, MasterName)>,
}

/// Whether this record holds the vote of a candidate at `epoch`.
fn stands(record: &SavedMaster, me: SentinelId, epoch: Epoch) -> bool {
    let own = record.last_vote.as_ref().is_none_or(|vote| vote.leader == me);
    record.leader_epoch == Some(epoch) && own
}

impl CandidateAsks {
    fn ask(
        &self,
        scene: &Scene<'_>,
        conn: ConnId,
        address: &Endpoint,
        epoch: Epoch,
    ) -> Result<(), String> {
        let here: Vec<&SavedMaster> =
            scene.disk.masters.iter().filter(|record| record.address == *address).collect();
        let Some(first) = here.first() else { return Ok(()) };
        hold(here.iter().any(|record| stands(record, scene.id, epoch)), || {
            let (vote, told) = (&first.last_vote, first.leader_epoch);
            format!("asks for votes at {epoch}, but its last vote is {vote:?} at {told:?}")
        })?;
        let key = |record: &&SavedMaster| (scene.sentinel, conn, record.name.clone());
        hold(here.iter().any(|record| self.told.contains(&key(record))), || {
            format!("asks for a vote on {conn:?} without a hello about {}", first.name)
        })
    }
}

impl Invariant for CandidateAsks {
    fn name(&self) -> &'static str {
        "who asks for votes stands, and is known"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        match seen {
            Seen::Ordered(Effect::Send { conn, query: Query::Hello(hello) }) => {
                self.told.insert((who, *conn, hello.master.clone()));
            }
            Seen::Ordered(Effect::Send {
                conn,
                query: Query::AskDown { address, epoch, vote_for: Some(_) },
            }) => return self.ask(scene, *conn, address, *epoch),
            // Behind a lost connection orders of the same turn may follow that came before.
            Seen::Ordered(Effect::Close { conn }) => {
                self.told.retain(|(of, on, _)| (*of, *on) != (who, *conn));
            }
            Seen::Started(_) | Seen::Ended => self.told.retain(|(of, ..)| *of != who),
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address;
    use crate::invariant::samples;

    fn ask(disk_epoch: u64, voted_for: usize, hello: bool) -> Result<(), String> {
        let mut disk = samples::disk(disk_epoch);
        let leader = address::sentinel_id(1, voted_for);
        let epoch = Epoch::new(disk_epoch).unwrap_or_default();
        let at = vedette_core::WallTime(0);
        disk.masters[0].last_vote = Some(vedette_core::SavedVote { leader, epoch, at });
        let mut check = CandidateAsks::default();
        if hello {
            check.told.insert((SentinelIndex(0), ConnId(1), "m0".into()));
        }
        let asked = Epoch::new(3).unwrap_or_default();
        check.ask(&samples::scene(&disk), ConnId(1), &Endpoint::new("10.1.0.1", 6379), asked)
    }

    #[test]
    fn an_overtaken_candidate_and_a_stranger_are_found() {
        assert!(ask(3, 0, true).is_ok());
        assert!(ask(4, 1, true).is_err(), "it has voted for another since");
        assert!(ask(3, 1, true).is_err());
        assert!(ask(3, 0, false).is_err(), "no hello before");
    }
}
