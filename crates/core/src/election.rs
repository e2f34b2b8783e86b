//! Being elected (rules S5, F2, C1; spec: behaviour 9.5, 10.3).

use crate::agreement::{Count, Position, Told, Worth};
use crate::failover::{Cause, Ending, Failover, Step};
use crate::group::{Group, Member};
use crate::host::Cx;
use crate::ident::{Epoch, SentinelId};
use crate::limits;
use crate::mutant::Mutant;
use crate::rules::Rule;
use crate::settings::Tunable;
use crate::time::{Span, Time};

impl Group {
    /// Counts the votes; goes on, waits, or gives up.
    pub(crate) fn wait_start(&mut self, cx: &mut Cx<'_>, failover: &Failover) -> Step {
        if self.durable_leader_epoch() < failover.epoch {
            return self.wait_for_own_vote(cx, failover);
        }
        let asked_at = self.note_first_question(cx.now.mono);
        let count = self.count_votes(cx, failover.epoch);
        let enough = self.enough();
        if count.is_elected(enough) {
            return self.become_leader(cx);
        }
        match failover.cause {
            Cause::Forced if !cx.keeps(Rule::C1) => return self.become_leader(cx),
            Cause::Forced | Cause::Coordinated => {
                return self.wait_start_ordered(cx, failover.cause, asked_at, &count);
            }
            Cause::Outage | Cause::Reclaim => {}
        }
        let limit = cx.host.tunables.get(Tunable::ElectionTimeout);
        if cx.due(failover.start_at + limit.min(self.settings.failover_timeout)) {
            return Step::Abort(Ending::NotElected);
        }
        let may_win = count.can_be_elected(enough) && !failover.deferring;
        if may_win || !cx.keeps(Rule::F2) || Mutant::LostCandidacyWaits.lives() {
            return Step::Wait;
        }
        self.wait_for_winner(cx, failover, count.possible_winner(enough))
    }

    /// Defers to a candidate that can win, for as long as it can. Votes that come later may go
    /// elsewhere; candidates that defer to each other would then wait in vain. A member that is
    /// silent counts for no candidate once its vote was awaited. It may have voted unheard and
    /// elected another: then that one announces its configuration before this one's rest is over,
    /// or both epochs are settled as ever. Far more often it is dead, perhaps with the master.
    fn wait_for_winner(
        &mut self,
        cx: &mut Cx<'_>,
        failover: &Failover,
        winner: Option<SentinelId>,
    ) -> Step {
        let present = self.deferral.as_ref().map(|deferral| deferral.to);
        match winner {
            Some(winner) if !failover.deferring || present.is_some_and(|to| to != Some(winner)) => {
                self.defer_to(cx, winner);
                if let Some(failover) = &mut self.failover {
                    failover.deferring = true;
                }
            }
            Some(_) => {}
            None => self.deferral = None,
        }
        if self.deferral.is_none() { Step::Abort(Ending::NotElected) } else { Step::Wait }
    }

    /// Nothing is asked before the own vote is on disk; a failing disk ends the candidacy.
    fn wait_for_own_vote(&mut self, cx: &mut Cx<'_>, failover: &Failover) -> Step {
        let limit = cx.host.tunables.get(Tunable::ElectionTimeout);
        let late = cx.due(failover.start_at + limit.min(self.settings.failover_timeout));
        if late || cx.host.gate.is_failing() {
            return Step::Abort(Ending::NotElected);
        }
        Step::Wait
    }

    /// From now on members are asked; before, the own vote was on its way to the disk.
    fn note_first_question(&mut self, now: Time) -> Time {
        let asked_at = self.failover.as_mut().map(|failover| &mut failover.asked_at);
        asked_at.map_or(now, |asked_at| *asked_at.get_or_insert(now))
    }

    /// A forced failover asks first, and goes on by force when nobody objects (rule C1). Without
    /// a majority there is no coordinated one.
    fn wait_start_ordered(
        &mut self,
        cx: &mut Cx<'_>,
        cause: Cause,
        asked_at: Time,
        count: &Count,
    ) -> Step {
        let enough = self.enough();
        if count.is_lost(enough) {
            return Step::Abort(Ending::NotElected);
        }
        let late = cx.due(asked_at + limits::BALLOT_PATIENCE);
        let undecided = count.is_open() && count.possible_winner(enough).is_some();
        if count.is_contested() && undecided && !late {
            return Step::Wait;
        }
        if count.is_contested() {
            return self.order_again(cx, cause);
        }
        match (late, cause) {
            (false, _) => Step::Wait,
            (true, Cause::Coordinated) => Step::Abort(Ending::NotElected),
            (true, Cause::Forced | Cause::Outage | Cause::Reclaim) => self.become_leader(cx),
        }
    }

    /// A new epoch after a random pause that doubles, as in rule F2: two Sentinels that were both
    /// ordered would otherwise overtake each other without end.
    fn order_again(&mut self, cx: &mut Cx<'_>, cause: Cause) -> Step {
        let Some(failover) = &mut self.failover else { return Step::Wait };
        let again_at = match failover.again_at {
            Some(at) => at,
            None => {
                let at = cx.now.mono + self.standing.draw_rest(cx);
                failover.again_at = Some(at);
                at
            }
        };
        if cx.due(again_at) {
            self.failover = None;
            self.begin_failover(cx, cause);
        }
        Step::Wait
    }

    fn count_votes(&self, cx: &mut Cx<'_>, epoch: Epoch) -> Count {
        // Without rules S5 and V6 the own vote may have moved on to a later epoch.
        let moved_on = self.vote.leader_epoch != epoch && !cx.keeps(Rule::S5);
        let mut count = if moved_on { Count::default() } else { Count::own_vote() };
        for member in &self.members {
            count.add(member.ballot(cx, epoch));
        }
        count
    }
}

impl Member {
    /// Only answers with exactly the failover's epoch count as votes (rule S5).
    fn ballot(&self, cx: &mut Cx<'_>, epoch: Epoch) -> Position {
        if !cx.keeps(Rule::S5) {
            let told = Told { leader: self.leader, epoch: self.leader_epoch };
            return match told.worth(cx.host.my_id, epoch, cx.host.current_epoch, cx.host.rules) {
                Worth::Mine => Position::Mine,
                Worth::For(id) => Position::For(id),
                Worth::Later | Worth::Early => Position::Open,
            };
        }
        let reachable = self.down.since.is_none()
            && cx.peers.get(&self.id).is_some_and(|peer| peer.is_reachable());
        let Some(ballot) = self.asking.ballot.filter(|ballot| ballot.epoch == epoch) else {
            return if reachable { Position::Open } else { Position::Refused };
        };
        let round_trip = cx.peers.get(&self.id).map_or(Span::ZERO, |peer| peer.round_trip);
        let patience = match ballot.answer {
            Some(Worth::Mine) => return Position::Mine,
            Some(Worth::For(id)) => return Position::For(id),
            Some(Worth::Later) => return Position::Later,
            Some(Worth::Early) => limits::LATE_VOTE_PATIENCE,
            // A vote may wait for the disk as long as that, and then travels (rules V3, S5).
            None => {
                let travel = round_trip.min(limits::BALLOT_PATIENCE);
                limits::BALLOT_PATIENCE + travel + cx.host.throng()
            }
        };
        let late = cx.due(ballot.first_asked_at + patience);
        if reachable && !late { Position::Open } else { Position::Refused }
    }
}
