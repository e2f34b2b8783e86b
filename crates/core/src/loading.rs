//! Masters come and go: from the file, by MONITOR, REMOVE and RESET.

use alloc::boxed::Box;
use alloc::sync::Arc;

use crate::address::{Address, Endpoint};
use crate::durable::SavedMaster;
use crate::event::{Detail, EventKind};
use crate::group::Group;
use crate::host::Cx;
use crate::ident::{Epoch, MasterId, MasterName, SentinelId};
use crate::node::Node;
use crate::query::Role;
use crate::rules::Rule;
use crate::sentinel::Sentinel;
use crate::settings::MasterSettings;
use crate::time::{Now, Span};

impl Sentinel {
    fn add_group(
        &mut self,
        now: Now,
        name: MasterName,
        address: Address,
        settings: Arc<MasterSettings>,
    ) -> MasterId {
        self.next_master += 1;
        let id = MasterId(self.next_master);
        let node = Node::new(self.host.mint_node(), address, Role::Master, now.mono);
        let group = Group::new(id, name.clone(), self.host.rules, node, settings, now.mono);
        self.groups.insert(id, Box::new(group));
        self.names.insert(name, id);
        self.host.outbox.changed.insert(id);
        self.host.outbox.listing_changed = true;
        self.deadlines.groups.set(id, Some(now.mono));
        id
    }

    /// A master from the file.
    pub(crate) fn load(&mut self, now: Now, saved: SavedMaster) {
        let settings = Arc::new(saved.settings.clone());
        let address = Address::new(&saved.address);
        let id = self.add_group(now, saved.name.clone(), address, settings);
        let raised = saved.config_epoch.max(saved.leader_epoch.unwrap_or_default());
        if raised > self.host.current_epoch {
            self.host.current_epoch = raised;
            self.host.gate.durable_epoch = raised;
        }
        let me = self.host.my_id;
        let current = self.host.current_epoch;
        self.with_group(now, id, |group, cx| {
            group.config_epoch = saved.config_epoch;
            let unsaved = if cx.keeps(Rule::V4) { current } else { Epoch::ZERO };
            group.vote.leader_epoch = saved.leader_epoch.unwrap_or(unsaved);
            if crate::mutant::Mutant::VoteTwiceAfterRestart.lives() {
                group.vote.leader_epoch = Epoch::ZERO;
            }
            for replica in &saved.replicas {
                let address = Address::new(replica);
                if !group.nodes().any(|node| node.address.same(&address)) {
                    group.add_replica(cx, address);
                }
            }
            let copied = !cx.keeps(Rule::H20);
            for sentinel in saved.sentinels.iter().filter(|s| s.id != me || copied) {
                if !group.has_member(sentinel.id) {
                    group.add_member(cx, sentinel.id, Address::new(&sentinel.address));
                }
            }
            if !group.members.is_empty() {
                group.standing.trust_members();
            }
            group.remember_vote(cx, &saved);
            group.emit(cx, EventKind::Monitor, Detail::Quorum(group.settings.quorum));
            group.saved = Some(Arc::new(saved));
        });
    }

    /// A master by `SENTINEL MONITOR`; its record is on disk already.
    pub(crate) fn monitor(&mut self, now: Now, record: Arc<SavedMaster>) {
        let settings = Arc::new(record.settings.clone());
        let id = self.add_group(now, record.name.clone(), Address::new(&record.address), settings);
        self.with_group(now, id, |group, cx| {
            group.vote.leader_epoch = record.leader_epoch.unwrap_or_default();
            group.saved = Some(record);
            group.emit(cx, EventKind::Monitor, Detail::Quorum(group.settings.quorum));
        });
        self.review_ping_pace();
    }

    /// What MONITOR saves: no vote is given in epochs spent before (rule V4).
    pub(crate) fn new_record(
        &self,
        name: &MasterName,
        address: &Endpoint,
        quorum: u32,
    ) -> SavedMaster {
        SavedMaster {
            name: name.clone(),
            address: address.clone(),
            settings: MasterSettings::new(quorum, &self.host.tunables),
            config_epoch: Epoch::ZERO,
            leader_epoch: self.host.rules.keeps(Rule::V4).then_some(self.host.current_epoch),
            replicas: alloc::vec::Vec::new(),
            sentinels: alloc::vec::Vec::new(),
            last_vote: None,
        }
    }

