//! Deferring to another candidate (rules F1, V8).

use serde::{Deserialize, Serialize};

use crate::group::Group;
use crate::host::Cx;
use crate::ident::SentinelId;
use crate::mutant::Mutant;
use crate::query::Role;
use crate::rules::Rule;
use crate::settings::Tunable;
use crate::time::{Span, Time};

/// No own candidacy while another Sentinel may be failing the master over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deferral {
    /// To whom; none after a restart that forgot it (rule V8).
    pub(crate) to: Option<SentinelId>,
    /// The first vote of the present run of votes for that id.
    run_since: Time,
    last_vote_at: Time,
}

impl Group {
    /// D of rules.md: the longest time that a leader at work may take without progress.
    pub(crate) fn longest_work(&self, cx: &Cx<'_>) -> Span {
        let election = cx.host.tunables.get(Tunable::ElectionTimeout);
        self.settings.failover_timeout.min(election + election / 2)
    }

    /// How long a leader may be without progress (rule L1).
    pub(crate) fn work_limit(&self, cx: &Cx<'_>) -> Span {
        if Mutant::LeaderHoldsOn.lives() {
            return Span::from_secs(3600);
        }
        if cx.keeps(Rule::L1) { self.longest_work(cx) } else { self.settings.failover_timeout }
    }

    /// A vote for another id starts or prolongs a deferral.
    pub(crate) fn defer_to(&mut self, cx: &mut Cx<'_>, to: SentinelId) {
        let desync = if cx.keeps(Rule::F1) { Span::ZERO } else { cx.host.rng.desync() };
        let now = cx.now.mono + desync;
        let longest = self.longest_work(cx);
        let run_since = match &self.deferral {
            Some(run) if run.to == Some(to) && now.since(run.last_vote_at) < longest => {
                run.run_since
            }
            Some(_) | None => now,
        };
        self.deferral = Some(Deferral { to: Some(to), run_since, last_vote_at: now });
        self.standing.forget_plan();
    }

    /// After a restart with a vote that may still be at work (rule V8).
    pub(crate) fn defer_to_unknown(&mut self, now: Time) {
        self.deferral = Some(Deferral { to: None, run_since: now, last_vote_at: now });
    }

    /// Ends the deferral when its leader fell silent, or took too long (rule F1).
    pub(crate) fn end_deferral(&mut self, cx: &mut Cx<'_>) {
        let Some(deferral) = self.deferral.clone() else { return };
        let Some(mut end) = self.deferral_ends_by(cx) else { return };
        if let Some(to) = deferral.to.filter(|_| cx.keeps(Rule::F1)) {
            let heard_at = cx.peers.get(&to).map_or(Time::default(), |peer| peer.heard_at);
            end = end.min(heard_at.max(deferral.last_vote_at) + self.patience_with_leader(cx));
        }
        if cx.due(end) {
            self.deferral = None;
            if self.odown_since.is_some() {
                self.prepare_to_stand(cx);
            }
        }
    }

    /// When the deferral ends in every case.
    pub(crate) fn deferral_ends_by(&self, cx: &Cx<'_>) -> Option<Time> {
        let deferral = self.deferral.as_ref()?;
        if !cx.keeps(Rule::F1) {
            return Some(deferral.last_vote_at + self.settings.failover_timeout * 2);
        }
        let is_awaited = Mutant::SilentLeaderAwaited.lives();
        let longest = if is_awaited || self.has_turned_replica() {
            self.settings.failover_timeout
        } else {
            self.longest_work(cx)
        };
        Some(deferral.run_since + longest)
    }

    /// How long a leader may be silent on every path.
    fn patience_with_leader(&self, cx: &Cx<'_>) -> Span {
        let down_after = self.settings.down_after;
        let ping = down_after.min(cx.host.tunables.get(Tunable::PingPeriod));
        if Mutant::SilentLeaderAwaited.lives() {
            return self.settings.failover_timeout;
        }
        Span::from_secs(5).min(down_after.max(Span::from_secs(1)) + ping + ping / 2)
    }

    /// A reachable replica turned to master since the master went down.
    fn has_turned_replica(&self) -> bool {
        let since = self.node.down.since;
        self.replicas.iter().any(|replica| {
            let node = &replica.node;
            let turned = node.turned_at.is_some_and(|at| since.is_none_or(|down| at >= down));
            node.role == Role::Master && turned && node.is_reachable() && !node.is_down()
        })
    }
}
