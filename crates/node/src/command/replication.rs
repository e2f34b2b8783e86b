//! REPLICAOF, SLAVEOF, ROLE, REPLCONF, PSYNC, WAIT.

use bytes::Bytes;
use vedette_resp::{Frame, encode_command, parse_integer};

use crate::dispatch::{Call, Origin};
use crate::replication::{LinkState, Upstream, Waiter};
use crate::reply::{self, Reply, error, literal, shown};
use crate::{Node, Role};

pub(crate) fn replicaof(node: &mut Node, call: &Call<'_>) -> Reply {
    let (host, port) = (&call.args[1], &call.args[2]);
    if node.hand_over.is_some() {
        return literal("ERR REPLICAOF not allowed while failing over.").into();
    }
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        node.promote();
        return Frame::OK.into();
    }
    if node.caller(call).is_some_and(|(_, connection)| connection.replica.is_some()) {
        return literal("ERR Command is not valid when client is a replica.").into();
    }
    let Some(port) = parse_integer(port).and_then(|port| u16::try_from(port).ok()) else {
        return literal("ERR Invalid master port").into();
    };
    let host = shown(host).into_owned();
    if node
        .master_address()
        .is_some_and(|(old, old_port)| old.eq_ignore_ascii_case(&host) && old_port == port)
    {
        return Frame::simple("OK Already connected to specified master").into();
    }
    node.follow(host, port);
    Frame::OK.into()
}

pub(crate) fn role(node: &mut Node, _: &Call<'_>) -> Reply {
    match &node.upstream {
        Some(upstream) => replica_role(node, upstream),
        None => master_role(node),
    }
    .into()
}

fn replica_role(node: &Node, upstream: &Upstream) -> Frame {
    let state = match &upstream.state {
        LinkState::Waiting { .. } => "connect",
        LinkState::Connecting { .. } => "connecting",
        LinkState::Greeting { .. } | LinkState::Handshake { .. } => "handshake",
        LinkState::Syncing { .. } => "sync",
        LinkState::Online { .. } => "connected",
    };
    let offset = if upstream.is_online() { offset(node) } else { -1 };
    Frame::Array(vec![
        Frame::bulk("slave"),
        Frame::bulk(upstream.host.clone()),
        Frame::Integer(i64::from(upstream.port)),
        Frame::bulk(state),
        Frame::Integer(offset),
    ])
}

fn master_role(node: &Node) -> Frame {
    let replicas = node.attached().map(|(conn, replica)| {
        let (ip, port) = node.replica_address(conn);
        Frame::Array(vec![
            Frame::bulk(ip),
            Frame::bulk(port.to_string()),
            Frame::bulk(replica.acked_offset.to_string()),
        ])
    });
    let replicas = replicas.collect();
    Frame::Array(vec![Frame::bulk("master"), Frame::Integer(offset(node)), Frame::Array(replicas)])
}

fn offset(node: &Node) -> i64 {
    i64::try_from(node.history.offset).unwrap_or(i64::MAX)
}

pub(crate) fn replconf(node: &mut Node, call: &Call<'_>) -> Reply {
    let words = &call.args[1..];
    if words.len() % 2 == 1 {
        return reply::SYNTAX.into();
    }
    for pair in words.chunks_exact(2) {
        let (option, value) = (&pair[0], &pair[1]);
        match option.to_ascii_lowercase().as_slice() {
            b"listening-port" => {
                let port = parse_integer(value).and_then(|port| u16::try_from(port).ok());
                let Some(port) = port else { return reply::NOT_AN_INTEGER.into() };
                if let Some((_, connection)) = node.caller(call) {
                    connection.announced_port = port;
                }
            }
            b"ip-address" => {
                if let Some((_, connection)) = node.caller(call) {
                    connection.announced_ip = Some(shown(value).into_owned());
                }
            }
            b"capa" | b"rdb-only" | b"rdb-filter-only" => {}
            b"ack" => {
                if let (Origin::Client(conn), Some(offset)) = (call.origin, parse_integer(value)) {
                    node.acknowledge(conn, u64::try_from(offset).unwrap_or(0));
                }
                return Reply::None;
            }
            // From the master's stream, or from anybody else.
            b"getack" => {
                node.send_ack();
                return Reply::None;
            }
            _ => {
                return error(format!("ERR Unrecognized REPLCONF option: {}", shown(option)))
                    .into();
            }
        }
    }
    Frame::OK.into()
}

pub(crate) fn psync(node: &mut Node, call: &Call<'_>) -> Reply {
    let Origin::Client(conn) = call.origin else { return Reply::None };
    if node.connections.get(&conn).is_none_or(|connection| connection.replica.is_some()) {
        return Reply::None;
    }
    let from = parse_integer(&call.args[2]).and_then(|from| u64::try_from(from).ok());
    if call.args.get(3).is_some_and(|word| word.eq_ignore_ascii_case(b"failover")) {
        if node.role() == Role::Master {
            return literal("ERR PSYNC FAILOVER can't be sent to a master.").into();
        }
        if shown(&call.args[1]) != node.history.id {
            return literal("ERR PSYNC FAILOVER replid must match my replid.").into();
        }
        node.promote();
    }
    node.attach(conn, &shown(&call.args[1]), from)
}

/// `WAIT replicas timeout-ms`: asks the replicas how far they are and waits for them.
pub(crate) fn wait(node: &mut Node, call: &Call<'_>) -> Reply {
    if node.role() == Role::Replica {
        return literal(
            "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 \
             if a replica is configured to be writable (which is not the default) writes to \
             replicas are just local and are not propagated.",
        )
        .into();
    }
    let Some(wanted) = parse_integer(&call.args[1]) else { return reply::NOT_AN_INTEGER.into() };
    let Some(timeout) = parse_integer(&call.args[2]) else {
        return literal("ERR timeout is not an integer or out of range").into();
    };
    let Ok(timeout) = u64::try_from(timeout) else {
        return literal("ERR timeout is negative").into();
    };
    let offset = node.history.offset;
    let acked = node.count_acked(offset);
    let wanted = usize::try_from(wanted).unwrap_or(0);
    let Some((conn, connection)) = node.caller(call) else { return Reply::None };
    if acked >= wanted || connection.transaction.is_some() {
        return Frame::Integer(i64::try_from(acked).unwrap_or(i64::MAX)).into();
    }
    connection.blocked = true;
    let until = (timeout > 0).then(|| node.now.saturating_add(timeout));
    node.waiters.push(Waiter { conn, replicas: wanted, offset, until });
    node.ask_for_acks();
    Reply::None
}

impl Node {
    fn ask_for_acks(&mut self) {
        // While it hands over, the offset stands still.
        if !self.replicas.is_empty() && self.hand_over.is_none() {
            let words: Vec<Bytes> =
                [&b"REPLCONF"[..], b"GETACK", b"*"].map(Bytes::from_static).to_vec();
            let slices: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
            let mut out = bytes::BytesMut::new();
            encode_command(&mut out, &slices);
            self.feed(&out);
        }
    }
}
