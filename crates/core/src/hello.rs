//! Hellos: announcing ourselves and what we know, and hearing it from others (spec: behaviour 6).

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::address::{Address, Endpoint};
use crate::event::{Detail, EventKind};
use crate::group::{Group, Member, News};
use crate::host::{Cx, Host};
use crate::ident::{ConnId, Epoch, MasterName, SentinelId};
use crate::limits;
use crate::link::{Conn, Expected};
use crate::note::Note;
use crate::peer::Peer;
use crate::query::{Hello, Query};
use crate::rules::Rule;
use crate::settings::Tunable;
use crate::time::Time;

/// When an instance last got a hello of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HelloClock {
    /// Due from here; the period is counted from the last accepted one.
    due_at: Time,
    outstanding_on: Option<ConnId>,
    /// The connection on which it got our hello (rule S6).
    pub(crate) told_on: Option<ConnId>,
}

impl HelloClock {
    pub(crate) fn new(now: Time) -> Self {
        Self { due_at: now, outstanding_on: None, told_on: None }
    }

    /// The next one leaves at once, or as soon as the outstanding one is answered
    /// (spec: behaviour 5.3; rules L7, E6).
    pub(crate) fn force(&mut self) {
        self.due_at = Time::default();
    }

    /// A hello was answered. A refused one is tried again after the period, unless there is other
    /// news to tell.
    pub(crate) fn answered(&mut self, accepted: bool, cx: &Cx<'_>) -> News {
        self.outstanding_on = None;
        let is_waiting = self.due_at <= cx.now.mono;
        if !accepted && self.due_at != Time::default() {
            self.due_at = cx.now.mono + cx.host.tunables.get(Tunable::PublishPeriod);
        }
        if is_waiting { News::Something } else { News::Later(self.leaves_at(cx)) }
    }

    /// When the next one leaves.
    fn leaves_at(&self, cx: &Cx<'_>) -> Time {
        cx.gathered(self.due_at, cx.host.tunables.get(Tunable::PublishPeriod))
    }

    /// Whether nothing but its time is missing for a hello on this connection.
    fn may_send(&self, cx: &Cx<'_>, conn: &Conn, limit: u32) -> bool {
        let outstanding = self.outstanding_on == Some(conn.id) && cx.keeps(Rule::E6);
        conn.local_ip.is_some() && !outstanding && conn.pending() < limit
    }

    /// Says whether it left.
    fn send_if_due(
        &mut self,
        cx: &mut Cx<'_>,
        conn: &mut Conn,
        limit: u32,
        group: &mut Announcement,
    ) -> bool {
        let Some(local_ip) = conn.local_ip else { return false };
        if !self.may_send(cx, conn, limit) || !cx.due(self.leaves_at(cx)) {
            return false;
        }
        let hello = group.hello(cx.host, local_ip);
        self.outstanding_on = Some(conn.id);
        self.told_on = Some(conn.id);
        self.due_at = cx.now.mono + cx.host.tunables.get(Tunable::PublishPeriod);
        let master = group.master;
        conn.send(cx, Query::Hello(hello), Expected::Hello { master });
        true
    }
}

/// What a group announces; composed from what is durable or was heard (rule A3).
struct Announcement {
    master: crate::MasterId,
    name: MasterName,
    address: Endpoint,
    config_epoch: Epoch,
    /// The last one, and from which of our addresses it left: most leave from the same.
    made: Option<(IpAddr, Arc<Hello>)>,
}

impl Announcement {
    fn hello(&mut self, host: &mut Host, local_ip: IpAddr) -> Arc<Hello> {
        match &self.made {
            Some((from, hello)) if *from == local_ip => hello.clone(),
            Some(_) | None => {
                let hello = Arc::new(self.make(host, local_ip));
                self.made = Some((local_ip, hello.clone()));
                hello
            }
        }
    }

    fn make(&self, host: &mut Host, local_ip: IpAddr) -> Hello {
        let ip = match &host.settings.announce_ip {
            Some(ip) => ip.clone(),
            None => alloc::format!("{local_ip}").into(),
        };
        let port = host.settings.announce_port.unwrap_or(host.config.listen_port);
        let sentinel = Endpoint { host: ip, port };
        if host.announced.len() < limits::MEMBERS {
            host.announced.insert(sentinel.clone());
        }
        Hello {
            sentinel,
            id: host.my_id,
            current_epoch: if crate::mutant::Mutant::UnsavedEpochTold.lives() {
                host.current_epoch
            } else {
                host.gate.durable_epoch
            },
            master: self.name.clone(),
            address: self.address.clone(),
            config_epoch: self.config_epoch,
        }
    }
}

impl Group {
    fn announcement(&self, cx: &Cx<'_>) -> Announcement {
        Announcement {
            master: self.id,
            name: self.name.clone(),
            address: self.endpoint(cx),
            config_epoch: self.config_epoch,
            made: None,
        }
    }

