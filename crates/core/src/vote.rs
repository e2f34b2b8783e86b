//! Voting (spec: behaviour 9.2, 9.3; rules V1 to V8).

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::durable::SavedVote;
use crate::event::{Detail, EventKind};
use crate::group::Group;
use crate::host::Cx;
use crate::ident::{Epoch, SentinelId, Ticket};
use crate::limits;
use crate::request::{Response, Wants};
use crate::rules::Rule;
use crate::time::{Time, WallTime};

/// The vote of this Sentinel for one master.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Vote {
    /// Whom it was for; a restart forgets it.
    pub(crate) leader: Option<SentinelId>,
    pub(crate) leader_epoch: Epoch,
    /// When it was cast; none if before this process started.
    pub(crate) cast_at: Option<Time>,
    pub(crate) cast_wall: WallTime,
    /// The last vote of this process for another id: for whom, and when (rule V7). A vote for
    /// oneself may have followed.
    for_another: Option<(SentinelId, Time)>,
}

impl Vote {
    /// What is remembered over a restart beside the file.
    pub(crate) fn memory(&self) -> Option<SavedVote> {
        let epoch = self.leader_epoch;
        self.leader.map(|leader| SavedVote { leader, epoch, at: self.cast_wall })
    }
}

/// A vote request that waits until the vote is durable (rule V3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WaitingBallot {
    pub(crate) ticket: Ticket,
    /// Answered once this epoch is durable.
    epoch: Epoch,
    asked_at: Time,
    /// The address that was asked about.
    address: Address,
}

impl Group {
    /// Whether a question about this address is about this master (spec: behaviour 9.2): about the
    /// address held, or about the other one of a conflict. Without the votes of those who hold the
    /// other address nobody might ever have enough to settle it (rule A2).
    pub(crate) fn is_asked(&self, cx: &Cx<'_>, address: &Address) -> bool {
        address.port() != 0 && (self.is_at(address) || self.contests(cx, address))
    }

    fn is_down_at(&self, address: &Address) -> bool {
        self.is_down() && self.is_at(address)
    }

    /// The epoch of the last vote that is on disk.
    pub(crate) fn durable_leader_epoch(&self) -> Epoch {
        if crate::mutant::Mutant::SkipTheGate.lives() || !self.keeps(Rule::V3) {
            return self.vote.leader_epoch;
        }
        self.saved.as_ref().and_then(|saved| saved.leader_epoch).unwrap_or_default()
    }

    /// Whether a vote for `candidate` at `epoch` can be given (rules V1, V7).
    fn can_grant(&self, cx: &Cx<'_>, candidate: SentinelId, epoch: Epoch) -> bool {
        let newer = self.epochs(cx.host.current_epoch).allow_vote(epoch, cx.host.rules);
        let third = self.vote.for_another.filter(|(leader, _)| *leader != candidate);
        let rested = third.is_none_or(|(_, at)| cx.age(at) >= limits::VOTE_REST);
        let calm = (rested && !self.leads()) || !cx.keeps(Rule::V7);
        newer && calm && (!cx.host.gate.is_failing() || !cx.keeps(Rule::V3))
    }

    /// Casts the vote: a fact at once, told once durable.
    pub(crate) fn cast_vote(&mut self, cx: &mut Cx<'_>, candidate: SentinelId, epoch: Epoch) {
        let now = cx.now.mono;
        let is_another = candidate != cx.host.my_id;
        self.vote = Vote {
            leader: Some(candidate),
            leader_epoch: epoch,
            cast_at: Some(now),
            cast_wall: cx.now.wall,
            for_another: if is_another { Some((candidate, now)) } else { self.vote.for_another },
        };
        self.save(cx);
        self.show(cx);
        let detail = Detail::Vote { leader: candidate, epoch };
        self.emit(cx, EventKind::VoteForLeader, detail);
        if is_another {
            if cx.keeps(Rule::V6) {
                self.end_candidacy_for_vote(cx);
            }
            self.defer_to(cx, candidate);
        }
    }

