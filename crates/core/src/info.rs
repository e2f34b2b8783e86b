//! INFO: what a node says about itself (spec: behaviour 7).

use alloc::sync::Arc;

use crate::address::{Address, Endpoint};
use crate::event::{Detail, EventKind};
use crate::group::{Group, Replica};
use crate::host::{Cx, NodeId};
use crate::ident::ConnId;
use crate::limits;
use crate::node::Node;
use crate::note::Note;
use crate::query::{HandOverState, InfoAnswer, InfoReport, Role};
use crate::time::Time;

impl Group {
    /// An INFO answer came. Garbage changes nothing.
    pub(crate) fn hear_info(
        &mut self,
        cx: &mut Cx<'_>,
        conn: ConnId,
        asked_at: Time,
        answer: InfoAnswer,
    ) {
        self.show(cx);
        let as_name = cx.host.settings.announce_hostnames;
        let Some(node) = self.node_on_mut(conn) else { return };
        node.info.answered();
        let report = match answer {
            InfoAnswer::Report(report) => report,
            InfoAnswer::Refused => {
                node.info.failed(cx.now.mono);
                return;
            }
            InfoAnswer::Garbage => {
                node.info.failed(cx.now.mono);
                cx.host.counters.garbage_infos += 1;
                if !core::mem::replace(&mut node.garbage_noted, true) {
                    cx.note(Note::GarbageInfo { node: node.address.announce(as_name) });
                }
                return;
            }
        };
        let (id, now) = (node.id, cx.now.mono);
        node.info.received(report.clone(), asked_at, conn, now);
        node.handing_over_since = match report.hand_over {
            Some(HandOverState::Busy) => node.handing_over_since.or(Some(now)),
            Some(HandOverState::Idle) | None => None,
        };
        self.hear_run_id(cx, id, &report);
        if id == self.node.id {
            self.discover_replicas(cx, &report);
        }
        let expected = self.node.address.clone();
        if let Some(node) = self.node_mut(id) {
            node.read_replication(&report, now);
        }
        self.hear_role(cx, id, report.role, &expected);
        if report.role == Role::Replica {
            self.hear_following(id);
        }
        self.note_progress(cx, id);
    }

    /// A changed run id is a reboot (spec: behaviour 7.2).
    fn hear_run_id(&mut self, cx: &mut Cx<'_>, id: NodeId, report: &InfoReport) {
        let Some(run_id) = report.run_id else { return };
        let watches_reboots = self.settings.reboot_down_after.0 != 0 && id == self.node.id;
        let Some(node) = self.node_mut(id) else { return };
        let rebooted = node.run_id.is_some_and(|before| before != run_id);
        node.run_id = Some(run_id);
        if !rebooted {
            return;
        }
        if watches_reboots {
            node.rebooting_since = Some(cx.now.mono);
        }
        self.emit_node(cx, EventKind::Reboot, id, Detail::None);
    }

    /// Replicas listed by the master are remembered, and never forgotten (spec: behaviour 7.3).
    fn discover_replicas(&mut self, cx: &mut Cx<'_>, report: &Arc<InfoReport>) {
        for endpoint in &report.replicas {
            let address = Address::new(endpoint);
            let known = self.nodes().any(|node| node.address.same(&address));
            let refused = address.is_name() && !cx.host.settings.resolve_hostnames;
            if refused {
                cx.note(Note::ResolveFailed { host: endpoint.host.clone() });
            }
            if known || refused || self.replicas.len() >= limits::REPLICAS {
                continue;
            }
            let id = self.add_replica(cx, address);
            self.emit_replica(cx, EventKind::Replica, id);
            self.save(cx);
        }
    }

    /// A new replica; it is connected at once.
    pub(crate) fn add_replica(&mut self, cx: &mut Cx<'_>, address: Address) -> NodeId {
        let id = cx.host.mint_node();
        let node = Node::new(id, address, Role::Replica, cx.now.mono);
        // Most masters have one or two: room for four would be half of what a group takes.
        self.replicas.reserve_exact(1);
        self.replicas.push(Replica::new(node, cx.host.settings.announce_hostnames));
        id
    }

    /// What the role says, and whether it is news (spec: behaviour 7.4).
    fn hear_role(&mut self, cx: &mut Cx<'_>, id: NodeId, role: Role, master: &Address) {
        let now = cx.now.mono;
        let Some(node) = self.node_mut(id) else { return };
        let follows = node.follows(master);
        if role == Role::Replica && follows {
            node.followed_as = node.run_id;
        }
        if node.role == role {
            return;
        }
        node.role = role;
        node.role_at = now;
        match role {
            Role::Replica => {
                node.turned_at = None;
                node.reported.changed_at = now;
            }
            Role::Master => {
                let same_run = node.followed_as.is_some() && node.followed_as == node.run_id;
                node.turned_at = same_run.then_some(now);
            }
        }
        let kind = match self.node_mut(id).map(|node| node.role) {
            Some(role) if self.role_fits(id, role) => EventKind::RoleChange,
            Some(_) | None => EventKind::RoleChangeAway,
        };
        self.emit_node(cx, kind, id, Detail::Role(role));
    }

    fn role_fits(&self, id: NodeId, role: Role) -> bool {
        match role {
            Role::Master => id == self.node.id,
            Role::Replica => id != self.node.id,
        }
    }
}

impl Node {
    /// Takes over what the text mentions; other fields keep their value.
    fn read_replication(&mut self, report: &InfoReport, now: Time) {
        let mine = &mut self.reported;
        mine.link_down_ms = report.link_down_ms.unwrap_or(0);
        if report.role == Role::Master {
            return;
        }
        if report.master.is_some() && !same_endpoint(report.master.as_ref(), mine.master.as_ref()) {
            mine.master.clone_from(&report.master);
            mine.changed_at = now;
        }
        mine.link_up = report.link_up.unwrap_or(mine.link_up);
        mine.priority = report.priority.unwrap_or(mine.priority);
        mine.offset = report.offset.unwrap_or(mine.offset);
        mine.announced = report.announced.unwrap_or(mine.announced);
    }

    /// Whether it says that it follows the node at this address (spec: behaviour 14.3).
    pub(crate) fn follows(&self, master: &Address) -> bool {
        self.reported.master.as_ref().is_some_and(|told| master.is(told))
    }
}

fn same_endpoint(one: Option<&Endpoint>, other: Option<&Endpoint>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            one.port == other.port && one.host.eq_ignore_ascii_case(&other.host)
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
