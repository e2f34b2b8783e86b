//! What came in on a link finds its group: connections, answers, messages, names.

use alloc::sync::Arc;
use core::net::IpAddr;

use crate::event::{Detail, EventKind};
use crate::group::{Group, News};
use crate::hello::hear_own_id;
use crate::host::{Cx, NodeId, Owner};
use crate::ident::{ConnId, MasterId, SentinelId};
use crate::link::Expected;
use crate::note::Note;
use crate::query::{Answer, Hello, PingReply, Purpose};
use crate::rules::Rule;
use crate::sentinel::Sentinel;
use crate::time::Now;

impl Sentinel {
    pub(crate) fn hear_connected(&mut self, now: Now, conn: ConnId, local_ip: IpAddr) {
        match self.host.owner(conn) {
            Some(Owner::Node { master, node, purpose }) => {
                self.with_group(now, master, |group, cx| {
                    let Some(node) = group.node_mut(node) else { return };
                    match purpose {
                        Purpose::Commands => {
                            node.commands.established(local_ip, cx.now.mono);
                            // It may be another process now, or have another role.
                            node.ask_info(cx);
                        }
                        Purpose::Subscription => {
                            node.subscription.established(local_ip, cx.now.mono);
                        }
                    }
                    group.show(cx);
                });
            }
            Some(Owner::Peer(id)) => {
                if let Some(peer) = self.peers.get_mut(&id) {
                    peer.line.established(local_ip, now.mono);
                }
                self.touch_peer(id);
            }
            None => {}
        }
    }

    pub(crate) fn hear_connect_failed(&mut self, now: Now, conn: ConnId, reason: &Arc<str>) {
        if let Some(Owner::Node { master, node, purpose }) = self.host.owner(conn) {
            let kind = match purpose {
                Purpose::Commands => EventKind::CommandLinkReconnection,
                Purpose::Subscription => EventKind::SubscriptionLinkReconnection,
            };
            self.with_group(now, master, |group, cx| {
                group.emit_node(cx, kind, node, Detail::Reason(reason.clone()));
            });
        }
        self.hear_disconnected(now, conn);
    }

    pub(crate) fn hear_disconnected(&mut self, now: Now, conn: ConnId) {
        match self.host.owner(conn) {
            Some(Owner::Node { master, node, purpose }) => {
                self.with_group(now, master, |group, cx| group.lose(cx, node, purpose));
            }
            Some(Owner::Peer(id)) => {
                self.with_peer(now, id, |peer, cx| peer.lost(cx));
            }
            None => {}
        }
        self.host.forget_conn(conn);
    }

    pub(crate) fn hear_answer(&mut self, now: Now, conn: ConnId, answer: Answer) {
        match self.host.owner(conn) {
            Some(Owner::Node { master, node, purpose }) => {
                self.tell_group(now, master, |group, cx| {
                    group.hear_node_answer(cx, conn, node, purpose, answer)
                });
            }
            Some(Owner::Peer(id)) => self.hear_peer_answer(now, id, answer),
            None => {}
        }
    }

