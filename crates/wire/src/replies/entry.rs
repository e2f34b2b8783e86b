//! Instance entries: which fields, in which order (spec: interface 3).

use vedette_core::{
    FailoverState, LinkView, MasterView, MemberView, NodeView, Now, ReconfState, ReplicaView, Span,
    Time,
};

use crate::events::role_name;
use crate::reply::{Reply, bulk, number, word};

/// A master's entry.
#[must_use]
pub fn master(view: &MasterView, now: Now) -> Reply {
    let mut fields = Fields::new(&view.name, &view.node.address.host, view.node.address.port);
    fields.add("runid", bulk(view.node.run_id.as_ref().map_or("", |id| id.as_str())));
    fields.add("flags", bulk(master_flags(view)));
    fields.link(&view.node.link);
    if let Some(failover) = &view.failover {
        fields.add("failover-state", word(failover_state(failover.state)));
    }
    fields.pings(&view.node.link, now);
    fields.down_times(view.node.sdown_since, view.odown_since, now);
    fields.add("down-after-milliseconds", span(view.down_after()));
    fields.data_node(&view.node, now);
    fields.add("config-epoch", number(view.config_epoch));
    fields.add("num-slaves", number(view.replicas.len()));
    fields.add("num-other-sentinels", number(view.sentinels.len()));
    let settings = &view.settings;
    fields.add("quorum", number(settings.quorum));
    fields.add("failover-timeout", span(settings.failover_timeout));
    fields.add("parallel-syncs", number(settings.parallel_syncs));
    if let Some(path) = &settings.notification_script {
        fields.add("notification-script", bulk(path.as_bytes()));
    }
    if let Some(path) = &settings.client_reconfig_script {
        fields.add("client-reconfig-script", bulk(path.as_bytes()));
    }
    fields.into_reply()
}

/// A replica's entry.
#[must_use]
pub fn replica(master: &MasterView, view: &ReplicaView, now: Now) -> Reply {
    let node = &view.node;
    let mut fields = Fields::new(&view.name, &node.address.host, node.address.port);
    fields.add("runid", bulk(node.run_id.as_ref().map_or("", |id| id.as_str())));
    fields.add("flags", bulk(replica_flags(view)));
    fields.link(&node.link);
    fields.pings(&node.link, now);
    fields.down_times(node.sdown_since, None, now);
    fields.add("down-after-milliseconds", span(master.down_after()));
    fields.data_node(node, now);
    fields.add("master-link-down-time", number(view.link_down_ms));
    fields.add("master-link-status", word(if view.link_up { "ok" } else { "err" }));
    let (host, port) = view.master.as_ref().map_or(("?", 0), |at| (&*at.host, at.port));
    fields.add("master-host", bulk(host));
    fields.add("master-port", number(port));
    fields.add("slave-priority", number(view.priority));
    fields.add("slave-repl-offset", number(view.offset));
    fields.add("replica-announced", word(if view.announced { "1" } else { "0" }));
    fields.into_reply()
}

/// A fellow Sentinel's entry.
#[must_use]
pub fn sentinel(master: &MasterView, view: &MemberView, now: Now) -> Reply {
    let mut fields = Fields::new(view.id.as_str(), &view.address.host, view.address.port);
    fields.add("runid", bulk(view.id.as_str()));
    fields.add("flags", bulk(sentinel_flags(view)));
    fields.link(&view.link);
    fields.pings(&view.link, now);
    fields.down_times(view.sdown_since, None, now);
    fields.add("down-after-milliseconds", span(master.down_after()));
    fields.add("last-hello-message", ago(view.hello_at, now));
    fields.add("voted-leader", bulk(view.leader.as_ref().map_or("?", |id| id.as_str())));
    fields.add("voted-leader-epoch", number(view.leader_epoch));
    fields.into_reply()
}

