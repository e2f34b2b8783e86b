//! Promoting the chosen replica (spec: behaviour 10.6, 10.7; rules L1, L5, L6, L7).

use alloc::collections::BTreeSet;

use crate::event::{Detail, EventKind};
use crate::failover::{Cause, Ending, Failover, Promotion, Stage, Step, Told};
use crate::gate::Staged;
use crate::group::Group;
use crate::host::{Cx, NodeId};
use crate::ident::{ConnId, Epoch};
use crate::limits;
use crate::link::Expected;
use crate::node::Node;
use crate::note::Note;
use crate::query::{Query, ReplicationTarget, Role, TransactionCommand, TransactionOutcome};
use crate::repair::LeftMaster;
use crate::rules::Rule;
use crate::scripts::ScriptArguments;
use crate::time::Time;

impl Group {
    /// Tells the candidate to become a master once its INFO is fresh (rule L5).
    pub(crate) fn send_no_one(
        &mut self,
        cx: &mut Cx<'_>,
        candidate: NodeId,
        unusable_since: Option<Time>,
    ) -> Step {
        let now = cx.now.mono;
        if self.loses_candidate(cx, candidate, unusable_since) {
            return Step::Next(Stage::Select { since: now });
        }
        // Without rule L5 evidence of any age will do.
        let configured_at = if cx.keeps(Rule::L5) { self.configured_at } else { Time::default() };
        let Some(replica) = self.replica_mut(candidate) else {
            return Step::Next(Stage::Select { since: now });
        };
        let node = &mut replica.node;
        // What it said before the last switch is not what it is now.
        let has_evidence = node.has_fresh_info(cx) && node.info.is_newer_than(configured_at);
        if node.role == Role::Master && has_evidence {
            // The transaction before a broken link did its work, or another leader's did.
            return self.decide_unless_stray(cx, candidate);
        }
        if !node.is_reachable() {
            return Step::Wait;
        }
        if !has_evidence {
            if !node.info.is_newer_than(now) {
                node.ask_info(cx);
            }
            return Step::Wait;
        }
        if node.declined_at.is_some_and(|at| !cx.due(at + limits::FRESH_INFO)) {
            return Step::Wait;
        }
        // The INFO that lets the order go may tell what the one of the choice did not.
        if self.is_forbidden(cx, candidate) {
            return Step::Next(Stage::Select { since: now });
        }
        if !self.may_order(cx, candidate) {
            return Step::Wait;
        }
        if let Some(replica) = self.replica_mut(candidate) {
            replica.node.tell_to_follow(cx, ReplicationTarget::NoOne);
        }
        let told = self.replica(candidate).map(|replica| Told::of(&replica.node));
        let before = self.failover.as_mut().and_then(|f| core::mem::replace(&mut f.told, told));
        if before.map(|told| told.node) != Some(candidate) {
            self.emit_replica(cx, EventKind::StateWaitPromotion, candidate);
        }
        Step::Next(Stage::WaitPromotion(Promotion {
            candidate,
            sent_at: now,
            accepted_at: None,
            unusable_since: None,
        }))
    }

    /// Waits for `role:master` from the candidate's own INFO (rule L6).
    pub(crate) fn wait_promotion(
        &mut self,
        cx: &mut Cx<'_>,
        failover: &Failover,
        promotion: &Promotion,
    ) -> Step {
        let id = promotion.candidate;
        let Some(replica) = self.replica(id) else { return Step::Abort(Ending::ReplicaTimeout) };
        let node = &replica.node;
        if node.role == Role::Master && node.info.is_newer_than(promotion.sent_at) {
            return match promotion.accepted_at {
                Some(_) => self.decide(cx, id),
                None => self.decide_unless_stray(cx, id),
            };
        }
        let progress = promotion.accepted_at.unwrap_or(failover.began_at);
        if cx.due(progress + self.work_limit(cx)) {
            return Step::Abort(Ending::ReplicaTimeout);
        }
        if promotion.accepted_at.is_some() || !cx.keeps(Rule::L6) {
            return Step::Wait;
        }
        self.retry_promotion(cx, promotion)
    }

