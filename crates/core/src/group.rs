//! A monitored master with its replicas and fellow Sentinels, and the order in which its rules run.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::address::{Address, Endpoint};
use crate::agreement::{self, Epochs};
use crate::ask::Asking;
use crate::brake::Pass;
use crate::defer::Deferral;
use crate::down::OpinionOfPeer;
use crate::durable::SavedMaster;
use crate::event::{Detail, Event, EventKind, Part, Subject};
use crate::failover::Failover;
use crate::hello::HelloClock;
use crate::host::{Cx, NodeId, Peers};
use crate::ident::{Epoch, MasterId, MasterName, SentinelId};
use crate::node::{DownState, Node};
use crate::outbox::Outbox;
use crate::publishing::HeldEvent;
use crate::query::Hello;
use crate::reconfigure::Repointing;
use crate::repair::{Conflict, LeftMaster};
use crate::rules::{Rule, Rules};
use crate::settings::MasterSettings;
use crate::standing::Standing;
use crate::throng::Gone;
use crate::time::Time;
use crate::view::ReconfState;
use crate::vote::{Vote, WaitingBallot};

/// Whether what was heard matters to other rules than the one that heard it. A fleet hears the same
/// hellos and PONGs all day: only their moments are noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum News {
    /// Nobody has to know.
    Nothing,
    /// Nobody has to know before this moment.
    Later(Time),
    /// The rules run.
    Something,
}

/// A master and its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) id: MasterId,
    pub(crate) name: MasterName,
    rules: Rules,
    pub(crate) settings: Arc<MasterSettings>,
    /// The present master.
    pub(crate) node: Node,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) members: Vec<Member>,
    pub(crate) config_epoch: Epoch,
    /// Since when the present address is served.
    pub(crate) configured_at: Time,
    pub(crate) vote: Vote,
    pub(crate) odown_since: Option<Time>,
    pub(crate) standing: Standing,
    pub(crate) deferral: Option<Deferral>,
    pub(crate) failover: Option<Failover>,
    /// Its place among the promotions on one host.
    pub(crate) pass: Option<Pass>,
    pub(crate) repointing: Option<Repointing>,
    /// The node that was master before the last switch (rule R2).
    pub(crate) left: Option<LeftMaster>,
    /// A master that handed over, whose clients are still to be sent away.
    pub(crate) farewell: Option<NodeId>,
    pub(crate) conflict: Option<Conflict>,
    /// A newer configuration whose name does not resolve yet (rule A1).
    pub(crate) unresolved: Option<Arc<Hello>>,
    pub(crate) ballots: VecDeque<WaitingBallot>,
    pub(crate) held: VecDeque<HeldEvent>,
    /// There are newer moments of PONGs and hellos than clients were shown: they are then.
    clocks_shown_at: Option<Time>,
    /// It is down or not connected.
    pub(crate) gone: Option<Gone>,
    /// What is on disk.
    pub(crate) saved: Option<Arc<SavedMaster>>,
    /// Evidence about the link to the master counts from here (rule L4): start, MONITOR, or the
    /// end of a stall.
    pub(crate) watching_since: Time,
}

/// The part of a group that its rules look at in each other.
#[derive(PartialEq, Eq)]
struct Situation {
    configured_at: Time,
    is_down: bool,
    odown_since: Option<Time>,
    failover: Option<Epoch>,
    leader_epoch: Epoch,
    deferral: Option<Deferral>,
    standing: Standing,
    is_repointing: bool,
}

/// A replica of the present master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Replica {
    /// `host:port` from its discovery.
    pub(crate) name: Arc<str>,
    pub(crate) node: Node,
    pub(crate) reconf: Option<(ReconfState, Time)>,
}

/// A fellow Sentinel with respect to this master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) id: SentinelId,
    pub(crate) down: DownState,
    pub(crate) hello: HelloClock,
    pub(crate) hello_seen_at: Time,
    /// The configuration in its last hello, and when that came (rule R2).
    pub(crate) announces: Option<(Endpoint, Epoch, Time)>,
    pub(crate) opinion: Option<OpinionOfPeer>,
    pub(crate) leader: Option<SentinelId>,
    pub(crate) leader_epoch: Epoch,
    /// Its last answer to a question about the present address (rule S2).
    pub(crate) answered_at: Option<Time>,
    pub(crate) asking: Asking,
}

impl Replica {
    pub(crate) fn new(node: Node, as_name: bool) -> Self {
        let name = alloc::format!("{}", node.address.announce(as_name)).into();
        Self { name, node, reconf: None }
    }

    /// Names it by the address that its host turned out to have.
    pub(crate) fn name_by(&mut self, ip: core::net::IpAddr, as_name: bool) {
        let mut address = self.node.address.clone();
        address.resolve_to(ip);
        self.name = alloc::format!("{}", address.announce(as_name)).into();
    }
}