    fn hear_peer_answer(&mut self, now: Now, id: SentinelId, answer: Answer) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        peer.heard_at = now.mono;
        let Some(expected) = peer.line.conn.as_mut().and_then(crate::link::Conn::answered) else {
            return;
        };
        // Answers to hellos and questions are many, and none of the link's own business, unless it
        // held something back for want of room.
        let pending = peer.line.conn.as_ref().map_or(0, crate::link::Conn::pending);
        if pending + 1 >= peer.pending_limit() {
            self.host.touched_peers.insert(id);
        }
        match (expected, answer) {
            (Expected::Ping, Answer::Ping(reply)) => {
                self.with_peer(now, id, |peer, cx| peer.ponged(cx, reply));
            }
            (Expected::Hello { master }, Answer::Hello { accepted }) => {
                self.tell_group(now, master, |group, cx| {
                    let clock = group.member_mut(id).map(|member| &mut member.hello);
                    clock.map_or(News::Nothing, |clock| clock.answered(accepted, cx))
                });
            }
            (Expected::Ask(question), Answer::Opinion(opinion)) => {
                self.with_group(now, question.master, |group, cx| {
                    group.hear_opinion(cx, id, &question, opinion);
                });
            }
            (_, _) => {}
        }
    }

    pub(crate) fn hear_message(&mut self, now: Now, conn: ConnId, hello: Option<&Arc<Hello>>) {
        let Some(Owner::Node { master, node, .. }) = self.host.owner(conn) else { return };
        self.tell_group(now, master, |group, cx| {
            let node = group.node_mut(node).and_then(|node| node.subscription.conn.as_mut());
            if let Some(conn) = node {
                conn.active_at = cx.now.mono;
            }
            News::Nothing
        });
        match hello {
            Some(hello) => self.hear_hello(now, hello, Some(master)),
            None => self.host.counters.garbage_hellos += 1,
        }
    }

    /// A hello, on whatever path it came (spec: behaviour 6.3). On a node's connection it is most
    /// often about the master that the node belongs to.
    pub(crate) fn hear_hello(&mut self, now: Now, hello: &Arc<Hello>, likely: Option<MasterId>) {
        if hello.id == self.host.my_id && self.host.rules.keeps(Rule::H20) {
            let mut cx = Cx::new(now, &mut self.host, &mut self.peers, false);
            hear_own_id(&mut cx, hello);
            return;
        }
        let is_named =
            |id: &MasterId| self.groups.get(id).is_some_and(|group| *group.name == *hello.master);
        let likely = likely.filter(is_named);
        let Some(master) = likely.or_else(|| self.find(&hello.master)) else { return };
        if self.host.is_far(hello.current_epoch.max(hello.config_epoch)) {
            return;
        }
        self.tell_group(now, master, |group, cx| group.hear_hello(cx, hello));
    }

    pub(crate) fn hear_resolved(&mut self, now: Now, host: &Arc<str>, ip: Option<IpAddr>) {
        self.host.hear_resolved(host, ip.is_some(), now.mono);
        if ip.is_none() {
            self.host.outbox.order(crate::Effect::Log(Note::ResolveFailed { host: host.clone() }));
        }
        self.serve_resolved(host, ip);
        let Some(ip) = ip else { return };
        for id in self.master_ids() {
            self.with_group(now, id, |group, cx| group.hear_resolution(cx, host, ip));
        }
        for peer in self.peers.values_mut().filter(|peer| peer.address.host() == host) {
            peer.address.resolve_to(ip);
            self.host.touched_peers.insert(peer.id);
        }
    }

    pub(crate) fn touch_peer(&mut self, id: SentinelId) {
        self.host.touched_peers.insert(id);
        let sharers = self.peers.get(&id).into_iter().flat_map(|peer| peer.sharers.keys());
        self.host.touched.extend(sharers.copied());
        let sharers = self.peers.get(&id).into_iter().flat_map(|peer| peer.sharers.keys());
        self.host.outbox.changed.extend(sharers.copied());
    }

    /// Lends a peer to a rule, and marks it for the rules that follow.
    pub(crate) fn with_peer(
        &mut self,
        now: Now,
        id: SentinelId,
        rule: impl FnOnce(&mut crate::peer::Peer, &mut Cx<'_>),
    ) {
        let Some(mut peer) = self.peers.remove(&id) else { return };
        let mut cx = Cx::new(now, &mut self.host, &mut self.peers, false);
        rule(&mut peer, &mut cx);
        self.peers.insert(id, peer);
        self.host.touched_peers.insert(id);
    }
}

impl Group {
    fn lose(&mut self, cx: &mut Cx<'_>, id: NodeId, purpose: Purpose) {
        self.show(cx);
        let Some(node) = self.node_mut(id) else { return };
        match purpose {
            Purpose::Commands => node.commands_lost(cx),
            Purpose::Subscription => node.subscription_lost(cx),
        }
        if !cx.keeps(Rule::H16) {
            node.disconnect(cx);
        }
    }

    fn hear_node_answer(
        &mut self,
        cx: &mut Cx<'_>,
        conn: ConnId,
        id: NodeId,
        purpose: Purpose,
        answer: Answer,
    ) -> News {
        let Some(node) = self.node_mut(id) else { return News::Something };
        let line = match purpose {
            Purpose::Commands => &mut node.commands,
            Purpose::Subscription => &mut node.subscription,
        };
        let open = line.conn.as_mut().filter(|open| open.id == conn);
        let Some(open) = open else { return News::Something };
        open.active_at = cx.now.mono;
        let Some(expected) = open.answered() else { return News::Something };
        match (expected, answer) {
            (Expected::Ping, Answer::Ping(reply)) => return self.node_ponged(cx, conn, reply),
            (Expected::Info { asked_at }, Answer::Info(info)) => {
                self.hear_info(cx, conn, asked_at, info);
            }
            (Expected::Subscribe, Answer::Subscribed { accepted }) => {
                self.hear_subscribed(cx, id, accepted);
            }
            (Expected::Hello { .. }, Answer::Hello { accepted }) => {
                return node.hello.answered(accepted, cx);
            }
            (Expected::Replicate, Answer::Replicate(outcome)) => {
                self.hear_transaction(cx, conn, outcome);
            }
            (Expected::HandOver, Answer::HandOver(reply)) => self.hear_hand_over(cx, &reply),
            (Expected::Ping, _) => return self.node_ponged(cx, conn, PingReply::Other),
            (_, _) => {}
        }
        News::Something
    }

    /// A refused subscription is tried again at PING pace (spec: behaviour 4.2).
    fn hear_subscribed(&mut self, cx: &mut Cx<'_>, id: NodeId, accepted: bool) {
        let Some(node) = self.node_mut(id) else { return };
        if accepted {
            node.subscribed_at = Some(cx.now.mono);
        } else {
            node.subscribed_at = None;
            node.subscription.close_and_rest(cx);
        }
    }
}
