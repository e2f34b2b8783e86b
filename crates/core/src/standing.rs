//! When a Sentinel stands for election (rules S2, S3, S4, S6, S7, F2, F3).

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::failover::{Cause, Failover};
use crate::group::Group;
use crate::host::Cx;
use crate::ident::{Epoch, SentinelId};
use crate::limits;
use crate::note::{Hindrance, Note};
use crate::rules::Rule;
use crate::settings::Tunable;
use crate::time::{Span, Time, WallTime};

/// What stands between "objectively down" and a candidacy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// When the head start ends; computed once per candidacy (rule S3).
    plan: Option<Time>,
    /// After a lost election: not before this moment (rule F2).
    rest_until: Option<Time>,
    longest_rest: Span,
    /// The last attempt ended for want of a replica (rule F3).
    pub(crate) awaits_replica: bool,
    /// What was said last about why this Sentinel does not stand.
    said: Option<Hindrance>,
    view: MemberList,
}

/// Whether the list of members can be trusted to be whole (rule S6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum MemberList {
    Whole,
    /// Quiet since: neither a new id nor a new first subscription.
    Growing {
        quiet_since: Option<Time>,
    },
}

impl Standing {
    pub(crate) fn new() -> Self {
        Self {
            plan: None,
            rest_until: None,
            longest_rest: limits::LOST_PAUSE.0,
            awaits_replica: false,
            said: None,
            view: MemberList::Growing { quiet_since: None },
        }
    }

    /// The file named fellow Sentinels: the list is taken as whole.
    pub(crate) fn trust_members(&mut self) {
        self.view = MemberList::Whole;
    }

    /// Whether the list can be trusted to be whole (rule S6).
    pub(crate) fn knows_members(&self) -> bool {
        self.view == MemberList::Whole
    }

    /// A new id makes the list suspect for another while, if it was.
    pub(crate) fn member_found(&mut self, now: Time) {
        if let MemberList::Growing { quiet_since: Some(since) } = &mut self.view {
            *since = now;
        }
    }

    /// Elections that were lost in this outage say nothing about those of the next (rule F2).
    pub(crate) fn outage_ended(&mut self) {
        self.forget_plan();
        self.longest_rest = limits::LOST_PAUSE.0;
    }

    /// A member became reachable: the back-off begins anew (rule F2).
    pub(crate) fn member_reachable(&mut self) {
        self.longest_rest = limits::LOST_PAUSE.0;
    }

    pub(crate) fn forget_plan(&mut self) {
        self.plan = None;
        self.said = None;
    }

    /// An election was lost: rest for a random while that doubles (rule F2). `old` is the end of
    /// the rest without that rule.
    pub(crate) fn rest(&mut self, cx: &mut Cx<'_>, old: Time) {
        let pause = self.draw_rest(cx);
        let is_short = cx.keeps(Rule::F2) && !crate::mutant::Mutant::LongBackOff.lives();
        let again_at = cx.now.mono + pause + cx.host.throng();
        self.not_before(if is_short { again_at } else { old });
    }

    /// A random pause; the next one may be twice as long (rule F2).
    pub(crate) fn draw_rest(&mut self, cx: &mut Cx<'_>) -> Span {
        let pause = cx.host.rng.between(limits::LOST_PAUSE_LOW, self.longest_rest);
        self.longest_rest = (self.longest_rest * 2).min(limits::LOST_PAUSE.1);
        pause
    }

    /// No candidacy before this moment.
    pub(crate) fn not_before(&mut self, moment: Time) {
        self.rest_until = Some(moment);
        self.plan = None;
    }

    /// A configuration was decided: what was learnt about standing is void.
    pub(crate) fn start_over(&mut self) {
        self.plan = None;
        self.rest_until = None;
        self.longest_rest = limits::LOST_PAUSE.0;
        self.awaits_replica = false;
        self.said = None;
    }
}

impl Group {
    /// On ODOWN: fresh INFO from every replica, and the head start (rules L3, S3).
    pub(crate) fn prepare_to_stand(&mut self, cx: &mut Cx<'_>) {
        if cx.keeps(Rule::L3) {
            self.replicas.iter_mut().for_each(|replica| replica.node.ask_info(cx));
        }
        self.standing.plan = Some(cx.now.mono + self.head_start(cx));
    }