    /// Sends hellos that are due to every instance of the group. A server that hands over holds
    /// PUBLISH, and with it the PINGs behind: it would look dead.
    pub(crate) fn announce(&mut self, cx: &mut Cx<'_>) {
        let mut group = self.announcement(cx);
        let (master, close) = (self.node.id, self.master_ping_interval(cx));
        let relaxed = self.relaxed_ping_interval(cx);
        let down_after = self.settings.down_after;
        for node in self.nodes_mut() {
            if node.holds_hellos(cx, down_after) {
                continue;
            }
            let Some(conn) = &mut node.commands.conn else { continue };
            if node.hello.send_if_due(cx, conn, limits::PENDING_PER_SHARER, &mut group) {
                let interval = if node.id == master { close } else { relaxed };
                node.ping.join(cx, conn, interval);
            }
        }
        for member in &mut self.members {
            member.announce(cx, &mut group);
        }
    }

    /// A vote request is preceded by our hello on that link (rule S6).
    pub(crate) fn introduce(&mut self, cx: &mut Cx<'_>, id: SentinelId, on: ConnId) {
        if !cx.keeps(Rule::S6) {
            return;
        }
        let mut group = self.announcement(cx);
        if let Some(member) = self.member_mut(id).filter(|member| member.hello.told_on != Some(on))
        {
            member.hello.force();
            member.announce(cx, &mut group);
        }
    }

    /// Everybody hears the configuration at once (rule L7).
    pub(crate) fn force_hellos(&mut self) {
        if crate::mutant::Mutant::NoFirstHello.lives() || !self.keeps(Rule::L7) {
            return;
        }
        self.nodes_mut().for_each(|node| node.hello.force());
        self.members.iter_mut().for_each(|member| member.hello.force());
    }
}

impl Member {
    fn announce(&mut self, cx: &mut Cx<'_>, group: &mut Announcement) {
        let Some(peer) = cx.peers.get(&self.id) else { return };
        let limit = peer.pending_limit();
        let ready =
            peer.line.conn.as_ref().is_some_and(|conn| self.hello.may_send(cx, conn, limit));
        if !ready || !cx.due(self.hello.leaves_at(cx)) {
            return;
        }
        let Some(mut peer) = cx.peers.remove(&self.id) else { return };
        if let Some(conn) = &mut peer.line.conn {
            self.hello.send_if_due(cx, conn, limit, group);
        }
        cx.peers.insert(self.id, peer);
    }
}

/// A hello about a monitored master was heard.
impl Group {
    /// Takes a hello in (spec: behaviour 6.3). The sender is not ourselves.
    pub(crate) fn hear_hello(&mut self, cx: &mut Cx<'_>, hello: &Arc<Hello>) -> News {
        if self.has_heard(cx, hello) {
            self.note_hello(cx, hello);
            return self.show_clocks(cx).map_or(News::Nothing, News::Later);
        }
        self.take_hello(cx, hello);
        News::Something
    }

    /// Whether it says what it said before, and nothing that any rule waits for (rules R2, A1, A2).
    fn has_heard(&self, cx: &Cx<'_>, hello: &Hello) -> bool {
        let epoch = hello.current_epoch.max(hello.config_epoch);
        let is_calm = self.left.is_none() && self.conflict.is_none() && self.unresolved.is_none();
        let is_old = epoch <= cx.host.current_epoch && hello.config_epoch == self.config_epoch;
        let member = self.members.iter().find(|member| member.id == hello.id);
        let is_same = member.and_then(|member| member.announces.as_ref()).is_some_and(
            |(address, config_epoch, _)| {
                *config_epoch == hello.config_epoch && *address == hello.address
            },
        );
        let listens = cx.peers.get(&hello.id).is_some_and(|peer| peer.listens_at(&hello.sentinel));
        is_calm && is_old && is_same && listens && self.node.address.is(&hello.address)
    }

    /// When it was heard, and from whom.
    fn note_hello(&mut self, cx: &mut Cx<'_>, hello: &Hello) {
        let now = cx.now.mono;
        if let Some(member) = self.member_mut(hello.id) {
            member.hello_seen_at = now;
            match &mut member.announces {
                Some((address, epoch, at)) if *address == hello.address => {
                    (*epoch, *at) = (hello.config_epoch, now);
                }
                announces => *announces = Some((hello.address.clone(), hello.config_epoch, now)),
            }
        }
        if let Some(peer) = cx.peers.get_mut(&hello.id) {
            peer.heard_at = now;
        }
    }

    fn take_hello(&mut self, cx: &mut Cx<'_>, hello: &Arc<Hello>) {
        let known = self.know_sender(cx, hello);
        // A configuration that its sender heard may be ahead of the epoch on the sender's disk.
        let epoch = hello.current_epoch.max(hello.config_epoch);
        if cx.host.hear_epoch(epoch, cx.now.mono) {
            self.emit(cx, EventKind::NewEpoch, Detail::Epoch(epoch));
        }
        if !known {
            return;
        }
        self.note_hello(cx, hello);
        self.show(cx);
        self.compare_configurations(cx, hello);
    }

