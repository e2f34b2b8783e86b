//! PING and INFO of a group's nodes: how often (spec: behaviour 5.1, 5.2; rule E2).

use crate::group::{Group, News};
use crate::host::Cx;
use crate::ident::ConnId;
use crate::limits;
use crate::node::Node;
use crate::query::{PingReply, Query, Role};
use crate::settings::Tunable;
use crate::time::Span;

impl Group {
    /// Asks the nodes for PONG and INFO when it is time.
    pub(crate) fn keep_asking_nodes(&mut self, cx: &mut Cx<'_>) {
        let relaxed = self.relaxed_ping_interval(cx);
        let close = self.master_ping_interval(cx);
        let quiet = cx.host.tunables.get(Tunable::InfoPeriod);
        let troubled =
            self.odown_since.is_some() || self.failover.is_some() || self.repointing.is_some();
        let every = if self.node.is_handing_over() { limits::FAST_INFO } else { quiet };
        self.node.keep_asking(cx, close, every.min(quiet));
        for replica in &mut self.replicas {
            let fast = troubled || replica.node.is_out_of_step() || replica.node.is_handing_over();
            let every = if fast { limits::FAST_INFO.min(quiet) } else { quiet };
            replica.node.keep_asking(cx, relaxed, every);
        }
    }

    /// The interval of rule E2 for the master.
    pub(crate) fn close_ping_interval(&self, cx: &Cx<'_>) -> Span {
        let close = (self.settings.down_after / 10).max(limits::CLOSEST_PING);
        close.min(cx.host.tunables.get(Tunable::PingPeriod)).min(self.settings.down_after)
    }

    /// A PING of a node was answered (spec: behaviour 8.1).
    pub(crate) fn node_ponged(&mut self, cx: &mut Cx<'_>, conn: ConnId, reply: PingReply) -> News {
        let shown_at = self.show_clocks(cx);
        let interval = self.ping_interval(cx, conn);
        let is_calm = self.is_calm() && !cx.in_tilt();
        let Some(node) = self.node_on_mut(conn) else { return News::Something };
        let is_well = !node.is_down() && node.rebooting_since.is_none() && !node.is_crowded();
        match reply {
            PingReply::Pong => {
                node.ping.replied(true, cx.now.mono);
                node.rebooting_since = None;
                node.left_unheard = false;
            }
            PingReply::Loading => {
                node.ping.replied(true, cx.now.mono);
                node.left_unheard = false;
            }
            PingReply::Busy => {
                node.ping.replied(false, cx.now.mono);
                node.kill_script(cx);
                return News::Something;
            }
            PingReply::Other => {
                node.ping.replied(false, cx.now.mono);
                return News::Something;
            }
        }
        let next_at = cx.gathered(node.ping.due_at(interval), interval);
        if is_calm && is_well {
            return News::Later(shown_at.map_or(next_at, |at| at.min(next_at)));
        }
        self.show(cx);
        News::Something
    }

    /// Every how long the node on this connection is pinged.
    fn ping_interval(&self, cx: &Cx<'_>, conn: ConnId) -> Span {
        if self.node.commands.owns(conn) {
            return self.master_ping_interval(cx);
        }
        self.relaxed_ping_interval(cx)
    }

    /// Every how long the master is pinged.
    pub(crate) fn master_ping_interval(&self, cx: &Cx<'_>) -> Span {
        if cx.host.close_pings {
            return self.close_ping_interval(cx);
        }
        self.relaxed_ping_interval(cx)
    }

    /// Every how long nodes are pinged, but for masters of which there are few (rule E2).
    pub(crate) fn relaxed_ping_interval(&self, cx: &Cx<'_>) -> Span {
        self.settings.down_after.min(cx.host.tunables.get(Tunable::PingPeriod))
    }

    /// The node whose command connection this is.
    pub(crate) fn node_on_mut(&mut self, conn: ConnId) -> Option<&mut Node> {
        self.nodes_mut().find(|node| node.commands.owns(conn))
    }
}

impl Node {
    /// A replica whose replication link is down, by either of the two lines that tell.
    fn is_out_of_step(&self) -> bool {
        let follows = self.role == Role::Replica && self.info.at.is_some();
        self.reported.link_down_ms != 0 || (follows && !self.reported.link_up)
    }

    /// A node that is down because of a script gets it killed, once per down period.
    fn kill_script(&mut self, cx: &mut Cx<'_>) {
        if !self.is_down() || self.script_kill_sent {
            return;
        }
        if let Some(conn) = &mut self.commands.conn {
            conn.send(cx, Query::ScriptKill, crate::link::Expected::Nothing);
            self.script_kill_sent = true;
        }
    }
}
