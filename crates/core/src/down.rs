//! Subjectively and objectively down (spec: behaviour 8; rules E3, E5).

use serde::{Deserialize, Serialize};

use crate::event::{Detail, EventKind};
use crate::group::Group;
use crate::host::{Cx, NodeId};
use crate::ident::SentinelId;
use crate::limits;
use crate::query::Role;
use crate::settings::Tunable;
use crate::time::{Span, Time};

/// What a fellow Sentinel last said about the present address; a switch forgets it (rule E5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpinionOfPeer {
    pub(crate) down: bool,
    pub(crate) at: Time,
}

/// A change of an instance's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Down,
    Up,
}

impl Group {
    /// Judges the master, the replicas and the fellow Sentinels.
    pub(crate) fn judge_instances(&mut self, cx: &mut Cx<'_>) {
        let mut nodes: alloc::vec::Vec<NodeId> = alloc::vec::Vec::new();
        nodes.extend(self.nodes().map(|node| node.id));
        for id in nodes {
            if let Some(turn) = self.judge_node(cx, id) {
                self.tell_node_turn(cx, id, turn);
            }
        }
        for index in 0..self.members.len() {
            self.judge_member(cx, index);
        }
    }

    fn judge_node(&mut self, cx: &mut Cx<'_>, id: NodeId) -> Option<Turn> {
        let down_after = self.settings.down_after;
        let reboot_limit = self.settings.reboot_down_after;
        let misplaced = down_after + cx.host.tunables.get(Tunable::InfoPeriod) * 2;
        let is_master = id == self.node.id;
        let node = self.node_mut(id)?;
        let silent = node.ping.silent_from(down_after);
        let wrong_role =
            (is_master && node.role == Role::Replica).then(|| node.role_at + misplaced + Span(1));
        let reboot = node.rebooting_since.filter(|_| is_master && reboot_limit.0 != 0);
        let rebooting = reboot.map(|since| since + reboot_limit + Span(1));
        let first = [silent, wrong_role, rebooting].into_iter().flatten().min();
        let down = match first {
            Some(at) if node.is_down() => cx.due(at),
            Some(at) => cx.verdict_due(at),
            None => false,
        };
        node.turn(down, cx.now.mono)
    }

    fn tell_node_turn(&mut self, cx: &mut Cx<'_>, id: NodeId, turn: Turn) {
        self.show(cx);
        let is_master = id == self.node.id;
        match turn {
            Turn::Down => {
                self.emit_node(cx, EventKind::SdownEntered, id, Detail::None);
                if is_master {
                    self.ask_at_once();
                }
            }
            Turn::Up => {
                self.emit_node(cx, EventKind::SdownLeft, id, Detail::None);
                if is_master && self.failover.is_some() {
                    // Whether it is back is told by its INFO (rule F4).
                    self.node.ask_info(cx);
                }
            }
        }
    }

    fn judge_member(&mut self, cx: &mut Cx<'_>, index: usize) {
        let down_after = self.settings.down_after;
        let Some(member) = self.members.get_mut(index) else { return };
        let Some(peer) = cx.peers.get(&member.id) else { return };
        let down = match peer.ping.silent_from(down_after) {
            Some(at) if member.down.since.is_some() => at <= cx.now.mono,
            Some(at) if at <= cx.now.mono && !cx.may_judge => {
                cx.wake(cx.host.tick_at);
                false
            }
            Some(at) => at <= cx.now.mono,
            None => false,
        };
        let id = member.id;
        let turn = member.down.turn(down, cx.now.mono);
        if let Some(turn) = turn {
            self.show(cx);
            self.tell_member_turn(cx, id, turn);
        }
    }

    fn tell_member_turn(&mut self, cx: &mut Cx<'_>, id: SentinelId, turn: Turn) {
        let kind = match turn {
            Turn::Down => EventKind::SdownEntered,
            Turn::Up => EventKind::SdownLeft,
        };
        if turn == Turn::Up {
            self.standing.member_reachable();
        }
        self.emit_member(cx, kind, id, Detail::None);
    }

    /// Opinions live for five ask periods (spec: behaviour 9.1).
    pub(crate) fn expire_opinions(&mut self, cx: &mut Cx<'_>) {
        let life = cx.host.tunables.get(Tunable::AskPeriod) * limits::OPINION_ASK_PERIODS;
        let mut changed = false;
        if crate::mutant::Mutant::ExpiredOpinions.lives() {
            return;
        }
        for member in &mut self.members {
            if member.opinion.is_some_and(|opinion| cx.due(opinion.at + life + Span(1))) {
                member.opinion = None;
                member.leader = None;
                changed = true;
            }
        }
        if changed {
            self.show(cx);
        }
    }

    /// Objectively down: enough Sentinels say so (spec: behaviour 8.5).
    pub(crate) fn judge_odown(&mut self, cx: &mut Cx<'_>) {
        let count = if self.is_down() { 1 + self.agreeing() } else { 0 };
        let quorum = self.settings.quorum;
        let off = u32::from(crate::mutant::Mutant::QuorumOffByOne.lives());
        let down = count > 0 && count + off >= quorum;
        if down == self.odown_since.is_some() {
            return;
        }
        self.show(cx);
        if down {
            self.odown_since = Some(cx.now.mono);
            self.emit(cx, EventKind::OdownEntered, Detail::Agreement { count, quorum });
            self.prepare_to_stand(cx);
        } else {
            self.odown_since = None;
            self.emit(cx, EventKind::OdownLeft, Detail::None);
            self.standing.outage_ended();
        }
    }

    /// Fellow Sentinels that hold the master down.
    fn agreeing(&self) -> u32 {
        let says_down = |opinion: &OpinionOfPeer| opinion.down;
        let agree = self.members.iter().filter(|m| m.opinion.as_ref().is_some_and(says_down));
        u32::try_from(agree.count()).unwrap_or(u32::MAX - 1)
    }
}

impl crate::node::Node {
    fn turn(&mut self, down: bool, now: Time) -> Option<Turn> {
        let turn = self.down.turn(down, now);
        if turn == Some(Turn::Up) {
            self.script_kill_sent = false;
        }
        turn
    }
}

impl crate::node::DownState {
    /// Takes a verdict; tells whether it is a change.
    fn turn(&mut self, down: bool, now: Time) -> Option<Turn> {
        match (self.since, down) {
            (None, true) => {
                self.since = Some(now);
                self.began_at = Some(now);
                Some(Turn::Down)
            }
            (Some(_), false) => {
                self.since = None;
                self.ended_at = Some(now);
                Some(Turn::Up)
            }
            (None, false) | (Some(_), true) => None,
        }
    }
}