impl Member {
    pub(crate) fn new(id: SentinelId, now: Time) -> Self {
        Self {
            id,
            down: DownState::default(),
            hello: HelloClock::new(now),
            hello_seen_at: now,
            announces: None,
            opinion: None,
            leader: None,
            leader_epoch: Epoch::ZERO,
            answered_at: None,
            asking: Asking::default(),
        }
    }
}

impl Group {
    /// A new group: from the file, or by `SENTINEL MONITOR`.
    pub(crate) fn new(
        id: MasterId,
        name: MasterName,
        rules: Rules,
        node: Node,
        settings: Arc<MasterSettings>,
        now: Time,
    ) -> Self {
        Self {
            id,
            name,
            rules,
            settings,
            node,
            replicas: Vec::new(),
            members: Vec::new(),
            config_epoch: Epoch::ZERO,
            configured_at: now,
            vote: Vote::default(),
            odown_since: None,
            standing: Standing::new(),
            deferral: None,
            failover: None,
            pass: None,
            repointing: None,
            left: None,
            farewell: None,
            conflict: None,
            unresolved: None,
            ballots: VecDeque::new(),
            held: VecDeque::new(),
            clocks_shown_at: None,
            gone: None,
            saved: None,
            watching_since: now,
        }
    }

    /// Runs every rule whose moment has come. Rules are level-triggered: running one twice changes
    /// nothing. In TILT only links, questions for evidence and votes go on (rule E4).
    pub(crate) fn run_rules(&mut self, cx: &mut Cx<'_>) {
        if cx.host.outbox.is_crashing() {
            return;
        }
        let before = self.situation();
        let waited = self.take_waiting_pass();
        self.follow_names(cx);
        self.keep_linked(cx);
        self.keep_asking_nodes(cx);
        self.announce(cx);
        if !cx.in_tilt() {
            self.judge_instances(cx);
            self.expire_opinions(cx);
            self.judge_odown(cx);
            self.end_deferral(cx);
            self.stand(cx);
            self.advance_failover(cx);
            self.ask_members(cx);
            self.repoint_replicas(cx);
            self.repair(cx);
        }
        self.review_pass(cx, waited);
        self.answer_ballots(cx);
        self.release_events(cx);
        self.show_unshown_clocks(cx);
        self.count_gone(cx);
        if self.situation() != before {
            cx.host.unrest_at = cx.now.mono;
            cx.wake(cx.now.mono);
        }
    }

    /// What rules learn of each other. When one that comes late changes it, those before look
    /// again: nothing else may happen for long (scenario `leader_timeout`).
    fn situation(&self) -> Situation {
        Situation {
            configured_at: self.configured_at,
            is_down: self.is_down(),
            odown_since: self.odown_since,
            failover: self.failover.as_ref().map(|failover| failover.epoch),
            leader_epoch: self.vote.leader_epoch,
            deferral: self.deferral.clone(),
            standing: self.standing.clone(),
            is_repointing: self.repointing.is_some(),
        }
    }

    fn keep_linked(&mut self, cx: &mut Cx<'_>) {
        self.node.keep_linked(cx, self.id, &self.settings);
        for replica in &mut self.replicas {
            replica.node.keep_linked(cx, self.id, &self.settings);
        }
    }

