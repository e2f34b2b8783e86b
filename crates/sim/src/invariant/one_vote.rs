use std::collections::BTreeMap;

use vedette_core::{Effect, Epoch, Query, Request, Response, SentinelId};

use super::{Invariant, hold};
use crate::address;
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// A Sentinel gives one vote for each master and epoch, across restarts: whatever it tells of that
/// vote names the same candidate. Asking for a vote is telling one's own.
#[derive(Default)]
pub(super) struct OneVote {
    told: BTreeMap<(SentinelIndex, usize, Epoch), SentinelId>,
}

impl OneVote {
    fn tell(
        &mut self,
        voter: SentinelIndex,
        group: usize,
        epoch: Epoch,
        candidate: SentinelId,
    ) -> Result<(), String> {
        let told = *self.told.entry((voter, group, epoch)).or_insert(candidate);
        hold(told == candidate, || {
            format!("at epoch {epoch} of group {group} it voted for {told}, and for {candidate}")
        })
    }
}

impl Invariant for OneVote {
    fn name(&self) -> &'static str {
        "one vote per master and epoch"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Responded {
                request: Request::IsMasterDown { address, .. },
                response: Response::Opinion { leader: Some(leader), leader_epoch, .. },
            } => match address::group_of(address) {
                Some(group) => self.tell(scene.sentinel, group, *leader_epoch, *leader),
                None => Ok(()),
            },
            Seen::Ordered(Effect::Send {
                query: Query::AskDown { address, epoch, vote_for: Some(candidate) },
                ..
            }) => match address::group_of(address) {
                Some(group) => self.tell(scene.sentinel, group, *epoch, *candidate),
                None => Ok(()),
            },
            Seen::Started(_)
            | Seen::Ended
            | Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Heard { .. }
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Responded { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_candidate_is_found() {
        let mut check = OneVote::default();
        let [one, two] = [1, 2].map(|number| address::sentinel_id(1, number));
        let epoch = Epoch::new(5).unwrap_or_default();
        let voter = SentinelIndex(0);
        assert!(check.tell(voter, 0, epoch, one).is_ok());
        assert!(check.tell(voter, 0, epoch, one).is_ok());
        assert!(check.tell(voter, 1, epoch, two).is_ok());
        assert!(check.tell(voter, 0, epoch, two).is_err());
    }
}
