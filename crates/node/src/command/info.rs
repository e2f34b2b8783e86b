//! INFO: the sections and lines that Sentinels, clients and operators look at.

use std::fmt::Write;

use vedette_resp::{Frame, Protocol};

use crate::dispatch::Call;
use crate::replication::{Attached, AttachedState, HandOver, LinkState, NO_ID, Upstream};
use crate::reply::Reply;
use crate::{ConnId, Node};

type WriteSection = fn(&Node, &mut String);

/// The sections in the order they are shown.
const SECTIONS: &[(&str, WriteSection)] = &[
    ("Server", server),
    ("Clients", clients),
    ("Memory", memory),
    ("Persistence", persistence),
    ("Stats", stats),
    ("Replication", replication),
    ("CPU", cpu),
    ("Modules", empty),
    ("Errorstats", empty),
    ("Cluster", cluster),
    ("Keyspace", keyspace),
];

pub(crate) fn info(node: &mut Node, call: &Call<'_>) -> Reply {
    let wanted: Vec<Vec<u8>> =
        call.args[1..].iter().map(|word| word.to_ascii_lowercase()).collect();
    let everything = [&b"all"[..], b"default", b"everything"];
    let wants_all = wanted.is_empty() || wanted.iter().any(|word| everything.contains(&&word[..]));
    let mut text = String::with_capacity(4096);
    for (name, write_section) in SECTIONS {
        let name_lower = name.to_ascii_lowercase();
        if wants_all || wanted.iter().any(|word| word == name_lower.as_bytes()) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            line(&mut text, format_args!("# {name}"));
            write_section(node, &mut text);
        }
    }
    match node.caller(call).map(|(_, connection)| connection.protocol) {
        Some(Protocol::Resp3) => Frame::verbatim(text).into(),
        Some(Protocol::Resp2) | None => Frame::bulk(text).into(),
    }
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{content}\r\n");
}

/// One `name:value` line for each pair.
macro_rules! lines {
    ($text:expr, $($name:literal : $value:expr),+ $(,)?) => {
        {
            $( line($text, format_args!("{}:{}", $name, $value)); )+
        }
    };
}

fn empty(_: &Node, _: &mut String) {}

fn server(node: &Node, text: &mut String) {
    let wall_ms = node.config.wall_clock_ms + node.now;
    let uptime_s = (node.now - node.started_at) / 1000;
    lines!(text,
        "redis_version": node.config.version,
        "redis_git_sha1": "00000000",
        "redis_git_dirty": 0,
        "redis_build_id": "0",
        "redis_mode": "standalone",
        "os": "Linux",
        "arch_bits": 64,
        "multiplexing_api": "epoll",
        "process_id": 1,
        "process_supervised": "no",
        "run_id": node.run_id,
        "tcp_port": node.config.port,
        "server_time_usec": wall_ms * 1000,
        "uptime_in_seconds": uptime_s,
        "uptime_in_days": uptime_s / 86_400,
        "hz": node.parameters.text("hz"),
        "configured_hz": node.parameters.text("hz"),
        "executable": "vedette",
        "config_file": node.config.config_file.as_deref().unwrap_or(""),
        "io_threads_active": 0,
    );
}

fn clients(node: &Node, text: &mut String) {
    let blocked = node.connections.values().filter(|connection| connection.blocked).count();
    lines!(text,
        "connected_clients": node.connections.len() - node.replicas.len(),
        "cluster_connections": 0,
        "maxclients": node.parameters.text("maxclients"),
        "blocked_clients": blocked,
        "tracking_clients": 0,
        "clients_in_timeout_table": 0,
    );
}

fn memory(node: &Node, text: &mut String) {
    let used: usize = node.data.iter().map(|(key, value)| key.len() + value.len()).sum();
    lines!(text,
        "used_memory": used,
        "maxmemory": node.parameters.text("maxmemory"),
        "maxmemory_policy": node.parameters.text("maxmemory-policy"),
    );
}

fn persistence(node: &Node, text: &mut String) {
    lines!(text,
        "loading": u8::from(node.condition.loading_until.is_some()),
        "async_loading": 0,
        "rdb_changes_since_last_save": 0,
        "rdb_bgsave_in_progress": 0,
        "rdb_last_save_time": (node.config.wall_clock_ms + node.started_at) / 1000,
        "rdb_last_bgsave_status": "ok",
        "aof_enabled": u8::from(node.parameters.flag("appendonly")),
        "aof_last_write_status": "ok",
    );
}

fn stats(node: &Node, text: &mut String) {
    let counters = &node.counters;
    lines!(text,
        "total_connections_received": counters.connections,
        "total_commands_processed": counters.commands,
        "rejected_connections": counters.rejected_connections,
        "sync_full": counters.full_syncs,
        "sync_partial_ok": counters.partial_syncs,
        "sync_partial_err": counters.refused_partial_syncs,
        "expired_keys": 0,
        "evicted_keys": 0,
        "pubsub_channels": node.pubsub.channels.len(),
        "pubsub_patterns": node.pubsub.patterns.len(),
        "total_error_replies": counters.error_replies,
    );
}