    /// Makes the sender a member if it is new; follows it if it moved. False if it is not known
    /// afterwards.
    fn know_sender(&mut self, cx: &mut Cx<'_>, hello: &Hello) -> bool {
        let address = Address::new(&hello.sentinel);
        if address.is_name() && !cx.host.settings.resolve_hostnames {
            cx.note(Note::ResolveFailed { host: hello.sentinel.host.clone() });
            return false;
        }
        let moved = cx.peers.get(&hello.id).is_some_and(|peer| !peer.address.same(&address));
        if moved && cx.keeps(Rule::H21) {
            self.follow_moved(cx, hello.id, &address);
        } else if moved {
            self.replace_moved(cx, hello.id, &address);
        }
        if self.has_member(hello.id) {
            return true;
        }
        if self.members.len() >= limits::MEMBERS {
            return false;
        }
        if !moved {
            self.drop_usurped(cx, hello.id, &address);
        }
        self.add_member(cx, hello.id, address);
        self.emit_member(cx, EventKind::Sentinel, hello.id, Detail::None);
        self.save(cx);
        true
    }

    /// Adds a fellow Sentinel; its link is shared with the other masters (spec: behaviour 3.5).
    pub(crate) fn add_member(&mut self, cx: &mut Cx<'_>, id: SentinelId, address: Address) {
        let now = cx.now.mono;
        let peer = cx.peers.entry(id).or_insert_with(|| Box::new(Peer::new(id, address, now)));
        peer.sharers.insert(self.id, self.settings.down_after);
        if !cx.host.rules.keeps(Rule::H23) {
            peer.renames = self.settings.renames.clone();
        }
        cx.host.touched_peers.insert(id);
        let mut member = Member::new(id, now);
        // After RESET one of before may be on its way (rule E6).
        let line = cx.peers.get(&id).and_then(|peer| peer.line.conn.as_ref());
        let waiting = line.filter(|conn| conn.awaits_hello(self.id)).map(|conn| conn.id);
        member.hello.outstanding_on = waiting;
        self.members.reserve_exact(1);
        self.members.push(member);
        self.standing.member_found(now);
        self.show(cx);
    }

    /// A known Sentinel announces another address (spec: holes H21: the entry moves, nothing of
    /// it is forgotten).
    fn follow_moved(&mut self, cx: &mut Cx<'_>, id: SentinelId, address: &Address) {
        let Some(mut peer) = cx.peers.remove(&id) else { return };
        if peer.is_flapping(cx.now.mono) {
            cx.peers.insert(id, peer);
            return;
        }
        let others = peer.sharers.keys().filter(|master| **master != self.id).count();
        if peer.move_to(cx, address.clone()) {
            cx.note(Note::FlappingAddress { sentinel: id });
        }
        for master in peer.sharers.keys() {
            cx.host.gate.master_changed(*master);
        }
        cx.peers.insert(id, peer);
        let to = address.announce(cx.host.settings.announce_hostnames);
        let detail = Detail::MovedTo { address: to, id };
        self.emit(cx, EventKind::SentinelAddressSwitch, detail);
        if others > 0 {
            let count = u32::try_from(others).unwrap_or(u32::MAX);
            let detail = Detail::AlsoUpdated(count);
            self.emit_member(cx, EventKind::SentinelAddressUpdate, id, detail);
        }
    }

    /// Without the cure of hole H21: the entry is another one, and knows nothing.
    fn replace_moved(&mut self, cx: &mut Cx<'_>, id: SentinelId, address: &Address) {
        if let Some(peer) = cx.peers.get_mut(&id) {
            peer.address = address.clone();
            cx.host.touched_peers.insert(id);
        }
        self.drop_member(cx, id);
    }

    /// Another id held this address: that Sentinel is gone from there, for every master.
    fn drop_usurped(&mut self, cx: &mut Cx<'_>, id: SentinelId, address: &Address) {
        let usurped = cx
            .peers
            .values()
            .find(|peer| peer.id != id && peer.address.same(address))
            .map(|peer| peer.id);
        let Some(old) = usurped.filter(|old| self.has_member(*old)) else { return };
        self.emit_member(cx, EventKind::SentinelInvalidAddr, old, Detail::None);
        cx.host.usurped.insert(old);
    }
}

/// Whether a hello with our own id is ours (rule S7, spec: holes H20).
pub(crate) fn hear_own_id(cx: &mut Cx<'_>, hello: &Hello) {
    if cx.host.announced.contains(&hello.sentinel) {
        return;
    }
    let news = cx.host.own_id_heard.as_ref().is_none_or(|(address, _)| *address != hello.sentinel);
    cx.host.own_id_heard = Some((hello.sentinel.clone(), cx.now.mono));
    cx.host.counters.own_id_elsewhere += 1;
    if news {
        cx.note(Note::OwnIdElsewhere { address: hello.sentinel.clone() });
    }
}
