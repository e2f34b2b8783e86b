//! A coordinated failover: after its election the master itself hands over with the server's
//! `FAILOVER TO`. Writes pause there, the replica catches up, roles change, and nothing that was
//! acknowledged is lost. The pause is bounded; what comes of it is decided by what both say
//! (spec: DESIGN 2, "Coordinated failover"; rules L5, L6 and L7 as for a promotion).

use serde::{Deserialize, Serialize};

use crate::event::EventKind;
use crate::failover::{Ending, Failover, Stage, Step, Told};
use crate::group::Group;
use crate::host::{Cx, NodeId};
use crate::limits;
use crate::link::Expected;
use crate::note::Note;
use crate::query::{HandOverReply, HandOverState, Query, ReplicationTarget, Role};
use crate::request::Refusal;
use crate::rules::Rule;
use crate::time::{Span, Time};

/// A master that was told to hand over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HandOver {
    pub(crate) candidate: NodeId,
    sent_at: Time,
    /// When the replica is asked next how far it is.
    ack_at: Time,
    /// When it was told to stop.
    recalled_at: Option<Time>,
    /// It refused.
    refused: bool,
}

impl Group {
    /// Why this master cannot be asked to hand over.
    pub(crate) fn refuse_hand_over(&self, cx: &Cx<'_>) -> Option<Refusal> {
        // A majority of a list that is not whole is none.
        if !self.standing.knows_members() && cx.keeps(Rule::S6) {
            return Some(Refusal::NoFreshView);
        }
        let usable = !self.node.is_down() && self.node.is_reachable();
        if !usable || self.node.role != Role::Master {
            return Some(Refusal::MasterUnavailable);
        }
        let state = self.node.info.report.as_ref().and_then(|report| report.hand_over);
        match state {
            None => Some(Refusal::CannotHandOver),
            Some(HandOverState::Idle) => None,
            Some(HandOverState::Busy) => Some(Refusal::FailoverInProgress),
        }
    }

    /// Tells the master to hand over once both have said lately that they can.
    pub(crate) fn send_hand_over(
        &mut self,
        cx: &mut Cx<'_>,
        candidate: NodeId,
        unusable_since: Option<Time>,
    ) -> Step {
        let now = cx.now.mono;
        if self.loses_candidate(cx, candidate, unusable_since) {
            return Step::Next(Stage::Select { since: now });
        }
        if self.node.is_down() || self.node.role != Role::Master {
            return Step::Abort(Ending::NoHandOver);
        }
        let as_name = cx.host.settings.announce_hostnames;
        let Some(replica) = self.replica_mut(candidate) else {
            return Step::Next(Stage::Select { since: now });
        };
        let fresh = replica.node.has_fresh_info(cx);
        if !fresh {
            replica.node.ask_info(cx);
        }
        let in_step = replica.node.reported.link_up && replica.node.role == Role::Replica;
        let told = Some(Told::of(&replica.node));
        let to = replica.node.address.announce(as_name);
        if !self.node.has_fresh_info(cx) {
            self.node.ask_info(cx);
            return Step::Wait;
        }
        if !fresh || !self.node.is_reachable() {
            return Step::Wait;
        }
        if self.is_forbidden(cx, candidate) {
            return Step::Next(Stage::Select { since: now });
        }
        if !in_step {
            return Step::Abort(Ending::NoGoodReplica);
        }
        let patience = self.hand_over_patience();
        let Some(conn) = &mut self.node.commands.conn else { return Step::Wait };
        conn.send(cx, Query::HandOver { to, patience }, Expected::HandOver);
        self.node.poll_info(cx);
        if let Some(failover) = &mut self.failover {
            failover.told = told;
        }
        self.emit_replica(cx, EventKind::StateWaitPromotion, candidate);
        let sent =
            HandOver { candidate, sent_at: now, ack_at: now, recalled_at: None, refused: false };
        Step::Next(Stage::WaitHandOver(sent))
    }

    /// How long the server may hold writes while the replica catches up.
    fn hand_over_patience(&self) -> Span {
        limits::HAND_OVER_PATIENCE.min(self.settings.failover_timeout)
    }

