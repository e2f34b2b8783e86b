//! The failover machine: from candidacy to promotion (spec: behaviour 10; rules F, L, C1). What
//! follows the promotion is repointing, which is no part of it (spec: holes H11).

use serde::{Deserialize, Serialize};

use crate::event::{Detail, EventKind};
use crate::group::Group;
use crate::hand_over::HandOver;
use crate::host::{Cx, NodeId};
use crate::ident::{Epoch, RunId};
use crate::mutant::Mutant;
use crate::node::Node;
use crate::query::Role;
use crate::rules::Rule;
use crate::settings::Tunable;
use crate::time::{Span, Time};
use crate::view::{FailoverState, FailoverView};

/// A failover until its decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failover {
    /// The failover's own epoch F (rule S5).
    pub(crate) epoch: Epoch,
    pub(crate) cause: Cause,
    /// When it began.
    pub(crate) began_at: Time,
    /// From where the limit of the election is reckoned, and at the reference's pace the next
    /// attempt: a little later there (spec: behaviour 10.2).
    pub(crate) start_at: Time,
    /// When the first vote was asked for: the own vote was on disk (rule C1).
    pub(crate) asked_at: Option<Time>,
    /// The master's run id at the beginning (rule F4).
    pub(crate) run_id: Option<RunId>,
    /// Whom `SLAVEOF NO ONE` went to last in this epoch.
    pub(crate) told: Option<Told>,
    /// Ordered and contested: when it is tried again at a new epoch (rule C1).
    pub(crate) again_at: Option<Time>,
    /// Lost, but another id may win: answers are still read (rule F2).
    pub(crate) deferring: bool,
    pub(crate) stage: Stage,
}

/// Why there is a failover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cause {
    /// The master is objectively down.
    Outage,
    /// `SENTINEL FAILOVER` (rule C1).
    Forced,
    /// `SENTINEL FAILOVER … COORDINATED`: the master hands over itself.
    Coordinated,
    /// Settles two addresses under one epoch: the address held is announced anew (rule A2).
    Reclaim,
}

/// How far it is; each stage carries what it needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Waiting to be elected.
    WaitStart,
    /// Elected; choosing a replica.
    Select { since: Time },
    /// Waiting until the chosen replica can be told.
    SendNoOne { candidate: NodeId, unusable_since: Option<Time> },
    /// Told; waiting until it says that it is a master.
    WaitPromotion(Promotion),
    /// Waiting until the master can be told to hand over.
    SendHandOver { candidate: NodeId, unusable_since: Option<Time> },
    /// Told; waiting until the chosen replica says that it is a master.
    WaitHandOver(HandOver),
    /// It says so; the new configuration is on its way to the disk.
    Deciding { candidate: NodeId },
}

/// A replica that was told to become a master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Promotion {
    pub(crate) candidate: NodeId,
    pub(crate) sent_at: Time,
    /// When it accepted (rule L1).
    pub(crate) accepted_at: Option<Time>,
    pub(crate) unusable_since: Option<Time>,
}

/// A process that was told to become a master, or whose master was told to make it one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) node: NodeId,
    run_id: Option<RunId>,
}

impl Told {
    pub(crate) fn of(node: &Node) -> Self {
        Self { node: node.id, run_id: node.run_id }
    }
}

/// What a step of the machine leads to.
pub(crate) enum Step {
    /// Nothing more to do for now.
    Wait,
    /// Go on with this stage in the same turn.
    Next(Stage),
    /// Give up.
    Abort(Ending),
}

/// The ways in which a failover ends without a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    NotElected,
    NoGoodReplica,
    ReplicaTimeout,
    MasterIsBack,
    /// The master did not hand over.
    NoHandOver,
}

impl Failover {
    pub(crate) fn new(
        epoch: Epoch,
        cause: Cause,
        run_id: Option<RunId>,
        now: Time,
        desync: Span,
    ) -> Self {
        let stage = Stage::WaitStart;
        Self {
            epoch,
            cause,
            began_at: now,
            start_at: now + desync,
            asked_at: None,
            run_id,
            told: None,
            again_at: None,
            deferring: false,
            stage,
        }
    }

    /// At work: from election to confirmed promotion or abort (rule L1).
    pub(crate) fn is_at_work(&self) -> bool {
        self.stage != Stage::WaitStart
    }

    /// `SLAVEOF NO ONE` has left, and its effect is awaited.
    pub(crate) fn awaits_promotion(&self) -> bool {
        matches!(self.stage, Stage::WaitPromotion(_))
    }