    /// The master is watched no more.
    pub(crate) fn remove(&mut self, now: Now, id: MasterId) {
        self.with_group(now, id, |group, cx| {
            group.emit(cx, EventKind::Unmonitor, Detail::None);
            group.disconnect_all(cx);
            group.leave_lane(cx);
            group.refuse_ballots(cx);
        });
        let Some(mut group) = self.groups.remove(&id) else { return };
        group.uncount_gone(&mut self.host);
        self.names.remove(&group.name);
        self.leave_peers(now, id);
        self.deadlines.groups.set(id, None);
        self.host.outbox.listing_changed = true;
        self.review_ping_pace();
    }

    /// Peers that share no master with us any more are disconnected.
    fn leave_peers(&mut self, now: Now, id: MasterId) {
        let ids: alloc::vec::Vec<SentinelId> = self.peers.keys().copied().collect();
        for peer_id in ids {
            let mut lonely = false;
            self.with_peer(now, peer_id, |peer, cx| {
                peer.sharers.remove(&id);
                lonely = peer.sharers.is_empty();
                if lonely {
                    peer.line.close(cx);
                } else {
                    peer.touch_sharers(cx);
                }
            });
            if lonely {
                self.peers.remove(&peer_id);
            }
        }
    }

    /// `SENTINEL RESET`: everything but name, address and options is found anew.
    pub(crate) fn reset(&mut self, now: Now, id: MasterId) {
        self.with_group(now, id, |group, cx| group.reset(cx));
        self.leave_peers(now, id);
    }
}

impl Group {
    fn disconnect_all(&mut self, cx: &mut Cx<'_>) {
        self.nodes_mut().for_each(|node| node.disconnect(cx));
    }

    fn reset(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now.mono;
        self.give_up_hand_over(cx);
        self.disconnect_all(cx);
        let address = self.node.address.clone();
        self.node = Node::new(cx.host.mint_node(), address, Role::Master, now);
        self.replicas.clear();
        self.members.clear();
        self.odown_since = None;
        self.failover = None;
        self.repointing = None;
        self.deferral = None;
        self.left = None;
        self.farewell = None;
        self.conflict = None;
        self.unresolved = None;
        self.vote.leader = None;
        self.watching_since = now;
        self.standing.start_over();
        self.distrust_members();
        self.emit(cx, EventKind::ResetMaster, Detail::None);
        self.save(cx);
        self.show(cx);
    }

    /// A Sentinel whose address was taken over is no member any more.
    pub(crate) fn drop_member(&mut self, cx: &mut Cx<'_>, id: SentinelId) {
        if !self.has_member(id) {
            return;
        }
        self.members.retain(|member| member.id != id);
        if let Some(peer) = cx.peers.get_mut(&id) {
            peer.sharers.remove(&self.id);
        }
        self.save(cx);
        self.show(cx);
    }

    /// A vote from before the restart may still be at work (rules V4, V8).
    fn remember_vote(&mut self, cx: &Cx<'_>, saved: &SavedMaster) {
        let Some(leader_epoch) = saved.leader_epoch.filter(|_| cx.keeps(Rule::V8)) else { return };
        if leader_epoch <= saved.config_epoch {
            return;
        }
        let longest = self.longest_work(cx);
        if let Some(vote) = saved.last_vote.as_ref().filter(|vote| vote.epoch == leader_epoch) {
            let age = Span(cx.now.wall.0.saturating_sub(vote.at.0));
            if vote.leader == cx.host.my_id || age > longest {
                return;
            }
        }
        self.defer_to_unknown(cx.now.mono);
    }

    /// The master is gone: who waits for its vote is told that there is none.
    fn refuse_ballots(&mut self, cx: &mut Cx<'_>) {
        for ballot in core::mem::take(&mut self.ballots) {
            let leader_epoch = Epoch::ZERO;
            let none = crate::Response::Opinion { down: false, leader: None, leader_epoch };
            cx.host.outbox.respond(ballot.ticket, none);
        }
    }
}
