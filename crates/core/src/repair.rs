//! Repairs: the returning master, stray masters, replicas of the wrong master, two addresses under
//! one epoch (spec: behaviour 7.4, 7.5, 7.7; rules R1 to R3, A2).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::event::EventKind;
use crate::group::Group;
use crate::host::{Cx, NodeId};
use crate::ident::Epoch;
use crate::limits;
use crate::node::Node;
use crate::query::{ReplicationTarget, Role};
use crate::rules::Rule;
use crate::settings::Tunable;
use crate::time::{Span, Time};

/// The node that was master in the configuration that this Sentinel left last (rule R2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeftMaster {
    node: NodeId,
    /// This Sentinel led a forced failover: demoted at once (rule C1).
    forced: bool,
    /// Hellos were asked for since it was seen as a master.
    announced: bool,
}

impl LeftMaster {
    pub(crate) fn new(node: NodeId, forced: bool) -> Self {
        Self { node, forced, announced: false }
    }
}

/// Another address was heard under our config epoch (rule A2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conflict {
    pub(crate) address: Address,
    pub(crate) epoch: Epoch,
    pub(crate) heard_at: Time,
}

/// What a replica needs.
enum Need {
    Nothing,
    /// It says that it is a master.
    Demotion,
    /// It follows somebody else.
    Redirection,
}

impl Group {
    /// Repairs what fresh evidence shows to be wrong. A Sentinel at work repairs nothing.
    pub(crate) fn repair(&mut self, cx: &mut Cx<'_>) {
        self.forget_left_master();
        self.bid_farewell(cx);
        if self.leads() || self.both_are_masters(cx) {
            return;
        }
        let ids: Vec<NodeId> = self.replicas.iter().map(|replica| replica.node.id).collect();
        for id in ids {
            match self.need_of(cx, id) {
                Need::Nothing => {}
                Need::Demotion => self.redirect(cx, id, EventKind::ConvertToReplica),
                Need::Redirection => self.redirect(cx, id, EventKind::FixReplicaConfig),
            }
        }
    }

    fn need_of(&mut self, cx: &mut Cx<'_>, id: NodeId) -> Need {
        let Some(replica) = self.replica(id) else { return Need::Nothing };
        if replica.node.is_down() || replica.node.info.at.is_none() || replica.is_repointing() {
            return Need::Nothing;
        }
        let role = replica.node.role;
        match role {
            Role::Master if self.is_demoted_at_once(cx, id) => Need::Demotion,
            Role::Master if self.is_stray(cx, id) => Need::Demotion,
            Role::Replica if self.is_misled(cx, id) => Need::Redirection,
            Role::Master | Role::Replica => Need::Nothing,
        }
    }

    /// Evidence of its own since the switch shows a master in service (spec: behaviour 7.7, H14).
    fn looks_sane(&self, cx: &mut Cx<'_>) -> bool {
        let node = &self.node;
        let window = cx.host.tunables.get(Tunable::InfoPeriod) * 2;
        node.role == Role::Master
            && !node.is_down()
            && self.odown_since.is_none()
            && node.info.at.is_some_and(|at| cx.age(at) < window)
            && (node.info.is_newer_than(self.configured_at) || !cx.keeps(Rule::H14))
    }

    /// Rule R1: an unannounced promotion is given time to be announced, on that very node.
    fn is_stray(&self, cx: &mut Cx<'_>, id: NodeId) -> bool {
        let window = cx.host.tunables.get(Tunable::PublishPeriod) * limits::STRAY_PUBLISH_PERIODS;
        let sane = self.looks_sane(cx);
        if crate::mutant::Mutant::FreshMasterDemoted.lives() {
            return true;
        }
        let Some(node) = self.replica(id).map(|replica| &replica.node) else { return false };
        sane && node.is_settled(cx, Rule::R1, node.role_at, window)
    }

    /// Rule R3.
    fn is_misled(&self, cx: &mut Cx<'_>, id: NodeId) -> bool {
        let sane = self.looks_sane(cx);
        let Some(node) = self.replica(id).map(|replica| &replica.node) else { return false };
        let wrong = node.reported.master.is_some() && !node.follows(&self.node.address);
        if crate::mutant::Mutant::MisledAtSight.lives() {
            return wrong && sane;
        }
        let window = self.settings.failover_timeout;
        wrong && sane && node.is_settled(cx, Rule::R3, node.reported.changed_at, window)
    }

    /// Rule R2 and the end of rule C1.
    fn is_demoted_at_once(&mut self, cx: &mut Cx<'_>, id: NodeId) -> bool {
        let left = self.left.clone().filter(|left| left.node == id && cx.keeps(Rule::R2));
        let Some(left) = left else { return false };
        let Some(seen_at) = self.replica(id).map(|replica| replica.node.role_at) else {
            return false;
        };
        if crate::mutant::Mutant::ForcedLeavesOldMaster.lives() {
            return false;
        }
        if left.forced {
            return true;
        }
        if !left.announced {
            self.node.ask_info(cx);
            self.force_hellos();
            if let Some(left) = &mut self.left {
                left.announced = true;
            }
            cx.wake(cx.now.mono);
        }
        let confirmed = self.looks_sane(cx) && self.node.info.is_newer_than(seen_at);
        confirmed && self.majority_announces(seen_at) && epochs_are_calm(cx)
    }

