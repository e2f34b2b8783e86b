//! Asking the fellow Sentinels whether a master is down, and for their votes (spec: behaviour 9.1,
//! 9.4; rules S1, S5, S6).

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::agreement::{Told, Worth};
use crate::down::OpinionOfPeer;
use crate::event::{Detail, EventKind};
use crate::failover::Stage;
use crate::group::{Group, Member};
use crate::host::{Cx, Host};
use crate::ident::{ConnId, Epoch, MasterId, SentinelId};
use crate::limits;
use crate::link::Expected;
use crate::mutant::Mutant;
use crate::note::Note;
use crate::query::{Opinion, Query};
use crate::rules::Rule;
use crate::settings::Tunable;
use crate::time::{Span, Time};

/// What was asked; an answer counts only for this address and this epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) master: MasterId,
    pub(crate) address: Address,
    /// The failover epoch, if a vote was asked for.
    pub(crate) ballot: Option<Epoch>,
    pub(crate) asked_at: Time,
}

/// The pace of the questions to one member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asking {
    next_at: Time,
    pause: Span,
    outstanding: Option<(ConnId, Option<Epoch>)>,
    /// The candidacy this member was asked about, and since when.
    pub(crate) ballot: Option<Ballot>,
}

/// A member's part in our present candidacy (rule S5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ballot {
    pub(crate) epoch: Epoch,
    pub(crate) first_asked_at: Time,
    /// What its last answer that counts was worth.
    pub(crate) answer: Option<Worth>,
}

impl Asking {
    /// The next question leaves at once, and the pauses are short again.
    fn reset(&mut self) {
        self.next_at = Time::default();
        self.pause = limits::FIRST_ASK_PAUSE;
    }

    /// A new candidacy is asked about at once; else at the growing pace.
    fn due_at(&self, ballot: Option<Epoch>) -> Time {
        let asked = self.ballot.map(|asked| asked.epoch);
        if ballot.is_some() && ballot != asked { Time::default() } else { self.next_at }
    }

    fn is_waiting(&self, conn: ConnId, ballot: Option<Epoch>) -> bool {
        self.outstanding == Some((conn, ballot))
    }
}

impl Group {
    /// Every member is asked now, and then at growing pauses (rule S1).
    pub(crate) fn ask_at_once(&mut self) {
        self.members.iter_mut().for_each(|member| member.asking.reset());
    }

    /// The epoch for which votes are being asked: only once our own vote is durable.
    fn open_ballot(&self) -> Option<Epoch> {
        let failover = self.failover.as_ref()?;
        match failover.stage {
            Stage::WaitStart => {
                (self.durable_leader_epoch() >= failover.epoch).then_some(failover.epoch)
            }
            Stage::Select { .. }
            | Stage::SendNoOne { .. }
            | Stage::WaitPromotion(_)
            | Stage::SendHandOver { .. }
            | Stage::WaitHandOver(_)
            | Stage::Deciding { .. } => None,
        }
    }

    /// Asks whoever is due.
    pub(crate) fn ask_members(&mut self, cx: &mut Cx<'_>) {
        let ballot = self.open_ballot();
        if !self.is_down() && ballot.is_none() && !self.must_reclaim(cx) {
            return;
        }
        if Mutant::AskingStopsAtOdown.lives() && self.odown_since.is_some() && ballot.is_none() {
            return;
        }
        for index in 0..self.members.len() {
            let id = self.members[index].id;
            let due_at = self.members[index].asking.due_at(ballot);
            let Some(conn) = cx.peers.get(&id).and_then(|peer| {
                peer.is_reachable().then(|| peer.line.conn.as_ref().map(|conn| conn.id))?
            }) else {
                continue;
            };
            if self.members[index].asking.is_waiting(conn, ballot) || !cx.due(due_at) {
                continue;
            }
            if ballot.is_some() {
                self.introduce(cx, id, conn);
            }
            self.ask(cx, index, conn, ballot);
        }
    }

