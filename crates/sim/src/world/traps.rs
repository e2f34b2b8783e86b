//! Traps for whoever leads a failover, and what is noted about those who fall.

use vedette_core::{
    Epoch, FailoverState, MasterView, Publication, Request, Response, SentinelId, Wants,
};
use vedette_node::Revival;

use super::World;
use crate::address;
use crate::fault::{Moment, Trap, Way};
use crate::sentinel_host::SentinelIndex;

impl Moment {
    /// The moment that a picture shows.
    pub(super) fn of(view: &MasterView, publication: &Publication) -> Option<Self> {
        let just_promoted = publication.events.iter().any(|event| {
            event.kind == vedette_core::EventKind::PromotedReplica
                && event.about.as_ref().is_some_and(|about| about.master == view.name)
        });
        match view.failover.map(|failover| failover.state) {
            Some(FailoverState::WaitStart) => Some(Self::Standing),
            Some(FailoverState::SelectReplica) => Some(Self::Choosing),
            Some(FailoverState::SendReplicaOfNoOne) => Some(Self::Sending),
            Some(FailoverState::WaitPromotion) => Some(Self::Waiting),
            None => just_promoted.then_some(Self::Announced),
        }
    }

    fn crash_name(self) -> &'static str {
        match self {
            Self::Standing => "a candidate crashed",
            Self::Choosing => "a leader crashed while choosing",
            Self::Sending => "a leader crashed before SLAVEOF NO ONE",
            Self::Waiting => "a leader crashed while waiting for the promotion",
            Self::Announced => "a leader crashed after announcing",
        }
    }
}

impl World {
    pub(super) fn spring_traps(&mut self, index: SentinelIndex, publication: &Publication) {
        if self.outage.is_some() {
            return self.strike_leader(index, publication);
        }
        if self.traps.is_empty() || self.healed {
            return;
        }
        for view in &publication.masters {
            let Some(group) = address::group_of(&view.node.address) else { continue };
            let Some(moment) = Moment::of(view, publication) else { continue };
            let sprung = |trap: &(usize, Moment, Trap)| (trap.0, trap.1) == (group, moment);
            if let Some(place) = self.traps.iter().position(sprung) {
                let (_, moment, trap) = self.traps.remove(place);
                let chosen = view.replicas.iter().find(|replica| replica.promoted);
                let chosen = chosen.and_then(|replica| replica.node.socket);
                self.spring(index, moment, trap, chosen);
                return;
            }
        }
    }

    fn spring(
        &mut self,
        index: SentinelIndex,
        moment: Moment,
        trap: Trap,
        chosen: Option<std::net::SocketAddr>,
    ) {
        match trap {
            Trap::Crash => {
                self.witness.reach(moment.crash_name());
                let for_ms = self.chance.lives.spread(100, 10_000);
                let silently = self.chance.lives.percent(25);
                self.crash_sentinel(index, for_ms, silently, false);
            }
            Trap::Stall(for_ms) => self.stall_sentinel(index, for_ms),
            Trap::Isolate(for_ms) => self.isolate(self.sentinel_site(index), Way::Both, for_ms),
            Trap::KillChosen(for_ms) => {
                if let Some(node) = chosen.and_then(|address| self.node_at(address)) {
                    self.witness.reach("the chosen replica was killed");
                    self.kill_node(node, for_ms, Revival::WithData, false);
                }
            }
        }
    }

    /// A vote was told. If another candidate asks for it at the same epoch, the voter may crash.
    pub(super) fn spring_voter_trap(
        &mut self,
        index: SentinelIndex,
        request: &Request,
        response: &Response,
    ) {
        let (
            Request::IsMasterDown { address, epoch, wants: Wants::VoteFor(asker) },
            Response::Opinion { leader: Some(leader), leader_epoch, .. },
        ) = (request, response)
        else {
            return;
        };
        let Some(group) = address::group_of(address) else { return };
        let granted = asker == leader && epoch == leader_epoch;
        if self.healed || !granted || !self.has_rival(index, group, *leader, *epoch) {
            return;
        }
        self.witness.reach("two candidates at one epoch");
        if let Some((for_ms, silently)) = self.voter_traps.remove(&group) {
            self.witness.reach("a voter crashed between two candidates");
            self.crash_sentinel(index, for_ms, silently, false);
        }
    }

    /// Whether somebody else stands at the epoch of this vote.
    fn has_rival(
        &self,
        voter: SentinelIndex,
        group: usize,
        leader: SentinelId,
        epoch: Epoch,
    ) -> bool {
        let name = &self.plan.masters[group].name;
        (0..self.sentinels.len()).any(|other| {
            let host = &self.sentinels[other];
            let view = host.snapshot().and_then(|snapshot| snapshot.master(name));
            let state = view.and_then(|view| view.failover).map(|failover| failover.state);
            let record = host.disk.image().masters.iter().find(|record| *record.name == **name);
            other != voter.0
                && host.id != leader
                && state == Some(FailoverState::WaitStart)
                && record.is_some_and(|record| record.leader_epoch == Some(epoch))
        })
    }

    pub(super) fn note_crash(&mut self, index: SentinelIndex) {
        self.see(index, &crate::witness::Seen::Ended);
    }
}
