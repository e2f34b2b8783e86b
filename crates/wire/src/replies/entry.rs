//! Instance entries: which fields, in which order (spec: interface 3).

use bytes::BytesMut;
use vedette_core::{
    FailoverState, LinkView, MasterView, MemberView, NodeView, Now, ReconfState, ReplicaView, Span,
    Time,
};
use vedette_resp::{Protocol, encode_array_len, encode_bulk, encode_bulk_number, encode_map_len};

use crate::events::role_name;

/// Bytes of an entry, roughly.
const ENTRY_BYTES: usize = 1024;

/// Entries in the making, spelled as they are sent: as a tree of replies the listing of a thousand
/// masters would be twenty thousand pairs, built only to be taken apart.
pub struct Entries {
    now: Now,
    protocol: Protocol,
    out: BytesMut,
    /// The present entry, whose header tells how many fields there are.
    fields: BytesMut,
    pairs: usize,
}

impl Entries {
    /// One entry that stands for itself.
    #[must_use]
    pub fn single(now: Now, protocol: Protocol) -> Self {
        let (out, fields) = (BytesMut::new(), BytesMut::with_capacity(ENTRY_BYTES));
        Self { now, protocol, out, fields, pairs: 0 }
    }

    /// An array of so many.
    #[must_use]
    pub fn listing(len: usize, now: Now, protocol: Protocol) -> Self {
        let mut entries = Self::single(now, protocol);
        entries.out.reserve(len * ENTRY_BYTES);
        encode_array_len(&mut entries.out, len);
        entries
    }

    /// What is sent.
    #[must_use]
    pub fn into_bytes(self) -> BytesMut {
        self.out
    }

    /// Adds a master's entry.
    #[must_use]
    pub fn master(mut self, view: &MasterView) -> Self {
        self.begin(&view.name, &view.node.address.host, view.node.address.port);
        self.word("runid", view.node.run_id.as_ref().map_or("", |id| id.as_str()));
        self.word("flags", &master_flags(view));
        self.link(&view.node.link);
        if let Some(failover) = &view.failover {
            self.word("failover-state", failover_state(failover.state));
        }
        self.pings(&view.node.link);
        self.down_times(view.node.sdown_since, view.odown_since);
        self.span("down-after-milliseconds", view.down_after());
        self.data_node(&view.node);
        self.number("config-epoch", view.config_epoch.get());
        self.number("num-slaves", view.replicas.len() as u64);
        self.number("num-other-sentinels", view.sentinels.len() as u64);
        let settings = &view.settings;
        self.number("quorum", settings.quorum.into());
        self.span("failover-timeout", settings.failover_timeout);
        self.number("parallel-syncs", settings.parallel_syncs.into());
        if let Some(path) = &settings.notification_script {
            self.word("notification-script", path);
        }
        if let Some(path) = &settings.client_reconfig_script {
            self.word("client-reconfig-script", path);
        }
        self.end()
    }

    /// Adds a replica's entry.
    #[must_use]
    pub fn replica(mut self, master: &MasterView, view: &ReplicaView) -> Self {
        let node = &view.node;
        self.begin(&view.name, &node.address.host, node.address.port);
        self.word("runid", view.node.run_id.as_ref().map_or("", |id| id.as_str()));
        self.word("flags", &replica_flags(view));
        self.link(&node.link);
        self.pings(&node.link);
        self.down_times(node.sdown_since, None);
        self.span("down-after-milliseconds", master.down_after());
        self.data_node(node);
        self.word("master-link-down-time", &view.link_down_ms.to_string());
        self.word("master-link-status", if view.link_up { "ok" } else { "err" });
        let (host, port) = view.master.as_ref().map_or(("?", 0), |at| (&*at.host, at.port));
        self.word("master-host", host);
        self.number("master-port", port.into());
        self.number("slave-priority", view.priority.into());
        self.number("slave-repl-offset", view.offset);
        self.word("replica-announced", if view.announced { "1" } else { "0" });
        self.end()
    }

    /// Adds a fellow Sentinel's entry.
    #[must_use]
    pub fn sentinel(mut self, master: &MasterView, view: &MemberView) -> Self {
        self.begin(view.id.as_str(), &view.address.host, view.address.port);
        self.word("runid", view.id.as_str());
        self.word("flags", &sentinel_flags(view));
        self.link(&view.link);
        self.pings(&view.link);
        self.down_times(view.sdown_since, None);
        self.span("down-after-milliseconds", master.down_after());
        self.ago("last-hello-message", view.hello_at);
        self.word("voted-leader", view.leader.as_ref().map_or("?", |id| id.as_str()));
        self.number("voted-leader-epoch", view.leader_epoch.get());
        self.end()
    }

    fn begin(&mut self, name: &str, host: &str, port: u16) {
        self.word("name", name);
        self.word("ip", host);
        self.number("port", port.into());
    }

    fn end(mut self) -> Self {
        encode_map_len(&mut self.out, self.pairs, self.protocol);
        self.out.extend_from_slice(&self.fields);
        self.fields.clear();
        self.pairs = 0;
        self
    }

    fn word(&mut self, name: &'static str, value: &str) {
        encode_bulk(&mut self.fields, name.as_bytes());
        encode_bulk(&mut self.fields, value.as_bytes());
        self.pairs += 1;
    }

    /// Numbers are bulk strings too.
    fn number(&mut self, name: &'static str, value: u64) {
        encode_bulk(&mut self.fields, name.as_bytes());
        encode_bulk_number(&mut self.fields, value);
        self.pairs += 1;
    }

    fn span(&mut self, name: &'static str, span: Span) {
        self.number(name, span.0);
    }

    /// The milliseconds since then.
    fn ago(&mut self, name: &'static str, then: Time) {
        self.span(name, self.now.mono.since(then));
    }

    /// The milliseconds since then, 0 if it never was.
    fn ago_or_zero(&mut self, name: &'static str, then: Option<Time>) {
        self.span(name, then.map_or(Span::ZERO, |then| self.now.mono.since(then)));
    }

    fn link(&mut self, link: &LinkView) {
        self.number("link-pending-commands", link.pending.into());
        self.number("link-refcount", link.sharers.into());
    }

    fn pings(&mut self, link: &LinkView) {
        self.ago_or_zero("last-ping-sent", link.ping_waiting_since);
        self.ago("last-ok-ping-reply", link.ok_reply_at);
        self.ago("last-ping-reply", link.any_reply_at);
    }

    fn down_times(&mut self, sdown: Option<Time>, odown: Option<Time>) {
        if let Some(since) = sdown {
            self.ago("s-down-time", since);
        }
        if let Some(since) = odown {
            self.ago("o-down-time", since);
        }
    }

    fn data_node(&mut self, node: &NodeView) {
        self.ago_or_zero("info-refresh", node.info_at);
        self.word("role-reported", role_name(node.role_reported));
        self.ago("role-reported-time", node.role_reported_at);
    }
}

/// The flags in the order of interface 3.1, each when it is true.
fn flags(list: &[(bool, &'static str)]) -> String {
    let mut flags = String::with_capacity(32);
    for (_, name) in list.iter().filter(|(set, _)| *set) {
        if !flags.is_empty() {
            flags.push(',');
        }
        flags.push_str(name);
    }
    flags
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
