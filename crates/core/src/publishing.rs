//! What clients and operators get to see: events in their order, pictures of the groups, scripts
//! (spec: DESIGN 1, "One truth for clients").

use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::durable::{SavedMaster, SavedSentinel};
use crate::effect::Effect;
use crate::event::{Detail, Event, EventKind, Part};
use crate::group::{Group, Replica};
use crate::host::{Cx, Host, NodeId, Peers};
use crate::ident::Epoch;
use crate::limits;
use crate::scripts::{ScriptArguments, ScriptCall};
use crate::sentinel::Sentinel;
use crate::settings::LogLevel;
use crate::time::Time;
use crate::view::{LinkView, MasterView, MemberView, ProcessView, Publication, ReplicaView};

/// Held events per group; more means a disk that is stuck, and order gives way.
const HELD_EVENTS: usize = 1024;

/// An event that waits for its turn: it may tell of a vote only once the vote is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldEvent {
    event: Event,
    needs: Option<Epoch>,
    since: Time,
}

impl Host {
    /// An event that belongs to no group.
    pub(crate) fn emit(&mut self, event: Event) {
        self.outbox.events.push(event);
    }
}

impl Group {
    /// An event goes out in the order of its group. One that reveals our vote waits for the disk.
    pub(crate) fn emit_event(&mut self, cx: &mut Cx<'_>, event: Event) {
        let needs = match (&event.kind, &event.detail) {
            (EventKind::VoteForLeader, Detail::Vote { epoch, .. }) => Some(*epoch),
            _ => None,
        };
        let switches = event.kind == EventKind::SwitchMaster;
        self.hold(cx, event, needs);
        if switches {
            self.release_ready(cx);
        }
    }

    fn hold(&mut self, cx: &mut Cx<'_>, event: Event, needs: Option<Epoch>) {
        self.held.push_back(HeldEvent { event, needs, since: cx.now.mono });
        self.release_events(cx);
    }

    /// `+new-epoch` and `+try-failover` tell of an epoch of our own: they wait for its vote.
    pub(crate) fn announce_candidacy(&mut self, cx: &mut Cx<'_>, epoch: Epoch) {
        let as_name = cx.host.settings.announce_hostnames;
        let opened =
            [(EventKind::NewEpoch, Detail::Epoch(epoch)), (EventKind::TryFailover, Detail::None)];
        for (kind, detail) in opened {
            let about = Some(self.subject(as_name, Part::Master));
            self.hold(cx, Event { kind, about, detail }, Some(epoch));
        }
    }

    /// Lets go what may be told. Behind an event that waits for the disk the others of its group
    /// wait too, unless the disk fails or takes too long: then they go ahead, so that a stuck disk
    /// does not keep clients on a dead master (rules V3, A3).
    pub(crate) fn release_events(&mut self, cx: &mut Cx<'_>) {
        let durable = self.durable_leader_epoch();
        let first = self.held.front().map(|held| held.since + limits::VOTE_PATIENCE);
        let stuck = first.is_some_and(|at| cx.due(at));
        let in_order = !cx.host.gate.is_failing() && !stuck && self.held.len() < HELD_EVENTS;
        let mut kept = alloc::collections::VecDeque::new();
        while let Some(held) = self.held.pop_front() {
            let ready = held.needs.is_none_or(|epoch| epoch <= durable);
            if ready && (kept.is_empty() || !in_order) {
                self.release(cx, held.event);
            } else {
                kept.push_back(held);
            }
        }
        self.held = kept;
    }

    /// The new address is shown in this turn, so its event goes out in it too, past a vote that is
    /// still being saved: events are never behind the answers (spec: DESIGN 1; rule A3).
    fn release_ready(&mut self, cx: &mut Cx<'_>) {
        let durable = self.durable_leader_epoch();
        for held in core::mem::take(&mut self.held) {
            match held.needs.filter(|epoch| *epoch > durable) {
                Some(_) => self.held.push_back(held),
                None => self.release(cx, held.event),
            }
        }
    }

    fn release(&self, cx: &mut Cx<'_>, event: Event) {
        if let Some(path) = &self.settings.notification_script
            && event.kind.level() == LogLevel::Warning
            && event.about.is_some()
        {
            let arguments = ScriptArguments::Notification(event.clone());
            let call = ScriptCall { path: path.clone(), arguments };
            if crate::mutant::Mutant::ScriptTwice.lives() {
                cx.host.enqueue_script(call.clone(), cx.now.mono);
            }
            cx.host.enqueue_script(call, cx.now.mono);
        }
        cx.host.emit(event);
    }

    pub(crate) fn run_client_script(&self, cx: &mut Cx<'_>, arguments: ScriptArguments) {
        if let Some(path) = &self.settings.client_reconfig_script {
            let call = ScriptCall { path: path.clone(), arguments };
            cx.host.enqueue_script(call, cx.now.mono);
        }
    }