    /// Waits for `role:master` from the candidate's own INFO, and ends what takes too long.
    pub(crate) fn wait_hand_over(&mut self, cx: &mut Cx<'_>, hand_over: &HandOver) -> Step {
        let (id, sent_at) = (hand_over.candidate, hand_over.sent_at);
        let Some(replica) = self.replica(id) else { return Step::Abort(Ending::NoHandOver) };
        let turned = replica.node.role == Role::Master && replica.node.info.is_newer_than(sent_at);
        if turned {
            return self.decide(cx, id);
        }
        if cx.due(hand_over.ack_at) {
            self.hurry_replica(cx, id);
        }
        let since = hand_over.recalled_at.unwrap_or(sent_at);
        if hand_over.refused || self.node.is_down() || self.kept_the_role(since) {
            return Step::Abort(Ending::NoHandOver);
        }
        let Some(recalled_at) = hand_over.recalled_at else {
            let late = sent_at + self.hand_over_patience() + limits::HAND_OVER_GRACE;
            if cx.due(late) {
                self.recall_hand_over(cx);
                if let Some(Failover { stage: Stage::WaitHandOver(kept), .. }) = &mut self.failover
                {
                    kept.recalled_at = Some(cx.now.mono);
                }
                cx.wake(cx.now.mono + limits::HAND_OVER_GRACE);
            }
            return Step::Wait;
        };
        match cx.due(recalled_at + limits::HAND_OVER_GRACE) {
            true => Step::Abort(Ending::NoHandOver),
            false => Step::Wait,
        }
    }

    /// A replica tells its master once a second how far it is; writes are held no longer than it
    /// takes, so it is asked to tell at once.
    fn hurry_replica(&mut self, cx: &mut Cx<'_>, id: NodeId) {
        let next = cx.now.mono + limits::HAND_OVER_ACK_PAUSE;
        if let Some(Failover { stage: Stage::WaitHandOver(kept), .. }) = &mut self.failover {
            kept.ack_at = next;
        }
        cx.wake(next);
        let Some(replica) = self.replica_mut(id) else { return };
        let node = &mut replica.node;
        if !node.can_ask_info(cx) {
            return;
        }
        if let Some(conn) = &node.commands.conn {
            conn.send_unanswered(cx, Query::TellOffset);
        }
        node.ask_info(cx);
    }

    /// The master says that it is one, and that nothing is going on any more. An INFO asked in the
    /// same millisecond may have left before the order.
    fn kept_the_role(&self, since: Time) -> bool {
        let state = self.node.info.report.as_ref().and_then(|report| report.hand_over);
        self.node.role == Role::Master
            && self.node.info.is_newer_than(since + Span(1))
            && state == Some(HandOverState::Idle)
    }

    /// `FAILOVER ABORT`: the server holds writes no longer.
    fn recall_hand_over(&mut self, cx: &mut Cx<'_>) {
        if let Some(conn) = &mut self.node.commands.conn
            && conn.is_established()
        {
            conn.send(cx, Query::RecallHandOver, Expected::Nothing);
            self.node.ask_info(cx);
        }
    }

    /// A failover ends before its time: what the master was told is taken back.
    pub(crate) fn give_up_hand_over(&mut self, cx: &mut Cx<'_>) {
        if let Some(Failover { stage: Stage::WaitHandOver(hand_over), .. }) = &self.failover
            && hand_over.recalled_at.is_none()
            && !hand_over.refused
        {
            self.recall_hand_over(cx);
        }
    }

    /// The master answered the order.
    pub(crate) fn hear_hand_over(&mut self, cx: &mut Cx<'_>, reply: &HandOverReply) {
        let HandOverReply::Refused(why) = reply else { return };
        if let Some(Failover { stage: Stage::WaitHandOver(hand_over), .. }) = &mut self.failover {
            hand_over.refused = true;
            let node = self.endpoint(cx);
            cx.note(Note::HandOverRefused { node, why: why.clone() });
        }
    }

    /// After it handed over, the old master's clients are sent away: the transaction with the
    /// address that it follows already changes nothing else.
    pub(crate) fn bid_farewell(&mut self, cx: &mut Cx<'_>) {
        let Some(id) = self.farewell else { return };
        let target = ReplicationTarget::Node(self.endpoint(cx));
        let master = self.node.address.clone();
        let configured_at = self.configured_at;
        let Some(replica) = self.replica_mut(id) else {
            self.farewell = None;
            return;
        };
        let node = &mut replica.node;
        if !node.info.is_newer_than(configured_at) || !node.is_reachable() {
            return;
        }
        if node.role == Role::Master {
            // It turned again: rules R1 and R2.
            self.farewell = None;
            return;
        }
        if !node.follows(&master) || node.awaits_transaction() {
            return;
        }
        // The new one has taken over and this one has not heard it yet: it is not disturbed. It is
        // polled since the promotion.
        if node.is_handing_over() {
            return;
        }
        if !node.has_fresh_info(cx) {
            node.ask_info(cx);
            return;
        }
        node.stop_polling();
        node.tell_to_follow(cx, target);
        self.farewell = None;
    }
}