    /// Opens an epoch when nothing hinders it any more.
    pub(crate) fn stand(&mut self, cx: &mut Cx<'_>) {
        self.watch_member_list(cx);
        let reclaims = self.odown_since.is_none() && self.must_reclaim(cx);
        let occupied = self.failover.is_some() || (self.is_stuck() && self.repointing.is_some());
        if occupied || (self.odown_since.is_none() && !reclaims) {
            return;
        }
        if let Some(why) = self.hindrance(cx) {
            self.say_hindrance(cx, why);
            return;
        }
        self.standing.said = None;
        let Some(plan) = self.standing.plan else {
            self.prepare_to_stand(cx);
            if let Some(plan) = self.standing.plan {
                cx.wake(plan);
            }
            return;
        };
        if cx.due(plan) {
            self.begin_failover(cx, if reclaims { Cause::Reclaim } else { Cause::Outage });
        }
    }

    /// Without the cure of hole H11 a leader does nothing else until all are repointed.
    fn is_stuck(&self) -> bool {
        !self.keeps(Rule::H11)
    }

    fn hindrance(&mut self, cx: &mut Cx<'_>) -> Option<Hindrance> {
        if let Some(until) = cx.host.own_id_elsewhere_until()
            && cx.keeps(Rule::S7)
            && !cx.due(until)
        {
            return Some(Hindrance::OwnIdElsewhere);
        }
        if !self.standing.knows_members() && cx.keeps(Rule::S6) {
            return Some(Hindrance::NoFreshView);
        }
        if let Some(deferral) = &self.deferral {
            return Some(Hindrance::Deferring { to: deferral.to });
        }
        if cx.host.gate.is_failing() {
            return Some(Hindrance::DiskFailing);
        }
        if self.standing.rest_until.is_some_and(|until| !cx.due(until)) {
            return Some(Hindrance::BackingOff);
        }
        if self.odown_since.is_some() && self.may_be_blind(cx) {
            return Some(Hindrance::NeverReached);
        }
        if self.standing.awaits_replica && self.choose(cx).is_none() {
            return Some(Hindrance::NoGoodReplica);
        }
        self.too_few_members(cx)
    }

    /// Others promoted this node again after it was failed over from here, and this Sentinel has
    /// heard of it in neither term: its own blindness is as likely as the node's death. It waits
    /// as long as the reference does between two attempts, so that two Sentinels that reach
    /// different nodes do not turn the master to and fro without end (rule F5; seed 13031573).
    fn may_be_blind(&self, cx: &mut Cx<'_>) -> bool {
        let rest = self.settings.failover_timeout * 2;
        self.node.left_unheard && cx.keeps(Rule::F5) && !cx.due(self.configured_at + rest)
    }

    /// Enough members have answered lately, whatever they said (rule S2).
    fn too_few_members(&self, cx: &mut Cx<'_>) -> Option<Hindrance> {
        let recent = cx.host.tunables.get(Tunable::AskPeriod) * 2;
        let answered = |at: Option<Time>| at.is_some_and(|at| cx.age(at) <= recent);
        let count = self.members.iter().filter(|member| answered(member.answered_at)).count();
        let answering = u32::try_from(count).unwrap_or(u32::MAX - 1) + 1;
        let needed = self.enough();
        if !cx.keeps(Rule::S2) {
            return None;
        }
        (answering < needed).then_some(Hindrance::TooFewMembers { answering, needed })
    }

    /// Says why not, once per change. Answers that are still on their way are no reason yet.
    fn say_hindrance(&mut self, cx: &mut Cx<'_>, why: Hindrance) {
        let patience = self.odown_since.map(|since| since + limits::BALLOT_PATIENCE);
        let early = patience.is_some_and(|at| !cx.due(at));
        if early && matches!(why, Hindrance::TooFewMembers { .. }) {
            return;
        }
        let news = self.standing.said != Some(why);
        self.standing.said = Some(why);
        if news && why != Hindrance::BackingOff {
            cx.note(Note::CannotStand { master: self.name.clone(), why });
            self.say_next_failover(cx);
        }
    }