    /// Nobody waits for a promotion.
    fn is_before_promotion(&self) -> bool {
        match self.stage {
            Stage::WaitStart
            | Stage::Select { .. }
            | Stage::SendNoOne { .. }
            | Stage::SendHandOver { .. } => true,
            Stage::WaitPromotion(_) | Stage::WaitHandOver(_) | Stage::Deciding { .. } => false,
        }
    }

    /// `SLAVEOF NO ONE` has not left, not even to a replica that was replaced since.
    fn is_harmless(&self) -> bool {
        self.is_before_promotion() && self.told.is_none()
    }

    /// The replica chosen for promotion.
    pub(crate) fn candidate(&self) -> Option<NodeId> {
        match &self.stage {
            Stage::WaitStart | Stage::Select { .. } => None,
            Stage::SendNoOne { candidate, .. }
            | Stage::SendHandOver { candidate, .. }
            | Stage::Deciding { candidate } => Some(*candidate),
            Stage::WaitPromotion(promotion) => Some(promotion.candidate),
            Stage::WaitHandOver(hand_over) => Some(hand_over.candidate),
        }
    }

    pub(crate) fn view(&self) -> FailoverView {
        let state = match self.stage {
            Stage::WaitStart => FailoverState::WaitStart,
            Stage::Select { .. } => FailoverState::SelectReplica,
            Stage::SendNoOne { .. } | Stage::SendHandOver { .. } => {
                FailoverState::SendReplicaOfNoOne
            }
            Stage::WaitPromotion(_) | Stage::WaitHandOver(_) | Stage::Deciding { .. } => {
                FailoverState::WaitPromotion
            }
        };
        let (forced, coordinated) = (self.cause == Cause::Forced, self.cause == Cause::Coordinated);
        FailoverView { state, forced, coordinated }
    }
}

/// Stages that can follow each other within one turn; more would be a loop.
const STEPS_PER_TURN: usize = 8;

impl Group {
    /// This Sentinel leads a failover of this master (rule L1).
    pub(crate) fn leads(&self) -> bool {
        self.failover.as_ref().is_some_and(Failover::is_at_work)
    }

    /// Runs as many stages as can run now.
    pub(crate) fn advance_failover(&mut self, cx: &mut Cx<'_>) {
        for _ in 0..STEPS_PER_TURN {
            let Some(failover) = self.failover.clone() else { return };
            let step = match self.interruption(cx, &failover) {
                Some(ending) => Step::Abort(ending),
                None => self.step(cx, &failover),
            };
            match step {
                Step::Wait => return,
                Step::Next(stage) => self.enter(cx, stage),
                Step::Abort(ending) => self.abort(cx, ending),
            }
        }
    }

    fn step(&mut self, cx: &mut Cx<'_>, failover: &Failover) -> Step {
        match &failover.stage {
            Stage::WaitStart => self.wait_start(cx, failover),
            Stage::Select { since } => self.select(cx, *since),
            Stage::SendNoOne { candidate, unusable_since } => {
                self.send_no_one(cx, *candidate, *unusable_since)
            }
            Stage::WaitPromotion(promotion) => self.wait_promotion(cx, failover, promotion),
            Stage::SendHandOver { candidate, unusable_since } => {
                self.send_hand_over(cx, *candidate, *unusable_since)
            }
            Stage::WaitHandOver(hand_over) => self.wait_hand_over(cx, hand_over),
            Stage::Deciding { .. } => Step::Wait,
        }
    }

    /// Reasons to end that hold in several stages (rules F4, L1).
    fn interruption(&mut self, cx: &mut Cx<'_>, failover: &Failover) -> Option<Ending> {
        if failover.is_harmless()
            && failover.cause == Cause::Outage
            && cx.keeps(Rule::F4)
            && self.master_is_back(failover)
        {
            return Some(Ending::MasterIsBack);
        }
        let choosing = matches!(failover.stage, Stage::Select { .. });
        (!choosing && self.is_out_of_time(cx)).then_some(Ending::ReplicaTimeout)
    }

    /// A leader that has promoted nobody by now must not any more (rule L1).
    pub(crate) fn is_out_of_time(&self, cx: &mut Cx<'_>) -> bool {
        let slack = Span::from_secs(1);
        let limit = self.work_limit(cx) - slack;
        let mut working =
            self.failover.iter().filter(|f| f.is_at_work() && f.is_before_promotion());
        working.next().is_some_and(|failover| cx.due(failover.began_at + limit.max(slack)))
    }

    /// Fresh INFO says that the same process is a master and in service (rule F4).
    fn master_is_back(&self, failover: &Failover) -> bool {
        let node = &self.node;
        let back_at = node.down.ended_at.filter(|_| !node.is_down());
        self.odown_since.is_none()
            && node.role == Role::Master
            && failover.run_id.is_some()
            && node.run_id == failover.run_id
            && back_at.is_some_and(|at| node.info.is_newer_than(at))
    }

