//! Whatever a node is told, in whatever order, it does not panic, does not keep asking for a
//! moment that has passed, and says the same again from the same seed.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use vedette_node::{ConnId, Fault, Input, LinkId, Node, NodeConfig, Output, Revival};

/// Lines that a client, a Sentinel, a replica or a master may send.
const LINES: &[&str] = &[
    "PING",
    "SET a 1",
    "INCR a",
    "DEL a",
    "GET a",
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH a",
    "SUBSCRIBE x",
    "PSUBSCRIBE *",
    "UNSUBSCRIBE",
    "PUBLISH x y",
    "SLAVEOF NO ONE",
    "SLAVEOF 127.0.0.1 7001",
    "SLAVEOF localhost 7002",
    "CONFIG REWRITE",
    "CONFIG SET min-replicas-to-write 1",
    "CONFIG SET requirepass x",
    "AUTH x",
    "CLIENT KILL TYPE normal",
    "CLIENT KILL TYPE master",
    "CLIENT KILL TYPE normal SKIPME no",
    "CLIENT PAUSE 50",
    "CLIENT PAUSE 50 WRITE",
    "CLIENT UNPAUSE",
    "CLIENT REPLY SKIP",
    "CLIENT LIST",
    "HELLO 3",
    "INFO",
    "ROLE",
    "WAIT 1 20",
    "WAIT 1 0",
    "DEBUG SLEEP 0.01",
    "SCRIPT KILL",
    "REPLCONF listening-port 7009",
    "REPLCONF ACK 7",
    "REPLCONF GETACK *",
    "PSYNC ? -1",
    "PSYNC 0123456789012345678901234567890123456789 1",
    "RESET",
    "QUIT",
    "SHUTDOWN NOSAVE",
    "+PONG",
    "+OK",
    "-LOADING x",
    "+CONTINUE 0123456789012345678901234567890123456789",
    "+FULLRESYNC 0123456789012345678901234567890123456789 10",
    "$0",
    "$99999999999",
    "*3",
];

fn bytes() -> impl Strategy<Value = Bytes> {
    let line = (0..LINES.len()).prop_map(|index| format!("{}\r\n", LINES[index]).into_bytes());
    let piece = prop_oneof![9 => line, 1 => proptest::collection::vec(any::<u8>(), 0..12)];
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat().into())
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Killed),
        Just(Fault::Revived(Revival::SameProcess)),
        Just(Fault::Revived(Revival::WithData)),
        Just(Fault::Revived(Revival::Empty)),
        Just(Fault::Hung),
        Just(Fault::Resumed),
        Just(Fault::ConnectionsRefused),
        Just(Fault::ConnectionsAccepted),
        (0..50_u64).prop_map(|ms| Fault::LoadingStarted { ms }),
        any::<bool>().prop_map(|has_written| Fault::ScriptStarted { has_written }),
        Just(Fault::ScriptEnded),
        (0..50_u64).prop_map(|ms| Fault::ReplicationLagged { ms }),
        Just(Fault::ReplicationPaused),
        Just(Fault::ReplicationResumed),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    let conn = || (0..4_u64).prop_map(ConnId);
    let link = || (0..6_u64).prop_map(LinkId);
    let address = SocketAddr::from(([127, 0, 0, 1], 7000));
    prop_oneof![
        3 => conn().prop_map(move |conn| {
            Input::ConnectionOpened { conn, peer: address, local: address }
        }),
        12 => (conn(), bytes()).prop_map(|(conn, bytes)| Input::BytesReceived { conn, bytes }),
        1 => conn().prop_map(|conn| Input::ConnectionClosed { conn }),
        3 => link().prop_map(|link| Input::LinkConnected { link }),
        6 => (link(), bytes()).prop_map(|(link, bytes)| Input::LinkReceived { link, bytes }),
        1 => link().prop_map(|link| Input::LinkClosed { link }),
        2 => Just(Input::DeadlineReached),
        2 => fault().prop_map(Input::Faulted),
    ]
}

fn run(seed: u64, inputs: &[(u64, Input)]) -> Vec<Output> {
    let mut node = Node::new(Arc::new(NodeConfig::default()), seed, 0);
    let mut outputs = Vec::new();
    let mut now = 0;
    for (pause_ms, input) in inputs {
        now += pause_ms;
        node.handle_input(now, input.clone());
        // Deadlines that have come are met in a few steps, else a host would spin.
        for step in 0.. {
            match node.poll_deadline() {
                Some(at) if at <= now => {
                    assert!(step < 8, "a deadline at {at} stays at {now}");
                    node.handle_input(now, Input::DeadlineReached);
                }
                Some(_) | None => break,
            }
        }
        outputs.extend(std::iter::from_fn(|| node.poll_output()));
    }
    outputs
}

proptest! {
    #[test]
    fn a_node_survives_anything(
        seed in any::<u64>(),
        inputs in proptest::collection::vec((prop_oneof![Just(0_u64), 0..100_u64, Just(70_000)], input()), 1..60),
    ) {
        let outputs = run(seed, &inputs);
        assert_eq!(run(seed, &inputs), outputs);
    }
}
