//! Switching a master to another address (spec: behaviour 6.3, 10.9; rules A1 to A3, E5, L2).

use alloc::sync::Arc;

use crate::address::Address;
use crate::event::{Detail, EventKind};
use crate::group::{Group, Replica};
use crate::host::{Cx, NodeId};
use crate::link::Conn;
use crate::node::Node;
use crate::note::Note;
use crate::query::{Hello, Role};
use crate::repair::{Conflict, LeftMaster};
use crate::rules::Rule;
use crate::scripts::ScriptArguments;
use crate::time::{Span, Time};

impl Group {
    /// Compares a heard configuration with ours; the higher epoch wins (rules A1, A2).
    pub(crate) fn compare_configurations(&mut self, cx: &mut Cx<'_>, hello: &Arc<Hello>) {
        if cx.host.gate.is_failing() && !cx.keeps(Rule::A3) {
            return;
        }
        let address = Address::new(&hello.address);
        let older = crate::mutant::Mutant::OlderConfiguration.lives()
            && hello.config_epoch < self.config_epoch;
        let newer = self.epochs(cx.host.current_epoch).adopt(hello.config_epoch);
        if newer || older {
            self.adopt(cx, hello, address);
        } else if hello.config_epoch == self.config_epoch && hello.config_epoch.get() > 0 {
            self.note_conflict(cx, hello, &address);
        }
    }

    /// Takes over a newer configuration: address and epoch together (rule A1).
    fn adopt(&mut self, cx: &mut Cx<'_>, hello: &Arc<Hello>, mut address: Address) {
        if address.ip().is_none() {
            let known = self.nodes().find(|node| node.address.same(&address));
            let Some(ip) = known.and_then(|node| node.address.ip()) else {
                if cx.keeps(Rule::A1) {
                    self.adopt_once_resolved(cx, hello, &address);
                } else {
                    self.config_epoch = hello.config_epoch;
                }
                return;
            };
            address.resolve_to(ip);
        }
        self.unresolved = None;
        self.config_epoch = hello.config_epoch;
        self.save(cx);
        self.show(cx);
        if self.is_at(&address) {
            self.stand_down(cx);
            return;
        }
        self.emit_member(cx, EventKind::ConfigUpdateFrom, hello.id, Detail::None);
        let from = self.endpoint(cx);
        let to = address.announce(cx.host.settings.announce_hostnames);
        let old = self.node.id;
        let arguments = ScriptArguments::ClientReconfig {
            master: self.name.clone(),
            leader: false,
            from: from.clone(),
            to: to.clone(),
        };
        self.switch_to(cx, &address, Detail::Switch { from, to });
        self.left = Some(LeftMaster::new(old, false));
        self.run_client_script(cx, arguments);
        self.force_hellos();
    }

    /// Address and epoch wait for the name together; the old pair is served until then.
    fn adopt_once_resolved(&mut self, cx: &mut Cx<'_>, hello: &Arc<Hello>, address: &Address) {
        if cx.host.settings.resolve_hostnames {
            self.unresolved = Some(hello.clone());
            cx.resolve(address.host());
        } else {
            cx.note(Note::ResolveFailed { host: hello.address.host.clone() });
        }
    }

    /// A newer configuration with our own address: whatever we were doing is overtaken (rule L2).
    /// The address may have been another one in between, so opinions about it are of a former term
    /// (rule E5).
    fn stand_down(&mut self, cx: &mut Cx<'_>) {
        if !cx.keeps(Rule::L2) {
            return;
        }
        self.give_up_hand_over(cx);
        self.end_term();
        self.show(cx);
    }

    fn note_conflict(&mut self, cx: &mut Cx<'_>, hello: &Hello, address: &Address) {
        if self.is_at(address) {
            return;
        }
        let heard = hello.address.clone();
        let news = self.conflict.as_ref().is_none_or(|conflict| {
            conflict.epoch != hello.config_epoch || !conflict.address.same(address)
        });
        let epoch = hello.config_epoch;
        self.conflict = Some(Conflict { address: address.clone(), epoch, heard_at: cx.now.mono });
        if news {
            cx.host.counters.equal_epoch_conflicts += 1;
            let kept = self.endpoint(cx);
            let master = self.name.clone();
            cx.note(Note::EqualEpochConflict { master, epoch, heard, kept });
        }
    }