    /// Hellos since then show that a majority serves our configuration.
    fn majority_announces(&self, since: Time) -> bool {
        if crate::mutant::Mutant::ReturningMasterAtSight.lives() {
            return true;
        }
        let agrees = |(address, epoch, at): &(crate::Endpoint, Epoch, Time)| {
            *at >= since && *epoch == self.config_epoch && self.is_at(&Address::new(address))
        };
        let agreeing = self.members.iter().filter(|m| m.announces.as_ref().is_some_and(agrees));
        let count = u32::try_from(agreeing.count()).unwrap_or(u32::MAX - 1) + 1;
        count > self.voters() / 2
    }

    /// The old master said that it follows somebody: no haste any more. At once, whenever that INFO
    /// was asked for: in TILT no repair looks, and it may turn again meanwhile.
    pub(crate) fn hear_following(&mut self, id: NodeId) {
        self.left = self.left.take().filter(|left| left.node != id);
    }

    /// A node that is gone, or is the master again, is nobody's old master.
    fn forget_left_master(&mut self) {
        self.left = self.left.take().filter(|left| self.replica(left.node).is_some());
    }

    /// Sends the transaction, on fresh INFO only (rule L5), and not again within a second to a node
    /// that has not obeyed. One that has changed its role since needs another order, not the same.
    fn redirect(&mut self, cx: &mut Cx<'_>, id: NodeId, kind: EventKind) {
        let target = ReplicationTarget::Node(self.endpoint(cx));
        let Some(replica) = self.replica_mut(id) else { return };
        let node = &mut replica.node;
        if node.awaits_transaction() || !node.is_reachable() {
            return;
        }
        let unheeded = node.told_at.filter(|at| *at >= node.role_at);
        if unheeded.is_some_and(|at| !cx.due(at + limits::FRESH_INFO)) {
            return;
        }
        if !node.has_fresh_info(cx) {
            node.ask_info(cx);
            return;
        }
        // What it answered to the last order may lie unread (seeds 13000336, 10058772; rule E3).
        if !cx.verdict_due(cx.now.mono) {
            return;
        }
        node.tell_to_follow(cx, target);
        self.emit_replica(cx, kind, id);
    }

    /// Fresh INFO shows a master at both addresses of a conflict (rule A2).
    fn both_are_masters(&self, cx: &Cx<'_>) -> bool {
        let conflict = self.conflict.as_ref().filter(|_| cx.keeps(Rule::A2));
        let Some(conflict) = conflict else { return false };
        let recent = cx.host.tunables.get(Tunable::PublishPeriod) * 3;
        let window = cx.host.tunables.get(Tunable::InfoPeriod) * 2;
        let says_master = |node: &Node| {
            node.role == Role::Master
                && !node.is_down()
                && node.info.at.is_some_and(|at| cx.age(at) < window)
        };
        let other = self.replicas.iter().find(|r| r.node.address.same(&conflict.address));
        conflict.epoch == self.config_epoch
            && cx.age(conflict.heard_at) < recent
            && says_master(&self.node)
            && other.is_some_and(|replica| says_master(&replica.node))
    }

    /// Whether this is the other address of a conflict that must be settled (rule A2).
    pub(crate) fn contests(&self, cx: &Cx<'_>, address: &Address) -> bool {
        let other = self.conflict.as_ref().is_some_and(|c| c.address.same(address));
        other && self.both_are_masters(cx)
    }

    /// One of the members holding the addresses is elected and announces its own anew (rule A2).
    pub(crate) fn must_reclaim(&self, cx: &Cx<'_>) -> bool {
        self.both_are_masters(cx)
    }

    /// The held address is announced under a new epoch.
    pub(crate) fn reclaimed(&mut self, cx: &mut Cx<'_>, epoch: Epoch) {
        self.end_term();
        self.conflict = None;
        self.config_epoch = epoch;
        self.force_hellos();
        self.save(cx);
        self.show(cx);
    }
}

impl Node {
    /// It has been like this for a whole window, in which it was not down and in which our
    /// subscription on it was confirmed: a deaf Sentinel must not act.
    fn is_settled(&self, cx: &mut Cx<'_>, rule: Rule, since: Time, window: Span) -> bool {
        let deaf = if cx.keeps(rule) { None } else { Some(Time::default()) };
        let Some(subscribed_at) = self.subscribed_at.or(deaf) else { return false };
        let calm = self.down.calm_from(cx, window);
        cx.due((since.max(subscribed_at) + window + Span(1)).max(calm))
    }
}

impl crate::group::Replica {
    fn is_repointing(&self) -> bool {
        match self.reconf {
            Some((crate::ReconfState::Sent | crate::ReconfState::InProgress, _)) => true,
            Some((crate::ReconfState::Done, _)) | None => false,
        }
    }
}

/// Nobody's epoch rose in the last eight seconds (rule R2).
fn epochs_are_calm(cx: &mut Cx<'_>) -> bool {
    let window = cx.host.tunables.get(Tunable::PublishPeriod) * limits::STRAY_PUBLISH_PERIODS;
    cx.host.epoch_rose_at.is_none_or(|at| cx.due(at + window))
}