    /// Sentinels known for this master, oneself included.
    pub(crate) fn voters(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX - 1) + 1
    }

    /// Votes that elect, and members that must answer: the majority of all known, and the quorum.
    pub(crate) fn enough(&self) -> u32 {
        if crate::mutant::Mutant::MajorityOfReachable.lives() {
            let up = self.members.iter().filter(|member| member.down.since.is_none()).count();
            return u32::try_from(up + 1).unwrap_or(u32::MAX) / 2 + 1;
        }
        if crate::mutant::Mutant::QuorumNotNeeded.lives() {
            return self.voters() / 2 + 1;
        }
        agreement::enough(self.voters(), self.settings.quorum)
    }

    /// Whether this Sentinel keeps a rule; the product keeps all.
    pub(crate) fn keeps(&self, rule: Rule) -> bool {
        self.rules.keeps(rule)
    }

    pub(crate) fn epochs(&self, current: Epoch) -> Epochs {
        Epochs { current, leader: self.vote.leader_epoch, config: self.config_epoch }
    }

    pub(crate) fn is_down(&self) -> bool {
        self.node.is_down()
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        if self.node.id == id {
            return Some(&mut self.node);
        }
        self.replica_mut(id).map(|replica| &mut replica.node)
    }

    pub(crate) fn replica_mut(&mut self, id: NodeId) -> Option<&mut Replica> {
        self.replicas.iter_mut().find(|replica| replica.node.id == id)
    }

    pub(crate) fn replica(&self, id: NodeId) -> Option<&Replica> {
        self.replicas.iter().find(|replica| replica.node.id == id)
    }

    pub(crate) fn member_mut(&mut self, id: SentinelId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == id)
    }

    pub(crate) fn has_member(&self, id: SentinelId) -> bool {
        self.members.iter().any(|member| member.id == id)
    }

    /// Every data node, the master first.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        core::iter::once(&self.node).chain(self.replicas.iter().map(|replica| &replica.node))
    }

    pub(crate) fn nodes_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        let replicas = self.replicas.iter_mut().map(|replica| &mut replica.node);
        core::iter::once(&mut self.node).chain(replicas)
    }

    /// The official address in announce form.
    pub(crate) fn endpoint(&self, cx: &Cx<'_>) -> Endpoint {
        self.node.address.announce(cx.host.settings.announce_hostnames)
    }

    pub(crate) fn is_at(&self, address: &Address) -> bool {
        self.node.address.same(address)
    }

    /// Something changed that the file must tell.
    pub(crate) fn save(&self, cx: &mut Cx<'_>) {
        cx.host.gate.master_changed(self.id);
    }

    /// Something changed that clients are shown.
    pub(crate) fn show(&self, cx: &mut Cx<'_>) {
        cx.host.outbox.changed.insert(self.id);
    }

    /// Only the moment of a PONG or of a hello changed. Where many masters are watched and nothing
    /// is wrong with this one, that is shown once a second, at a moment when no regular PING has
    /// just left: one on its way would be shown as waiting for a second. Says when.
    pub(crate) fn show_clocks(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        if !cx.host.crowded || !self.is_calm() {
            self.show(cx);
            return None;
        }
        Some(*self.clocks_shown_at.get_or_insert_with(|| cx.shows_clocks_at()))
    }

    fn show_unshown_clocks(&mut self, cx: &mut Cx<'_>) {
        if self.clocks_shown_at.is_some_and(|at| cx.due(at)) {
            self.clocks_shown_at = None;
            self.show(cx);
        }
    }

    /// The master is not down, and nobody is failing it over or repointing its replicas.
    pub(crate) fn is_calm(&self) -> bool {
        !self.is_down() && self.failover.is_none() && self.repointing.is_none()
    }
}

/// Whom events are about.
impl Group {
    pub(crate) fn subject(&self, as_name: bool, part: Part) -> Subject {
        let address = self.node.address.announce(as_name);
        Subject { master: self.name.clone(), address, part }
    }

    /// An event about the master.
    pub(crate) fn emit(&mut self, cx: &mut Cx<'_>, kind: EventKind, detail: Detail) {
        self.emit_about(cx, kind, Part::Master, detail);
    }

    /// An event about a replica.
    pub(crate) fn emit_replica(&mut self, cx: &mut Cx<'_>, kind: EventKind, id: NodeId) {
        if let Some(part) = self.replica_part(cx, id) {
            self.emit_about(cx, kind, part, Detail::None);
        }
    }

    /// An event about a data node, whatever it is at the moment.
    pub(crate) fn emit_node(
        &mut self,
        cx: &mut Cx<'_>,
        kind: EventKind,
        id: NodeId,
        detail: Detail,
    ) {
        let part = if id == self.node.id { Some(Part::Master) } else { self.replica_part(cx, id) };
        if let Some(part) = part {
            self.emit_about(cx, kind, part, detail);
        }
    }

    /// An event about a fellow Sentinel.
    pub(crate) fn emit_member(
        &mut self,
        cx: &mut Cx<'_>,
        kind: EventKind,
        id: SentinelId,
        detail: Detail,
    ) {
        let Some(address) = peer_address(cx.peers, id, cx.host.settings.announce_hostnames) else {
            return;
        };
        self.emit_about(cx, kind, Part::Sentinel { id, address }, detail);
    }

    fn replica_part(&self, cx: &Cx<'_>, id: NodeId) -> Option<Part> {
        let as_name = cx.host.settings.announce_hostnames;
        self.replica(id).map(|replica| Part::Replica {
            name: replica.name.clone(),
            address: replica.node.address.announce(as_name),
        })
    }

    fn emit_about(&mut self, cx: &mut Cx<'_>, kind: EventKind, part: Part, detail: Detail) {
        let subject = self.subject(cx.host.settings.announce_hostnames, part);
        self.emit_event(cx, Event { kind, about: Some(subject), detail });
    }
}

/// Where a fellow Sentinel listens, in announce form.
pub(crate) fn peer_address(peers: &Peers, id: SentinelId, as_name: bool) -> Option<Endpoint> {
    peers.get(&id).map(|peer| peer.address.announce(as_name))
}

/// Shows every changed group again after a change that concerns all of them.
pub(crate) fn show_all(outbox: &mut Outbox, ids: impl Iterator<Item = MasterId>) {
    outbox.changed.extend(ids);
}
