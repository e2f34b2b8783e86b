//! Repointing the other replicas after a promotion (spec: behaviour 10.8, 7.6; rule L7; holes H10,
//! H11).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::event::{Detail, EventKind};
use crate::group::{Group, Replica};
use crate::host::{Cx, NodeId};
use crate::query::{ReplicationTarget, Role};
use crate::rules::Rule;
use crate::settings::Tunable;
use crate::time::Time;
use crate::view::ReconfState;

/// Repointing after a promotion that this Sentinel led.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Repointing {
    since: Time,
    /// The old master is demoted by other rules (rule L5).
    old_master: NodeId,
}

impl Group {
    pub(crate) fn start_repointing(&mut self, cx: &mut Cx<'_>, old_master: NodeId) {
        self.repointing = Some(Repointing { since: cx.now.mono, old_master });
    }

    /// Repoints `parallel-syncs` replicas at a time; each has its own time limit.
    pub(crate) fn repoint_replicas(&mut self, cx: &mut Cx<'_>) {
        let Some(repointing) = self.repointing.clone() else { return };
        let concerned: Vec<NodeId> = self
            .replicas
            .iter()
            .map(|replica| replica.node.id)
            .filter(|id| *id != repointing.old_master)
            .collect();
        for id in &concerned {
            self.time_out_repointing(cx, *id);
        }
        let at_once = usize::try_from(self.settings.parallel_syncs).unwrap_or(usize::MAX);
        for id in &concerned {
            let busy = self.replicas.iter().filter(|replica| replica.is_busy()).count();
            if busy < at_once {
                self.repoint(cx, *id, EventKind::ReplicaReconfSent);
            }
        }
        self.end_repointing(cx, &repointing, &concerned);
    }

    /// A replica without progress gives its place back (spec: holes H10).
    fn time_out_repointing(&mut self, cx: &mut Cx<'_>, id: NodeId) {
        let limit = cx.host.tunables.get(Tunable::SlaveReconfTimeout);
        if !cx.keeps(Rule::H10) {
            return;
        }
        let Some(replica) = self.replica_mut(id) else { return };
        let Some((ReconfState::Sent, at)) = replica.reconf else { return };
        if cx.due(at + limit) {
            replica.reconf = Some((ReconfState::Done, cx.now.mono));
            self.emit_replica(cx, EventKind::ReplicaReconfSentTimeout, id);
            self.show(cx);
        }
    }

    /// Sends one replica to the new master, if rule L5 allows it.
    fn repoint(&mut self, cx: &mut Cx<'_>, id: NodeId, kind: EventKind) {
        let mut target = ReplicationTarget::Node(self.endpoint(cx));
        if let Some(old) = &self.repointing
            && let Some(old) = self.replica(old.old_master)
            && crate::mutant::Mutant::OldMasterFollowed.lives()
        {
            target = ReplicationTarget::Node(old.node.address.announce(false));
        }
        let now = cx.now.mono;
        let Some(replica) = self.replica_mut(id) else { return };
        let waiting = replica.reconf.is_none() && replica.node.is_reachable();
        if !waiting || replica.node.is_down() {
            return;
        }
        if !replica.node.has_fresh_info(cx) {
            replica.node.ask_info(cx);
            return;
        }
        if replica.node.says_master() {
            return;
        }
        replica.node.tell_to_follow(cx, target);
        replica.reconf = Some((ReconfState::Sent, now));
        self.emit_replica(cx, kind, id);
        self.show(cx);
    }

    fn end_repointing(&mut self, cx: &mut Cx<'_>, repointing: &Repointing, concerned: &[NodeId]) {
        let remaining =
            concerned.iter().filter_map(|id| self.replica(*id)).any(Replica::is_awaited);
        let timeout = cx.due(repointing.since + self.settings.failover_timeout);
        if remaining && !timeout {
            return;
        }
        if remaining {
            self.emit(cx, EventKind::FailoverEndForTimeout, Detail::None);
        }
        self.emit(cx, EventKind::FailoverEnd, Detail::None);
        for id in concerned.iter().filter(|_| remaining) {
            self.repoint(cx, *id, EventKind::ReplicaReconfSentBestEffort);
        }
        self.repointing = None;
        self.forget_progress();
        self.show(cx);
    }

    /// Whoever was repointed is an ordinary replica again.
    fn forget_progress(&mut self) {
        for replica in &mut self.replicas {
            if let Some((ReconfState::Done, _)) = replica.reconf {
                replica.reconf = None;
            }
        }
    }

    /// INFO shows how far a repointed replica is (spec: behaviour 7.6).
    pub(crate) fn note_progress(&mut self, cx: &mut Cx<'_>, id: NodeId) {
        let master = self.node.address.clone();
        let now = cx.now.mono;
        let awaits_promotion =
            self.failover.as_ref().and_then(crate::failover::Failover::candidate) == Some(id);
        let Some(replica) = self.replica_mut(id) else { return };
        if replica.node.role != Role::Replica || !replica.node.follows(&master) {
            return;
        }
        let up = replica.node.reported.link_up;
        let mut kinds = Vec::new();
        if let Some((ReconfState::Sent, _)) = replica.reconf {
            replica.reconf = Some((ReconfState::InProgress, now));
            kinds.push(EventKind::ReplicaReconfInProgress);
        }
        if let Some((ReconfState::InProgress, _)) = replica.reconf.filter(|_| up) {
            replica.reconf = Some((ReconfState::Done, now));
            kinds.push(EventKind::ReplicaReconfDone);
        }
        if up && !awaits_promotion {
            replica.node.stop_polling();
        }
        for kind in kinds {
            self.emit_replica(cx, kind, id);
        }
        if self.repointing.is_none() {
            self.forget_progress();
        }
    }

    /// A refused transaction is sent again without what was refused (rule L6).
    pub(crate) fn transaction_refused(&mut self, cx: &mut Cx<'_>, id: NodeId) {
        if let Some(replica) = self.replica_mut(id) {
            if let Some((ReconfState::Sent, _)) = replica.reconf {
                replica.reconf = None;
            }
            replica.node.ask_info(cx);
        }
    }
}

impl Replica {
    fn is_busy(&self) -> bool {
        match self.reconf {
            Some((ReconfState::Sent | ReconfState::InProgress, _)) => true,
            Some((ReconfState::Done, _)) | None => false,
        }
    }

    /// The end of repointing waits for it; stray masters are left to the repairs (rule L5).
    fn is_awaited(&self) -> bool {
        let done = matches!(self.reconf, Some((ReconfState::Done, _)));
        !done && !self.node.is_down() && !self.node.says_master()
    }
}
