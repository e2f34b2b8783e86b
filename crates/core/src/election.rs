//! Being elected (rules S5, F2, C1; spec: behaviour 9.5, 10.3).

use alloc::collections::BTreeMap;

use crate::ask::BallotReply;
use crate::failover::{Ending, Failover, Step};
use crate::group::{Group, Member};
use crate::host::Cx;
use crate::ident::{Epoch, SentinelId};
use crate::limits;
use crate::settings::Tunable;

/// Where a member stands in our candidacy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ballot {
    Mine,
    For(SentinelId),
    /// It is in a later epoch.
    Later,
    /// Silent, down or unlinked: a refusal for as long as that lasts.
    Refused,
    /// May still vote for us.
    Open,
}

/// The votes at one epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Count {
    mine: u32,
    open: u32,
    /// Somebody voted for another id or has a later vote.
    contested: bool,
    others: BTreeMap<SentinelId, u32>,
}

impl Count {
    fn add(&mut self, ballot: Ballot) {
        match ballot {
            Ballot::Mine => self.mine += 1,
            Ballot::For(id) => {
                *self.others.entry(id).or_default() += 1;
                self.contested = true;
            }
            Ballot::Later => self.contested = true,
            Ballot::Refused => {}
            Ballot::Open => self.open += 1,
        }
    }

    /// Another id that has, or with the members still to answer can have, enough votes.
    fn possible_winner(&self, enough: u32) -> Option<SentinelId> {
        let winner = self.others.iter().max_by_key(|(_, votes)| **votes)?;
        (winner.1 + self.open >= enough).then_some(*winner.0)
    }

    /// Another id that has enough votes.
    fn winner(&self, enough: u32) -> bool {
        self.others.values().any(|votes| *votes >= enough)
    }
}

impl Group {
    /// Counts the votes; goes on, waits, or gives up.
    pub(crate) fn wait_start(&mut self, cx: &mut Cx<'_>, failover: &Failover) -> Step {
        if self.durable_leader_epoch() < failover.epoch {
            return self.wait_for_own_vote(cx, failover);
        }
        let count = self.count_votes(cx, failover.epoch);
        let enough = self.enough();
        if count.mine >= enough {
            return self.become_leader(cx);
        }
        if failover.forced {
            return self.wait_start_forced(cx, failover, &count);
        }
        let limit = cx.host.tunables.get(Tunable::ElectionTimeout);
        if cx.due(failover.began_at + limit.min(self.settings.failover_timeout)) {
            return Step::Abort(Ending::NotElected);
        }
        if failover.deferring {
            return if self.deferral.is_none() {
                Step::Abort(Ending::NotElected)
            } else {
                Step::Wait
            };
        }
        if count.mine + count.open >= enough {
            return Step::Wait;
        }
        let Some(winner) = count.possible_winner(enough) else {
            return Step::Abort(Ending::NotElected);
        };
        self.defer_to(cx, winner);
        if let Some(failover) = &mut self.failover {
            failover.deferring = true;
        }
        Step::Wait
    }

    /// Nothing is asked before the own vote is on disk; a failing disk ends the candidacy.
    fn wait_for_own_vote(&mut self, cx: &mut Cx<'_>, failover: &Failover) -> Step {
        let limit = cx.host.tunables.get(Tunable::ElectionTimeout);
        let late = cx.due(failover.began_at + limit.min(self.settings.failover_timeout));
        if late || cx.host.gate.is_failing() {
            return Step::Abort(Ending::NotElected);
        }
        Step::Wait
    }

    /// A forced failover asks first, and goes on by force when nobody objects (rule C1).
    fn wait_start_forced(&mut self, cx: &mut Cx<'_>, failover: &Failover, count: &Count) -> Step {
        let enough = self.enough();
        if count.winner(enough) {
            return Step::Abort(Ending::NotElected);
        }
        let late = cx.due(failover.began_at + limits::BALLOT_PATIENCE);
        if count.contested && count.open > 0 && !late && count.possible_winner(enough).is_some() {
            return Step::Wait;
        }
        if count.contested {
            self.failover = None;
            self.begin_failover(cx, true);
            return Step::Wait;
        }
        if late {
            return self.become_leader(cx);
        }
        Step::Wait
    }

    fn count_votes(&self, cx: &mut Cx<'_>, epoch: Epoch) -> Count {
        let mut count = Count { mine: 1, ..Count::default() };
        for member in &self.members {
            count.add(member.ballot(cx, epoch));
        }
        count
    }
}

impl Member {
    /// Only answers with exactly the failover's epoch count as votes (rule S5).
    fn ballot(&self, cx: &mut Cx<'_>, epoch: Epoch) -> Ballot {
        let reachable = self.down.since.is_none()
            && cx.peers.get(&self.id).is_some_and(|peer| peer.is_reachable());
        let Some(ballot) = self.asking.ballot.filter(|ballot| ballot.epoch == epoch) else {
            return if reachable { Ballot::Open } else { Ballot::Refused };
        };
        match ballot.reply {
            BallotReply::Mine => return Ballot::Mine,
            BallotReply::For(id) => return Ballot::For(id),
            BallotReply::Later => return Ballot::Later,
            BallotReply::Open => {}
        }
        let patience = if ballot.answered_early {
            limits::LATE_VOTE_PATIENCE
        } else {
            limits::BALLOT_PATIENCE
        };
        let late = cx.due(ballot.first_asked_at + patience);
        if reachable && !late { Ballot::Open } else { Ballot::Refused }
    }
}
