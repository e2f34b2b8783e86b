//! Choosing the replica to promote, on fresh evidence (spec: behaviour 10.4; rules L3, L4).

use alloc::vec::Vec;

use crate::choice::{self, Candidate, Circumstances, Exclusion};
use crate::event::EventKind;
use crate::failover::{Cause, Ending, Stage, Step};
use crate::group::{Group, Replica};
use crate::host::{Cx, NodeId};
use crate::limits;
use crate::node::Node;
use crate::note::Note;
use crate::query::Role;
use crate::rules::Rule;
use crate::settings::Tunable;
use crate::time::Time;

impl Group {
    /// Waits briefly for fresh INFO, then ranks; repeats while nobody is eligible (rule L3). What
    /// can be read is read first, as before every verdict (rule E3).
    pub(crate) fn select(&mut self, cx: &mut Cx<'_>, since: Time) -> Step {
        // With a short failover-timeout that may come before its own patience ends.
        if self.is_out_of_time(cx) {
            self.explain_choice(cx);
            return Step::Abort(Ending::NoGoodReplica);
        }
        let hasty = !cx.keeps(Rule::L3);
        let now = cx.now.mono;
        if !hasty && !cx.verdict_due(now) {
            return Step::Wait;
        }
        if !hasty && !self.all_infos_fresh() && !cx.due(since + limits::FRESH_INFO_PATIENCE) {
            return Step::Wait;
        }
        let may_wait = !hasty && self.may_find_better(cx, since);
        let Some(candidate) = self.choose(cx).filter(|_| !may_wait) else {
            if hasty || cx.due(since + limits::CHOICE_PATIENCE) {
                self.explain_choice(cx);
                return Step::Abort(Ending::NoGoodReplica);
            }
            self.ask_stale_infos(cx, since);
            return Step::Wait;
        };
        self.explain_choice(cx);
        self.emit_replica(cx, EventKind::SelectedReplica, candidate);
        self.emit_replica(cx, EventKind::StateSendReplicaOfNoOne, candidate);
        let coordinated =
            self.failover.as_ref().is_some_and(|failover| failover.cause == Cause::Coordinated);
        Step::Next(match coordinated {
            true => Stage::SendHandOver { candidate, unusable_since: None },
            false => Stage::SendNoOne { candidate, unusable_since: None },
        })
    }

    /// Every reachable replica has answered an INFO asked since the failover was in sight.
    fn all_infos_fresh(&self) -> bool {
        let Some(failover) = &self.failover else { return false };
        let since = self.odown_since.unwrap_or(failover.began_at).min(failover.began_at);
        let reachable = self.replicas.iter().filter(|r| r.node.is_reachable() && !r.node.is_down());
        reachable.into_iter().all(|replica| replica.node.info.is_newer_than(since))
    }

    fn ask_stale_infos(&mut self, cx: &mut Cx<'_>, since: Time) {
        for replica in &mut self.replicas {
            if replica.node.is_reachable() && !replica.node.info.is_newer_than(since) {
                replica.node.ask_info(cx);
            }
        }
    }

    /// The best replica at this moment.
    pub(crate) fn choose(&self, cx: &Cx<'_>) -> Option<NodeId> {
        let index = choice::choose(&self.candidates(), &self.circumstances(cx))?;
        self.replicas.get(index).map(|replica| replica.node.id)
    }

    /// Whether it is worth waiting for somebody better for a moment (rule L4).
    fn may_find_better(&self, cx: &mut Cx<'_>, since: Time) -> bool {
        choice::has_stopgap_only(&self.candidates(), &self.circumstances(cx))
            && !cx.due(since + limits::STRAY_PATIENCE)
    }

    /// Whether the chosen replica must not be told after all: what it says of itself when the order
    /// is to leave may not be what it said when it was chosen (rule L5).
    pub(crate) fn is_forbidden(&self, cx: &Cx<'_>, id: NodeId) -> bool {
        let at = self.circumstances(cx);
        let forbids = |replica| choice::forbids(&self.candidate(replica), &at).is_some();
        self.replica(id).is_some_and(forbids)
    }

    /// Writes down why each replica is or is not eligible.
    fn explain_choice(&self, cx: &mut Cx<'_>) {
        let verdicts: Vec<Option<Exclusion>> =
            choice::judge(&self.candidates(), &self.circumstances(cx));
        let as_name = cx.host.settings.announce_hostnames;
        for (replica, why) in self.replicas.iter().zip(verdicts) {
            let node = replica.node.address.announce(as_name);
            cx.note(Note::Verdict { master: self.name.clone(), replica: node, why });
        }
    }

    fn candidates(&self) -> Vec<Candidate> {
        self.replicas.iter().map(|replica| self.candidate(replica)).collect()
    }

    fn candidate(&self, replica: &Replica) -> Candidate {
        let node = &replica.node;
        if !self.keeps(Rule::L4) {
            return self.plain_candidate(node);
        }
        self.full_candidate(node)
    }

    /// Without rule L4 a node's role and what it lived through do not matter.
    fn plain_candidate(&self, node: &Node) -> Candidate {
        let full = self.full_candidate(node);
        let link_down_ms = full.link_down_ms.max(0);
        Candidate { role: Role::Replica, turned_at: None, link_down_ms, ..full }
    }

    fn full_candidate(&self, node: &Node) -> Candidate {
        Candidate {
            down: node.is_down(),
            linked: node.is_linked(),
            ok_reply_at: node.ping.ok_at,
            info_at: node.info.at,
            priority: node.reported.priority,
            offset: node.reported.offset,
            run_id: node.run_id,
            link_down_ms: node.reported.link_down_ms,
            link_up: node.reported.link_up,
            role: node.role,
            follows_master: node.follows(&self.node.address),
            changed_at: node.reported.changed_at,
            turned_at: node.turned_at,
        }
    }

    /// The silence of a master is a measure if it answered since this Sentinel watches it, and is
    /// not down for saying that it is a replica: it may have been away for long before it said so
    /// (rule L4, H9).
    fn is_silence_known(&self) -> bool {
        let answered = self.node.ping.ok_at > self.watching_since;
        !self.keeps(Rule::H9) || (answered && self.node.role == Role::Master)
    }

    fn circumstances(&self, cx: &Cx<'_>) -> Circumstances {
        Circumstances {
            now: cx.now.mono,
            down_since: self.node.down.since,
            silence_known: self.is_silence_known(),
            down_after: self.settings.down_after,
            ping_period: cx.host.tunables.get(Tunable::PingPeriod),
            info_period: cx.host.tunables.get(Tunable::InfoPeriod),
        }
    }
}