    /// Nobody accepted yet: a broken link is tried again, a lost replica replaced (rules L1, L6).
    fn retry_promotion(&mut self, cx: &mut Cx<'_>, promotion: &Promotion) -> Step {
        let (id, now) = (promotion.candidate, cx.now.mono);
        let unusable_since = self.unusable_since(id, promotion.unusable_since, now);
        if self.is_lost(cx, unusable_since) {
            return Step::Next(Stage::Select { since: now });
        }
        if let Some(Failover { stage: Stage::WaitPromotion(kept), .. }) = &mut self.failover {
            kept.unusable_since = unusable_since;
        }
        let waits = self.replica(id).is_some_and(|replica| replica.node.awaits_transaction());
        if waits || unusable_since.is_some() {
            return Step::Wait;
        }
        Step::Next(Stage::SendNoOne { candidate: id, unusable_since: None })
    }

    /// The candidate is a master, and did not say that it was told to become one. If it is not the
    /// process that was told, it may be a stray or empty one: a current replica goes first (L4).
    fn decide_unless_stray(&mut self, cx: &mut Cx<'_>, candidate: NodeId) -> Step {
        let told = self.failover.as_ref().and_then(|failover| failover.told);
        let now_there = self.replica(candidate).map(|replica| Told::of(&replica.node));
        if told != now_there && self.choose(cx).is_some_and(|best| best != candidate) {
            return Step::Next(Stage::Select { since: cx.now.mono });
        }
        self.decide(cx, candidate)
    }

    /// The new configuration goes to the disk; it takes effect, whole, once it is there.
    pub(crate) fn decide(&mut self, cx: &mut Cx<'_>, candidate: NodeId) -> Step {
        let Some(failover) = &self.failover else { return Step::Wait };
        if cx.host.gate.is_failing() {
            return Step::Wait;
        }
        let epoch = failover.epoch;
        if crate::mutant::Mutant::PromotionBeforeSave.lives() {
            self.promotion_saved(cx, candidate, epoch);
            return Step::Wait;
        }
        cx.host.gate.stage(Staged::Promotion { master: self.id, candidate, epoch });
        Step::Next(Stage::Deciding { candidate })
    }

    /// The promotion could not be saved: nothing of it is shown, and it is tried again.
    pub(crate) fn promotion_unsaved(&mut self, now: Time) {
        if let Some(failover) = &mut self.failover
            && let Stage::Deciding { candidate } = failover.stage
        {
            failover.stage = Stage::WaitPromotion(Promotion {
                candidate,
                sent_at: Time::default(),
                accepted_at: Some(now),
                unusable_since: None,
            });
        }
    }

    /// The promotion is durable: everybody learns of it (rule L7; order of DESIGN 2).
    pub(crate) fn promotion_saved(&mut self, cx: &mut Cx<'_>, candidate: NodeId, epoch: Epoch) {
        let current = self.failover.as_ref().is_some_and(|failover| failover.epoch == epoch);
        if current && candidate == self.node.id {
            self.reclaimed(cx, epoch);
            return;
        }
        let Some(replica) = self.replica(candidate).filter(|_| current) else {
            self.save(cx);
            return;
        };
        let to = replica.node.address.clone();
        let cause = self.failover.as_ref().map_or(Cause::Outage, |failover| failover.cause);
        let from = self.endpoint(cx);
        self.emit_replica(cx, EventKind::PromotedReplica, candidate);
        if cx.host.simulated.after_promotion {
            cx.crash();
            return;
        }
        self.emit(cx, EventKind::StateReconfReplicas, Detail::None);
        self.failover = None;
        self.config_epoch = epoch;
        let announced = to.announce(cx.host.settings.announce_hostnames);
        let arguments = ScriptArguments::ClientReconfig {
            master: self.name.clone(),
            leader: true,
            from: from.clone(),
            to: announced.clone(),
        };
        self.run_client_script(cx, arguments);
        let old = self.node.id;
        self.node.left_unheard |=
            cause == Cause::Outage && self.node.ping.ok_at <= self.configured_at;
        self.switch_to(cx, &to, Detail::Switch { from, to: announced });
        self.left = Some(LeftMaster::new(old, cause == Cause::Forced));
        if cause == Cause::Coordinated {
            self.node.confirm_role(cx);
            self.farewell = Some(old);
            if let Some(replica) = self.replica_mut(old) {
                replica.node.poll_info(cx);
            }
        }
        self.start_repointing(cx, old);
        self.force_hellos();
        self.announce(cx);
        self.save(cx);
    }