    /// The group as the file tells it.
    pub(crate) fn compose(&self, host: &Host, peers: &Peers) -> SavedMaster {
        let as_name = host.settings.announce_hostnames;
        let known = |id| peers.get(&id).map(|peer| peer.address.announce(as_name));
        let sentinels = self.members.iter().filter_map(|member| {
            known(member.id).map(|address| SavedSentinel { id: member.id, address })
        });
        SavedMaster {
            name: self.name.clone(),
            address: self.node.address.announce(as_name),
            settings: (*self.settings).clone(),
            config_epoch: self.config_epoch,
            leader_epoch: Some(self.vote.leader_epoch),
            replicas: self.replicas.iter().map(|r| r.node.address.announce(as_name)).collect(),
            sentinels: sentinels.collect(),
            last_vote: self.vote.memory(),
        }
    }

    /// What a promotion makes of it.
    pub(crate) fn overlay_promotion(
        &self,
        saved: &mut SavedMaster,
        candidate: NodeId,
        epoch: Epoch,
        host: &Host,
    ) {
        saved.config_epoch = epoch;
        let Some(replica) = self.replica(candidate) else { return };
        let to = replica.node.address.announce(host.settings.announce_hostnames);
        saved.replicas.retain(|address| *address != to);
        saved.replicas.push(core::mem::replace(&mut saved.address, to));
    }

    fn view(&self, host: &Host, peers: &Peers) -> MasterView {
        let as_name = host.settings.announce_hostnames;
        let chosen = self.failover.as_ref().and_then(crate::failover::Failover::candidate);
        let replicas = self.replicas.iter().map(|replica| replica.view(as_name, chosen));
        MasterView {
            id: self.id,
            name: self.name.clone(),
            node: self.node.view(as_name),
            odown_since: self.odown_since,
            failover: self.failover.as_ref().map(crate::failover::Failover::view),
            rebooting: self.node.rebooting_since.is_some(),
            config_epoch: self.config_epoch,
            leader_epoch: self.durable_leader_epoch(),
            settings: self.settings.clone(),
            replicas: replicas.collect(),
            sentinels: self.member_views(peers, as_name),
        }
    }

    fn member_views(&self, peers: &Peers, as_name: bool) -> Vec<MemberView> {
        let view = |member: &crate::group::Member| {
            let peer = peers.get(&member.id)?;
            let link: LinkView = peer.view();
            Some(MemberView {
                id: member.id,
                address: peer.address.announce(as_name),
                link,
                sdown_since: member.down.since,
                says_down: member.opinion.is_some_and(|opinion| opinion.down),
                hello_at: member.hello_seen_at,
                leader: member.leader,
                leader_epoch: member.leader_epoch,
            })
        };
        // Pictures stay: no room for members that are not there.
        let mut views = Vec::with_capacity(self.members.len());
        views.extend(self.members.iter().filter_map(view));
        views
    }
}

impl Replica {
    fn view(&self, as_name: bool, chosen: Option<NodeId>) -> ReplicaView {
        let reported = &self.node.reported;
        ReplicaView {
            name: self.name.clone(),
            node: self.node.view(as_name),
            promoted: chosen == Some(self.node.id),
            reconf: self.reconf.map(|(state, _)| state),
            link_down_ms: reported.link_down_ms,
            master: reported.master.clone(),
            link_up: reported.link_up,
            priority: reported.priority,
            offset: reported.offset,
            announced: reported.announced,
        }
    }
}

impl Sentinel {
    /// Shows clients what changed in this turn, whole.
    pub(crate) fn publish_news(&mut self) {
        if !self.host.outbox.has_news() {
            return;
        }
        let changed = core::mem::take(&mut self.host.outbox.changed);
        let groups = changed.iter().filter_map(|id| self.groups.get(id));
        let mut masters = Vec::with_capacity(changed.len());
        masters.extend(groups.map(|group| Arc::new(group.view(&self.host, &self.peers))));
        let outbox = &mut self.host.outbox;
        let listing_changed = core::mem::take(&mut outbox.listing_changed);
        let process_changed = core::mem::take(&mut outbox.process_changed);
        let events = core::mem::take(&mut outbox.events);
        let seq = outbox.next_seq();
        let listing = listing_changed
            .then(|| self.groups.values().map(|group| (group.name.clone(), group.id)).collect());
        let process = process_changed.then(|| Arc::new(self.process_view()));
        let publication = Publication { seq, masters, listing, process, events };
        self.host.outbox.order(Effect::Publish(Arc::new(publication)));
    }

    fn process_view(&self) -> ProcessView {
        let host = &self.host;
        ProcessView {
            my_id: host.my_id,
            current_epoch: host.gate.durable_epoch,
            settings: host.settings.clone(),
            tunables: host.tunables.clone(),
            tilt_since: host.tilt.since,
            simulated_failures: host.simulated,
            scripts: host.scripts.view(),
            disk_failing_since: host.gate.failing_since,
            counters: host.counters.clone(),
        }
    }
}