    fn ask(&mut self, cx: &mut Cx<'_>, index: usize, conn: ConnId, ballot: Option<Epoch>) {
        let now = cx.now.mono;
        let longest = cx.host.tunables.get(Tunable::AskPeriod);
        let address = self.node.address.clone();
        let endpoint = self.endpoint(cx);
        let member = &mut self.members[index];
        member.asking.outstanding = Some((conn, ballot));
        if member.asking.due_at(ballot) == Time::default() {
            member.asking.pause = limits::FIRST_ASK_PAUSE;
        }
        let pause = member.asking.pause.max(limits::FIRST_ASK_PAUSE).min(longest);
        let pause = if cx.keeps(Rule::S1) { pause } else { longest };
        member.asking.next_at = now + pause;
        member.asking.pause = (pause + pause / 2).min(longest);
        if let Some(epoch) = ballot {
            member.open_ballot(epoch, now);
        }
        let query = Query::AskDown {
            address: endpoint,
            epoch: ballot.unwrap_or(cx.host.gate.durable_epoch),
            vote_for: ballot.map(|_| cx.host.my_id),
        };
        let question = Question { master: self.id, address, ballot, asked_at: now };
        let Some(peer) = cx.peers.get_mut(&member.id) else { return };
        let Some(mut connection) = peer.line.conn.take() else { return };
        connection.send(cx, query, Expected::Ask(Box::new(question)));
        if let Some(peer) = cx.peers.get_mut(&member.id) {
            peer.line.conn = Some(connection);
        }
    }

    /// A member answered (spec: behaviour 9.4).
    pub(crate) fn hear_opinion(
        &mut self,
        cx: &mut Cx<'_>,
        id: SentinelId,
        question: &Question,
        opinion: Option<Opinion>,
    ) {
        let now = cx.now.mono;
        // The address may have been the master's before, and be so again: what was asked before
        // the switch is about another term (rule E5).
        let here = (self.node.address.same(&question.address)
            && question.asked_at >= self.configured_at)
            || !self.keeps(Rule::E5);
        let Some(member) = self.member_mut(id) else { return };
        member.asking.outstanding = None;
        let Some(opinion) = opinion else { return };
        if cx.host.is_far(opinion.leader_epoch) {
            return;
        }
        if here {
            member.answered_at = Some(now);
            member.opinion = Some(OpinionOfPeer { down: opinion.down, at: now });
        }
        if let Some(leader) = opinion.leader {
            let (epoch, news) = (opinion.leader_epoch, member.leader_epoch != opinion.leader_epoch);
            member.leader = Some(leader);
            member.leader_epoch = epoch;
            if news {
                cx.note(Note::VotedFor { sentinel: id, leader, epoch });
            }
        }
        if let Some(epoch) = question.ballot.filter(|_| here) {
            member.count_ballot(cx.host, epoch, &opinion);
        }
        if cx.host.hear_epoch(opinion.leader_epoch, now) {
            self.emit(cx, EventKind::NewEpoch, Detail::Epoch(opinion.leader_epoch));
        }
        self.show(cx);
    }
}

impl Member {
    fn open_ballot(&mut self, epoch: Epoch, now: Time) {
        if self.asking.ballot.is_none_or(|ballot| ballot.epoch != epoch) {
            self.asking.ballot = Some(Ballot { epoch, first_asked_at: now, answer: None });
        }
    }

    /// Only answers with exactly our epoch are votes (rule S5).
    fn count_ballot(&mut self, host: &Host, epoch: Epoch, opinion: &Opinion) {
        let me = host.my_id;
        let Some(ballot) = self.asking.ballot.as_mut().filter(|ballot| ballot.epoch == epoch)
        else {
            return;
        };
        let told = Told { leader: opinion.leader, epoch: opinion.leader_epoch };
        let worth = told.worth(me, epoch, host.current_epoch, host.rules);
        // An early answer takes back nothing; a vote at our epoch may come late.
        ballot.answer = match (worth, ballot.answer) {
            _ if Mutant::VotesOfOtherEpochs.lives() && told.leader == Some(me) => Some(Worth::Mine),
            (Worth::Early, before @ Some(_)) => before,
            (worth, _) => Some(worth),
        };
    }
}