/// The flags in the order of interface 3.1, each when it is true.
fn flags(list: &[(bool, &'static str)]) -> String {
    let set: Vec<_> = list.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
    set.join(",")
}

fn master_flags(view: &MasterView) -> String {
    flags(&[
        (view.node.sdown_since.is_some(), "s_down"),
        (view.odown_since.is_some(), "o_down"),
        (true, "master"),
        (!view.node.link.connected, "disconnected"),
        (view.failover.is_some(), "failover_in_progress"),
        (view.failover.is_some_and(|failover| failover.forced), "force_failover"),
        (view.failover.is_some_and(|failover| failover.coordinated), "coordinated_failover"),
        (view.node.script_kill_sent, "script_kill_sent"),
        (view.rebooting, "master_reboot"),
    ])
}

fn replica_flags(view: &ReplicaView) -> String {
    flags(&[
        (view.node.sdown_since.is_some(), "s_down"),
        (true, "slave"),
        (!view.node.link.connected, "disconnected"),
        (view.promoted, "promoted"),
        (view.reconf == Some(ReconfState::Sent), "reconf_sent"),
        (view.reconf == Some(ReconfState::InProgress), "reconf_inprog"),
        (view.reconf == Some(ReconfState::Done), "reconf_done"),
        (view.node.script_kill_sent, "script_kill_sent"),
    ])
}

fn sentinel_flags(view: &MemberView) -> String {
    flags(&[
        (view.sdown_since.is_some(), "s_down"),
        (true, "sentinel"),
        (!view.link.connected, "disconnected"),
        (view.says_down, "master_down"),
    ])
}

const fn failover_state(state: FailoverState) -> &'static str {
    match state {
        FailoverState::WaitStart => "wait_start",
        FailoverState::SelectReplica => "select_slave",
        FailoverState::SendReplicaOfNoOne => "send_slaveof_noone",
        FailoverState::WaitPromotion => "wait_promotion",
    }
}

/// The milliseconds since then.
fn ago(then: Time, now: Now) -> Reply {
    span(now.mono.since(then))
}

/// The milliseconds since then, 0 if it never was.
fn ago_or_zero(then: Option<Time>, now: Now) -> Reply {
    span(then.map_or(Span::ZERO, |then| now.mono.since(then)))
}

fn span(span: Span) -> Reply {
    number(span.0)
}

/// An entry in the making.
struct Fields(Vec<(Reply, Reply)>);

impl Fields {
    fn new(name: &str, host: &str, port: u16) -> Self {
        // A master under failover with both scripts has the most fields.
        let mut fields = Self(Vec::with_capacity(25));
        fields.add("name", bulk(name));
        fields.add("ip", bulk(host));
        fields.add("port", number(port));
        fields
    }

    fn add(&mut self, name: &'static str, value: Reply) {
        self.0.push((word(name), value));
    }

    fn link(&mut self, link: &LinkView) {
        self.add("link-pending-commands", number(link.pending));
        self.add("link-refcount", number(link.sharers));
    }

    fn pings(&mut self, link: &LinkView, now: Now) {
        self.add("last-ping-sent", ago_or_zero(link.ping_waiting_since, now));
        self.add("last-ok-ping-reply", ago(link.ok_reply_at, now));
        self.add("last-ping-reply", ago(link.any_reply_at, now));
    }

    fn down_times(&mut self, sdown: Option<Time>, odown: Option<Time>, now: Now) {
        if let Some(since) = sdown {
            self.add("s-down-time", ago(since, now));
        }
        if let Some(since) = odown {
            self.add("o-down-time", ago(since, now));
        }
    }

    fn data_node(&mut self, node: &NodeView, now: Now) {
        self.add("info-refresh", ago_or_zero(node.info_at, now));
        self.add("role-reported", word(role_name(node.role_reported)));
        self.add("role-reported-time", ago(node.role_reported_at, now));
    }

    fn into_reply(self) -> Reply {
        Reply::Map(self.0)
    }
}