    /// The last durable vote. Its candidate is known if it was cast in this run or the side file
    /// still tells it.
    fn stored_vote(&self, down: bool) -> Response {
        let leader_epoch = self.durable_leader_epoch();
        if !self.keeps(Rule::V3) {
            return Response::Opinion { down, leader: self.vote.leader, leader_epoch };
        }
        let vote = self.saved.as_ref().and_then(|saved| saved.last_vote.as_ref());
        let leader = vote.filter(|vote| vote.epoch == leader_epoch).map(|vote| vote.leader);
        Response::Opinion { down, leader, leader_epoch }
    }

    /// Answers vote requests whose vote is durable, and those that waited long enough (rule V3).
    pub(crate) fn answer_ballots(&mut self, cx: &mut Cx<'_>) {
        let durable = self.durable_leader_epoch();
        let mut waiting = core::mem::take(&mut self.ballots);
        waiting.retain(|ballot| {
            let patience = ballot.asked_at + limits::VOTE_PATIENCE;
            let ready = durable >= ballot.epoch || cx.host.gate.is_failing() || cx.due(patience);
            if ready {
                let down = self.is_down_at(&ballot.address) && !cx.in_tilt();
                cx.host.outbox.respond(ballot.ticket, self.stored_vote(down));
            }
            !ready
        });
        self.ballots = waiting;
    }

    fn queue_ballot(&mut self, cx: &mut Cx<'_>, ticket: Ticket, address: &Address) {
        if self.ballots.len() >= limits::WAITING_BALLOTS {
            let down = self.is_down_at(address) && !cx.in_tilt();
            cx.host.outbox.respond(ticket, self.stored_vote(down));
            return;
        }
        let (epoch, asked_at) = (self.vote.leader_epoch, cx.now.mono);
        self.ballots.push_back(WaitingBallot { ticket, epoch, asked_at, address: address.clone() });
    }
}

/// A fellow Sentinel's question about the master at `address`, asked of all groups there.
pub(crate) fn answer_question(
    cx: &mut Cx<'_>,
    groups: &mut [&mut Group],
    ticket: Ticket,
    address: &Address,
    epoch: Epoch,
    wants: Wants,
) {
    let down = !cx.in_tilt() && groups.iter().any(|group| group.is_down_at(address));
    let candidate = match wants {
        Wants::Opinion => None,
        Wants::VoteFor(id) => Some(id),
        Wants::VoteForStranger => {
            cx.host.counters.stranger_votes += 1;
            None
        }
    };
    let asks_vote = wants != Wants::Opinion && !groups.is_empty();
    if !asks_vote {
        let none = Response::Opinion { down, leader: None, leader_epoch: Epoch::ZERO };
        cx.host.outbox.respond(ticket, none);
        return;
    }
    if let Some(candidate) = candidate {
        let asked = if cx.keeps(Rule::V5) { groups.len() } else { 1 };
        request_vote(cx, &mut groups[..asked], candidate, epoch);
    }
    if let Some(group) = groups.iter_mut().max_by_key(|group| group.vote.leader_epoch) {
        group.queue_ballot(cx, ticket, address);
    }
}

/// Grants a vote if every entry of that address can (rules V1, V2, V5).
fn request_vote(cx: &mut Cx<'_>, groups: &mut [&mut Group], candidate: SentinelId, epoch: Epoch) {
    let me = cx.host.my_id;
    let known = |group: &&mut Group| candidate == me || group.has_member(candidate);
    if !groups.iter().all(known) && cx.keeps(Rule::V2) {
        cx.host.counters.stranger_votes += 1;
        return;
    }
    if cx.host.is_far(epoch) {
        return;
    }
    if let Some(peer) = cx.peers.get_mut(&candidate) {
        peer.heard_at = cx.now.mono;
    }
    if cx.host.hear_epoch(epoch, cx.now.mono)
        && let Some(group) = groups.first_mut()
    {
        group.emit(cx, EventKind::NewEpoch, Detail::Epoch(epoch));
    }
    if groups.iter().all(|group| group.can_grant(cx, candidate, epoch)) {
        groups.iter_mut().for_each(|group| group.cast_vote(cx, candidate, epoch));
    }
}