    fn enter(&mut self, cx: &mut Cx<'_>, stage: Stage) {
        self.show(cx);
        if let Some(failover) = &mut self.failover {
            failover.stage = stage;
        }
    }

    /// The own candidacy is over because the vote went to another id (rule V6).
    pub(crate) fn end_candidacy_for_vote(&mut self, cx: &mut Cx<'_>) {
        if self.failover.as_ref().is_some_and(|failover| !failover.is_at_work()) {
            self.failover = None;
            self.emit(cx, EventKind::AbortNotElected, Detail::None);
        }
    }

    /// Gives up, and arranges the next attempt (rules F2, F3, F4).
    pub(crate) fn abort(&mut self, cx: &mut Cx<'_>, ending: Ending) {
        self.give_up_hand_over(cx);
        let start_at = self.failover.take().map_or(cx.now.mono, |failover| failover.start_at);
        self.show(cx);
        let old_rest = start_at + self.settings.failover_timeout * 2;
        let kind = match ending {
            Ending::NotElected => {
                self.standing.rest(cx, old_rest);
                EventKind::AbortNotElected
            }
            Ending::NoGoodReplica => {
                if cx.keeps(Rule::F3) && !Mutant::NoReplicaNoHurry.lives() {
                    self.standing.awaits_replica = true;
                } else {
                    self.standing.not_before(old_rest);
                }
                EventKind::AbortNoGoodReplica
            }
            Ending::ReplicaTimeout => {
                self.standing.rest(cx, old_rest);
                EventKind::AbortReplicaTimeout
            }
            Ending::MasterIsBack => {
                self.standing.start_over();
                EventKind::AbortMasterIsBack
            }
            // Nothing was learnt about standing: if the master is down, that is another failover.
            Ending::NoHandOver => EventKind::AbortReplicaTimeout,
        };
        self.emit(cx, kind, Detail::None);
    }

    /// A stall above TILT-TRIGGER ends what has not changed anything yet (rule L2).
    pub(crate) fn end_failover_after_stall(&mut self, cx: &mut Cx<'_>) {
        let Some(failover) = &self.failover else { return };
        if failover.is_harmless() && cx.keeps(Rule::L2) {
            let elected = failover.is_at_work();
            self.abort(cx, if elected { Ending::ReplicaTimeout } else { Ending::NotElected });
        }
    }

    /// Elected, or forced to go on.
    pub(crate) fn become_leader(&mut self, cx: &mut Cx<'_>) -> Step {
        self.emit(cx, EventKind::ElectedLeader, Detail::None);
        if cx.host.simulated.after_election {
            cx.crash();
            return Step::Wait;
        }
        self.deferral = None;
        if self.failover.as_ref().is_some_and(|failover| failover.cause == Cause::Reclaim) {
            return self.decide(cx, self.node.id);
        }
        self.emit(cx, EventKind::StateSelectReplica, Detail::None);
        Step::Next(Stage::Select { since: cx.now.mono })
    }

    /// Before an order leaves: whether the chosen replica has been unusable for too long. If not,
    /// the stage remembers since when it is.
    pub(crate) fn loses_candidate(
        &mut self,
        cx: &mut Cx<'_>,
        candidate: NodeId,
        before: Option<Time>,
    ) -> bool {
        let since = self.unusable_since(candidate, before, cx.now.mono);
        if self.is_lost(cx, since) {
            return true;
        }
        let stage = self.failover.as_mut().map(|failover| &mut failover.stage);
        if let Some(
            Stage::SendNoOne { unusable_since, .. } | Stage::SendHandOver { unusable_since, .. },
        ) = stage
        {
            *unusable_since = since;
        }
        false
    }

    /// A chosen replica that stays down or unlinked is given up (rule L1).
    pub(crate) fn unusable_since(
        &self,
        id: NodeId,
        before: Option<Time>,
        now: Time,
    ) -> Option<Time> {
        let usable = self
            .replica(id)
            .is_some_and(|replica| !replica.node.is_down() && replica.node.is_reachable());
        if usable { None } else { before.or(Some(now)) }
    }

    /// Whether it has been unusable for too long.
    pub(crate) fn is_lost(&self, cx: &mut Cx<'_>, unusable_since: Option<Time>) -> bool {
        if Mutant::LeaderHoldsOn.lives() {
            return false;
        }
        let patience = cx.host.tunables.get(Tunable::PingPeriod) * 2;
        let patience = if cx.keeps(Rule::L1) { patience } else { self.settings.failover_timeout };
        unusable_since.is_some_and(|since| cx.due(since + patience))
    }
}