    /// While it defers, the line that operators know (spec: behaviour 10.2).
    fn say_next_failover(&self, cx: &mut Cx<'_>) {
        let Some(end) = self.deferral_ends_by(cx) else { return };
        let at = WallTime(cx.now.wall.0 + end.since(cx.now.mono).0);
        cx.note(Note::NextFailover { master: self.name.clone(), at });
    }

    /// The member list becomes whole after a quiet while with a subscription (rule S6).
    fn watch_member_list(&mut self, cx: &mut Cx<'_>) {
        let MemberList::Growing { quiet_since } = self.standing.view else { return };
        let subscribed = self.nodes().filter_map(|node| node.subscribed_at).min();
        let Some(subscribed_at) = subscribed else {
            if quiet_since.is_none() {
                return;
            }
            self.standing.view = MemberList::Growing { quiet_since: None };
            return;
        };
        let since = quiet_since.unwrap_or(subscribed_at);
        self.standing.view = MemberList::Growing { quiet_since: Some(since) };
        if cx.due(since + cx.host.tunables.get(Tunable::PublishPeriod) * 2) {
            self.standing.view = MemberList::Whole;
        }
    }

    /// After RESET the members must be found again (rule S6).
    pub(crate) fn distrust_members(&mut self) {
        self.standing.view = MemberList::Growing { quiet_since: None };
    }

    /// How long to let others go first: the same rotation for all masters (rule S3).
    fn head_start(&self, cx: &Cx<'_>) -> Span {
        if !cx.keeps(Rule::S3) {
            return Span::ZERO;
        }
        let epoch = self.rotation(cx).map_or(0, Epoch::get);
        let mut ids: Vec<SentinelId> = self.members.iter().map(|member| member.id).collect();
        ids.push(cx.host.my_id);
        ids.sort_unstable();
        let n = ids.len() as u64;
        let place = ids.iter().position(|id| *id == cx.host.my_id).unwrap_or(0) as u64;
        let rank = (place + n - epoch % n) % n;
        if crate::mutant::Mutant::SameHeadStart.lives() {
            return Span::ZERO;
        }
        // Who is down answers nobody: its last round trip says nothing about an election.
        let up = self.members.iter().filter(|member| member.down.since.is_none());
        let slowest = up.filter_map(|member| cx.peers.get(&member.id));
        let slowest = slowest.map(|peer| peer.round_trip).max().unwrap_or_default();
        let step = (slowest + cx.host.gate.median_commit()) * 2;
        let step = step.max(limits::HEAD_START.0) + cx.host.throng();
        step.min(limits::HEAD_START.1) * rank
    }

    /// The epoch of a candidacy that starts now (rule S4); none when epochs are exhausted.
    pub(crate) fn next_epoch(&self, cx: &Cx<'_>) -> Option<Epoch> {
        if crate::mutant::Mutant::NoNewEpoch.lives() && self.vote.leader_epoch > self.config_epoch {
            return Some(self.vote.leader_epoch);
        }
        self.epochs(cx.host.current_epoch).to_open(cx.host.turn_epoch, cx.host.rules)
    }

    /// Opens an epoch: own vote first, questions once it is durable (rules S4, S5).
    pub(crate) fn begin_failover(&mut self, cx: &mut Cx<'_>, cause: Cause) {
        let Some(epoch) = self.next_epoch(cx) else { return };
        let now = cx.now.mono;
        cx.host.hear_epoch(epoch, now);
        cx.host.turn_epoch = Some(epoch);
        self.standing.forget_plan();
        self.standing.rest_until = None;
        self.standing.awaits_replica = false;
        self.deferral = None;
        let is_new = cx.keeps(Rule::F2) && cx.keeps(Rule::F3);
        let desync = if is_new { Span::ZERO } else { cx.host.rng.desync() };
        self.failover = Some(Failover::new(epoch, cause, self.node.run_id, now, desync));
        self.announce_candidacy(cx, epoch);
        let me = cx.host.my_id;
        self.cast_vote(cx, me, epoch);
        if self.odown_since.is_none() {
            for replica in &mut self.replicas {
                replica.node.ask_info(cx);
            }
        }
    }
}