    /// A transaction was answered (spec: holes H7).
    pub(crate) fn hear_transaction(
        &mut self,
        cx: &mut Cx<'_>,
        conn: ConnId,
        outcome: TransactionOutcome,
    ) {
        let as_name = cx.host.settings.announce_hostnames;
        let Some(node) = self.node_on_mut(conn) else { return };
        node.transaction_on = None;
        let id = node.id;
        match outcome {
            TransactionOutcome::Done => self.promotion_accepted(cx, id),
            TransactionOutcome::Aborted(_) if !cx.keeps(Rule::L6) => {}
            TransactionOutcome::Aborted(commands) => {
                let commands: BTreeSet<TransactionCommand> = commands
                    .into_iter()
                    .filter(|command| *command != TransactionCommand::SlaveOf)
                    .collect();
                let news = !commands.is_subset(&node.refused);
                node.refused.extend(commands.iter().copied());
                let told = node.address.announce(as_name);
                if news {
                    cx.note(Note::TransactionRefused { node: told, commands });
                    self.transaction_refused(cx, id);
                } else {
                    node.decline(cx.now.mono);
                }
            }
            TransactionOutcome::SlaveOfFailed | TransactionOutcome::Refused => {
                node.decline(cx.now.mono);
            }
        }
    }

    fn promotion_accepted(&mut self, cx: &Cx<'_>, id: NodeId) {
        let Some(failover) = &mut self.failover else { return };
        let accepted_at = Some(cx.now.mono);
        let was_told = failover.told.is_some_and(|told| told.node == id);
        match &mut failover.stage {
            Stage::WaitPromotion(promotion) if promotion.candidate == id => {
                promotion.accepted_at = accepted_at;
            }
            // It was given up while its answer was on its way: nobody else is told any more (L1).
            Stage::Select { .. } | Stage::SendNoOne { .. } if was_told => {
                failover.stage = Stage::WaitPromotion(Promotion {
                    candidate: id,
                    sent_at: Time::default(),
                    accepted_at,
                    unusable_since: None,
                });
            }
            Stage::WaitStart
            | Stage::Select { .. }
            | Stage::SendNoOne { .. }
            | Stage::WaitPromotion(_)
            | Stage::SendHandOver { .. }
            | Stage::WaitHandOver(_)
            | Stage::Deciding { .. } => {}
        }
    }
}

impl Node {
    /// The SLAVEOF transaction and an INFO in one write (rule L6). INFO must be fresh (rule L5). A
    /// server that hands over, maybe for ever to one that died, is told to stop first: it would
    /// refuse (seed 13006214).
    pub(crate) fn tell_to_follow(&mut self, cx: &mut Cx<'_>, target: ReplicationTarget) {
        let hands_over = self.is_handing_over();
        let Some(conn) = &mut self.commands.conn else { return };
        if hands_over {
            conn.send(cx, Query::RecallHandOver, Expected::Nothing);
        }
        self.transaction_on = Some(conn.id);
        self.told_at = Some(cx.now.mono);
        let query = Query::Replicate { target, without: self.refused.clone() };
        conn.send(cx, query, Expected::Replicate);
        if cx.keeps(Rule::L6) {
            self.poll_info(cx);
        }
    }

    /// A node that was handed the role keeps it through a restart: `FAILOVER` leaves the node's
    /// file as it was, so that it would come back as a replica of its own replica.
    fn confirm_role(&mut self, cx: &mut Cx<'_>) {
        let refuses = self.refused.contains(&TransactionCommand::ConfigRewrite);
        if let Some(conn) = &mut self.commands.conn
            && conn.is_established()
            && !refuses
        {
            conn.send(cx, Query::RewriteConfig, Expected::Nothing);
        }
    }

    /// It will not do what it was told; it is not told again at once.
    fn decline(&mut self, now: Time) {
        self.declined_at = Some(now);
        self.stop_polling();
    }
}