fn replication(node: &Node, text: &mut String) {
    match &node.upstream {
        None => lines!(text, "role": "master"),
        Some(upstream) => upstream_lines(node, upstream, text),
    }
    lines!(text, "connected_slaves": node.replicas.len());
    let needed = node.parameters.size("min-replicas-to-write");
    if needed > 0 && node.parameters.size("min-replicas-max-lag") > 0 {
        let good = node.attached().filter(|(_, replica)| node.is_good(replica)).count();
        lines!(text, "min_slaves_good_slaves": good);
    }
    for (index, (conn, replica)) in node.attached().enumerate() {
        replica_line(node, index, conn, replica, text);
    }
    let history = &node.history;
    let (previous, end) = match &history.previous {
        Some((id, end)) => (id.as_str(), i64::try_from(*end).unwrap_or(i64::MAX)),
        None => (NO_ID, -1),
    };
    let backlog = history.backlog.as_ref();
    lines!(text,
        "master_failover_state": node.hand_over.as_ref().map_or("no-failover", HandOver::name),
        "master_replid": history.id,
        "master_replid2": previous,
        "master_repl_offset": history.offset,
        "second_repl_offset": end,
        "repl_backlog_active": u8::from(backlog.is_some()),
        "repl_backlog_size": node.parameters.text("repl-backlog-size"),
        "repl_backlog_first_byte_offset": backlog.map_or(0, |backlog| backlog.first),
        "repl_backlog_histlen": backlog.map_or(0, |backlog| backlog.bytes.len()),
    );
}

fn upstream_lines(node: &Node, upstream: &Upstream, text: &mut String) {
    let seconds_since = |moment: u64| i64::try_from((node.now - moment) / 1000).unwrap_or(i64::MAX);
    let is_up = upstream.is_online();
    let syncing = matches!(upstream.state, LinkState::Syncing { .. });
    lines!(text,
        "role": "slave",
        "master_host": upstream.host,
        "master_port": upstream.port,
        "master_link_status": if is_up { "up" } else { "down" },
        "master_last_io_seconds_ago": if is_up { seconds_since(upstream.heard_at) } else { -1 },
        "master_sync_in_progress": u8::from(syncing),
        "slave_read_repl_offset": node.history.offset,
        "slave_repl_offset": node.history.offset,
    );
    if let LinkState::Syncing { buffer, .. } = &upstream.state {
        lines!(text,
            "master_sync_total_bytes": -1,
            "master_sync_read_bytes": buffer.len(),
            "master_sync_left_bytes": -1,
            "master_sync_perc": "-0.00",
            "master_sync_last_io_seconds_ago": seconds_since(upstream.heard_at),
        );
    }
    if !is_up {
        let down_s = upstream.down_since.map_or(-1, seconds_since);
        lines!(text, "master_link_down_since_seconds": down_s);
    }
    lines!(text,
        "slave_priority": node.parameters.text("replica-priority"),
        "slave_read_only": u8::from(node.parameters.flag("replica-read-only")),
        "replica_announced": u8::from(node.parameters.flag("replica-announced")),
    );
}

fn replica_line(node: &Node, index: usize, conn: ConnId, replica: &Attached, text: &mut String) {
    let (ip, port) = node.replica_address(conn);
    let (state, lag_s) = match replica.state {
        AttachedState::Syncing { .. } => ("wait_bgsave", 0),
        AttachedState::Online => ("online", (node.now - replica.acked_at) / 1000),
    };
    let offset = replica.acked_offset;
    line(
        text,
        format_args!("slave{index}:ip={ip},port={port},state={state},offset={offset},lag={lag_s}"),
    );
}

impl Node {
    /// What a replica announced, else where it connected from.
    pub(crate) fn replica_address(&self, conn: ConnId) -> (String, u16) {
        let Some(connection) = self.connections.get(&conn) else { return (String::new(), 0) };
        let ip = match &connection.announced_ip {
            Some(ip) => ip.clone(),
            None => connection.peer.ip().to_string(),
        };
        (ip, connection.announced_port)
    }
}

fn cpu(_: &Node, text: &mut String) {
    lines!(text, "used_cpu_sys": "0.000000", "used_cpu_user": "0.000000");
}

fn cluster(_: &Node, text: &mut String) {
    lines!(text, "cluster_enabled": 0);
}

fn keyspace(node: &Node, text: &mut String) {
    if !node.data.is_empty() {
        line(text, format_args!("db0:keys={},expires=0,avg_ttl=0", node.data.len()));
    }
}