    /// Makes `address` the master. Nodes that stay keep their links, clocks and INFO; what was
    /// thought about the old address is forgotten (rule E5).
    pub(crate) fn switch_to(&mut self, cx: &mut Cx<'_>, address: &Address, switch: Detail) {
        let now = cx.now.mono;
        self.forget_old_address(cx);
        let node = self.take_node(cx, address);
        let old = core::mem::replace(&mut self.node, node);
        self.node.becomes_master(cx, self.settings.down_after);
        self.configured_at = now;
        self.watching_since = self.watching_since.min(now);
        if !old.address.same(address) {
            let replica = Replica::new(old, cx.host.settings.announce_hostnames);
            self.replicas.push(replica);
        }
        self.emit(cx, EventKind::SwitchMaster, switch);
        let ids: alloc::vec::Vec<NodeId> = self.replicas.iter().map(|r| r.node.id).collect();
        for id in ids {
            if let Some(replica) = self.replica_mut(id) {
                replica.becomes_replica(now);
            }
            self.emit_replica(cx, EventKind::Replica, id);
        }
        self.nodes_mut().for_each(|node| node.ask_info(cx));
        self.save(cx);
        self.show(cx);
    }

    fn forget_old_address(&mut self, cx: &mut Cx<'_>) {
        self.give_up_hand_over(cx);
        self.end_term();
        self.conflict = None;
        self.odown_since = None;
        self.show(cx);
    }

    /// What was done and heard under the configuration before counts no more.
    pub(crate) fn end_term(&mut self) {
        self.failover = None;
        self.farewell = None;
        self.repointing = None;
        self.deferral = None;
        self.standing.start_over();
        if crate::mutant::Mutant::OpinionsOutliveSwitch.lives() || !self.keeps(Rule::E5) {
            return;
        }
        for member in &mut self.members {
            member.opinion = None;
            member.answered_at = None;
            member.asking = crate::ask::Asking::default();
        }
    }

    /// The node at the new address: a known replica, or a new one.
    fn take_node(&mut self, cx: &mut Cx<'_>, address: &Address) -> Node {
        let known = self.replicas.iter().position(|replica| replica.node.address.same(address));
        match known {
            Some(index) => self.replicas.remove(index).node,
            None => Node::new(cx.host.mint_node(), address.clone(), Role::Master, cx.now.mono),
        }
    }

    /// Names are resolved in the background; what waited for one goes on (rule A1).
    pub(crate) fn hear_resolution(
        &mut self,
        cx: &mut Cx<'_>,
        host: &Arc<str>,
        ip: core::net::IpAddr,
    ) {
        // The first address is part of a replica's name, later ones are not (spec: behaviour 14.4).
        let as_name = cx.host.settings.announce_hostnames;
        for replica in &mut self.replicas {
            let address = &replica.node.address;
            if address.host() == host && address.ip().is_none() {
                replica.name_by(ip, as_name);
            }
        }
        let mut changed = false;
        for node in self.nodes_mut() {
            if node.address.host() == host && node.address.ip() != Some(ip) {
                node.address.resolve_to(ip);
                node.disconnect(cx);
                changed = true;
            }
        }
        if changed {
            self.save(cx);
            self.show(cx);
        }
        let waits = self.unresolved.as_ref().is_some_and(|hello| hello.address.host == *host);
        if let Some(hello) = self.unresolved.take_if(|_| waits) {
            let mut address = Address::new(&hello.address);
            address.resolve_to(ip);
            if self.epochs(cx.host.current_epoch).adopt(hello.config_epoch) {
                self.adopt(cx, &hello, address);
            }
        }
    }

    /// Names whose connection is missing are looked up again (spec: behaviour 14.2).
    pub(crate) fn follow_names(&mut self, cx: &mut Cx<'_>) {
        if !cx.host.settings.resolve_hostnames {
            return;
        }
        for node in self.nodes() {
            if node.address.is_name() && node.commands.failed_at == Some(cx.now.mono) {
                cx.resolve(&node.address.host().clone());
            }
        }
        if let Some(hello) = &self.unresolved {
            cx.resolve(&hello.address.host);
        }
    }
}

impl Node {
    /// It starts its term: no judgement of its time as a replica counts (spec: holes H1, H14).
    /// Whoever announces it has just heard from it, so silence on a connection of ours from before
    /// says nothing of it: a new one is opened (rule E5).
    fn becomes_master(&mut self, cx: &mut Cx<'_>, down_after: Span) {
        let was_down = self.is_down();
        let silent = |conn: &Conn| cx.age(conn.active_at) >= down_after;
        if was_down && self.commands.conn.as_ref().is_some_and(silent) {
            self.commands.close(cx);
            self.commands_lost(cx);
        }
        self.start_term(Role::Master, cx.now.mono);
        if was_down {
            self.ping.start_anew(cx.now.mono);
        }
        self.rebooting_since = None;
    }

    fn start_term(&mut self, assumed: Role, now: Time) {
        self.down.since = None;
        self.followed_as = None;
        self.turned_at = None;
        self.role = assumed;
        self.role_at = now;
        self.reported.changed_at = now;
        self.stop_polling();
        self.commands.hurry(now);
        self.subscription.hurry(now);
        if !self.is_reachable() {
            self.ping.start_anew(now);
        }
    }
}

impl Replica {
    /// It follows the new master, as far as anybody knows.
    fn becomes_replica(&mut self, now: Time) {
        self.reconf = None;
        self.node.start_term(Role::Replica, now);
    }
}
