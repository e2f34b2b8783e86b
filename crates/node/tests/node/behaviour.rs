//! What Sentinels and clients see of a group of model nodes.

use crate::network::Network;
use vedette_node::{Fault, NodeConfig, Revival, Role};
use vedette_resp::Frame;

fn config() -> NodeConfig {
    NodeConfig::default()
}

fn replica_of(port: u16) -> NodeConfig {
    NodeConfig { replica_of: Some(("127.0.0.1".to_owned(), port)), ..config() }
}

#[test]
fn replicas_follow_the_writes_of_their_master() {
    let mut network = Network::group(2);
    let client = network.connect(0);
    assert_eq!(network.ask(client, "SET a 1"), Frame::OK);
    assert_eq!(network.ask(client, "WAIT 2 0"), Frame::Integer(2));
    for replica in [1, 2] {
        assert_eq!(network.nodes[replica].value(b"a").map(|v| &v[..]), Some(&b"1"[..]));
        assert_eq!(network.nodes[replica].position(), network.nodes[0].position());
        let reader = network.connect(replica);
        assert_eq!(
            network.ask(reader, "SET a 2"),
            Frame::error("READONLY You can't write against a read only replica.")
        );
    }
    let line = network.info(0, "slave1").expect("two replicas");
    assert!(line.starts_with("ip=127.0.0.1,port=7002,state=online,offset="), "{line}");
    assert_eq!(network.info(1, "master_link_status").as_deref(), Some("up"));
}

#[test]
fn a_write_to_the_reference_has_the_same_length_in_the_stream() {
    // SELECT 0 and PUBLISH x hello were measured as 58 bytes, then 35.
    let mut network = Network::group(1);
    let client = network.connect(0);
    network.ask(client, "PUBLISH x hello");
    assert_eq!(network.nodes[0].position().1, 58);
    network.ask(client, "PUBLISH x hello");
    assert_eq!(network.nodes[0].position().1, 93);
}

#[test]
fn the_longest_gap_between_pings_is_that_of_one_connection_and_told_once() {
    let mut network = Network::group(0);
    let (one, other) = (network.connect(0), network.connect(0));
    for (client, pause) in [(one, 300), (other, 500), (one, 100), (one, 0)] {
        network.ask(client, "PING");
        network.pass(pause);
    }
    assert_eq!(network.nodes[0].take_longest_ping_gap(), 800);
    assert_eq!(network.nodes[0].take_longest_ping_gap(), 0);
}

#[test]
fn a_new_replica_gets_the_data_there_is() {
    let mut network = Network::default();
    network.add(NodeConfig { full_sync_ms: 500, ..config() });
    let client = network.connect(0);
    network.ask(client, "SET before 1");
    network.add(replica_of(7000));
    network.ask(client, "SET during 2");
    assert_eq!(network.info(1, "master_sync_in_progress").as_deref(), Some("1"));
    assert_eq!(network.info(0, "connected_slaves").as_deref(), Some("1"));
    assert_eq!(network.nodes[1].value(b"before"), None);
    network.pass(500);
    assert_eq!(network.nodes[1].value(b"before").map(|v| &v[..]), Some(&b"1"[..]));
    assert_eq!(network.nodes[1].value(b"during").map(|v| &v[..]), Some(&b"2"[..]));
    assert!(network.nodes[1].is_link_up());
}

#[test]
fn after_a_promotion_the_others_resynchronise_partially() {
    let mut network = Network::group(2);
    let client = network.connect(0);
    network.ask(client, "SET a 1");
    network.fault(0, Fault::Killed);
    let old_id = network.nodes[1].position().0.to_owned();
    let admin = network.connect(1);
    assert_eq!(network.ask(admin, "SLAVEOF NO ONE"), Frame::OK);
    assert_eq!(network.info(1, "master_replid2"), Some(old_id));
    let end = network.nodes[1].position().1 + 1;
    assert_eq!(network.info(1, "second_repl_offset"), Some(end.to_string()));
    let admin = network.connect(2);
    assert_eq!(network.ask(admin, "SLAVEOF 127.0.0.1 7001"), Frame::OK);
    network.pass(10);
    assert_eq!(network.info(1, "sync_partial_ok").as_deref(), Some("1"));
    assert_eq!(network.info(1, "sync_full").as_deref(), Some("0"));
    assert_eq!(network.nodes[2].position(), network.nodes[1].position());
}

#[test]
fn a_demoted_master_with_unseen_writes_resynchronises_fully() {
    let mut network = Network::group(1);
    let client = network.connect(0);
    network.fault(1, Fault::ReplicationPaused);
    network.ask(client, "SET lost 1");
    let admin = network.connect(1);
    network.ask(admin, "SLAVEOF NO ONE");
    network.ask(client, "SLAVEOF 127.0.0.1 7001");
    network.pass(1_000);
    assert_eq!(network.info(1, "sync_full").as_deref(), Some("1"));
    assert_eq!(network.info(1, "sync_partial_err").as_deref(), Some("1"));
    assert_eq!(network.nodes[0].value(b"lost"), None);
    assert_eq!(network.nodes[0].position(), network.nodes[1].position());
}

#[test]
fn a_demoted_master_without_unseen_writes_continues() {
    let mut network = Network::group(1);
    let admin = network.connect(1);
    network.ask(admin, "SLAVEOF NO ONE");
    let client = network.connect(0);
    network.ask(client, "SLAVEOF 127.0.0.1 7001");
    network.pass(10);
    assert_eq!(network.info(1, "sync_partial_ok").as_deref(), Some("1"));
    assert!(network.nodes[0].is_link_up());
}

#[test]
fn a_lagging_replica_is_behind_and_catches_up() {
    let mut network = Network::group(1);
    network.fault(1, Fault::ReplicationLagged { ms: 300 });
    let client = network.connect(0);
    network.ask(client, "SET a 1");
    network.pass(299);
    assert_eq!(network.nodes[1].value(b"a"), None);
    network.pass(1);
    assert!(network.nodes[1].value(b"a").is_some());
}

#[test]
fn a_sentinels_transaction_repoints_and_kills_the_others() {
    let mut network = Network::group(1);
    let [sentinel, bystander, listener] = [(); 3].map(|()| network.connect(1));
    network.ask(listener, "SUBSCRIBE __sentinel__:hello");
    for words in [
        "MULTI",
        "SLAVEOF NO ONE",
        "CONFIG REWRITE",
        "CLIENT KILL TYPE normal",
        "CLIENT KILL TYPE pubsub",
    ] {
        network.ask(sentinel, words);
    }
    let replies = network.ask(sentinel, "EXEC");
    let expected = vec![Frame::OK, Frame::OK, Frame::Integer(1), Frame::Integer(1)];
    assert_eq!(replies, Frame::Array(expected));
    assert!(network.is_open(sentinel));
    assert!(!network.is_open(bystander) && !network.is_open(listener));
    assert_eq!(network.nodes[1].role(), Role::Master);
}

#[test]
fn a_hello_on_the_master_is_heard_on_the_replicas() {
    let mut network = Network::group(1);
    let listener = network.connect(1);
    network.ask(listener, "SUBSCRIBE __sentinel__:hello");
    let sentinel = network.connect(0);
    assert_eq!(network.ask(sentinel, "PUBLISH __sentinel__:hello x"), Frame::Integer(0));
    let message = ["message", "__sentinel__:hello", "x"].map(Frame::bulk).to_vec();
    assert_eq!(network.next_frame(listener), Some(Frame::Array(message)));
}

#[test]
fn a_rewritten_configuration_survives_a_restart() {
    let mut network = Network::group(2);
    let run_id = network.nodes[1].run_id().to_owned();
    for (node, words) in [(1, "SLAVEOF NO ONE"), (2, "SLAVEOF NO ONE")] {
        let admin = network.connect(node);
        network.ask(admin, words);
        if node == 1 {
            network.ask(admin, "CONFIG REWRITE");
        }
        network.fault(node, Fault::Killed);
        assert!(!network.is_open(admin));
        network.fault(node, Fault::Revived(Revival::WithData));
    }
    assert_eq!(network.nodes[1].role(), Role::Master);
    assert_ne!(network.nodes[1].run_id(), run_id);
    assert_eq!(network.nodes[2].role(), Role::Replica, "nothing was rewritten");
}

#[test]
fn a_hung_node_answers_everything_later() {
    let mut network = Network::group(0);
    let client = network.connect(0);
    network.fault(0, Fault::Hung);
    let late = network.connect(0);
    network.send(client, b"PING\r\n");
    network.send(late, b"PING\r\n");
    network.pass(60_000);
    assert_eq!(network.next_frame(client), None);
    network.fault(0, Fault::Resumed);
    for client in [client, late] {
        assert_eq!(network.next_frame(client), Some(Frame::simple("PONG")));
    }
}

#[test]
fn debug_sleep_hangs_for_a_time() {
    let mut network = Network::group(0);
    let [sleeper, other] = [(); 2].map(|()| network.connect(0));
    network.send(sleeper, b"DEBUG SLEEP 0.2\r\nPING\r\n");
    network.send(other, b"PING\r\n");
    network.pass(199);
    assert_eq!(network.next_frame(other), None);
    network.pass(1);
    assert_eq!(network.next_frame(sleeper), Some(Frame::OK));
    assert_eq!(network.next_frame(sleeper), Some(Frame::simple("PONG")));
    assert_eq!(network.next_frame(other), Some(Frame::simple("PONG")));
}

#[test]
fn loading_and_busy_nodes_say_so() {
    let mut network = Network::group(0);
    let client = network.connect(0);
    network.fault(0, Fault::LoadingStarted { ms: 100 });
    let loading = Frame::error("LOADING Redis is loading the dataset in memory");
    assert_eq!(network.ask(client, "PING"), loading);
    assert_eq!(network.ask(client, "SLAVEOF NO ONE"), loading);
    assert!(!network.ask(client, "INFO").is_error());
    network.pass(100);
    network.fault(0, Fault::ScriptStarted { has_written: false });
    let busy = network.ask(client, "PING");
    assert!(busy.text().is_some_and(|text| text.starts_with(b"BUSY ")));
    assert_eq!(network.ask(client, "SCRIPT KILL"), Frame::OK);
    assert_eq!(network.ask(client, "PING"), Frame::simple("PONG"));
    let notbusy = Frame::error("NOTBUSY No scripts in execution right now.");
    assert_eq!(network.ask(client, "SCRIPT KILL"), notbusy);
}

#[test]
fn client_pause_holds_commands_until_its_end() {
    let mut network = Network::group(0);
    let [admin, client] = [(); 2].map(|()| network.connect(0));
    network.ask(admin, "CLIENT PAUSE 100 WRITE");
    assert_eq!(network.ask(client, "GET a"), Frame::Null);
    network.send(client, b"SET a 1\r\nGET a\r\n");
    network.pass(99);
    assert_eq!(network.next_frame(client), None);
    network.pass(1);
    assert_eq!(network.next_frame(client), Some(Frame::OK));
    assert_eq!(network.next_frame(client), Some(Frame::bulk("1")));
}

#[test]
fn refused_and_renamed_commands_look_like_the_references() {
    let mut network = Network::default();
    network.add(NodeConfig {
        renamed: [("config".to_owned(), "hidden".to_owned())].into(),
        refused: ["slaveof".to_owned()].into(),
        ..config()
    });
    let client = network.connect(0);
    let refused = "NOPERM this user has no permissions to run the 'slaveof' command";
    assert_eq!(network.ask(client, "MULTI"), Frame::OK);
    assert_eq!(network.ask(client, "SLAVEOF NO ONE"), Frame::error(refused));
    assert_eq!(
        network.ask(client, "EXEC"),
        Frame::error("EXECABORT Transaction discarded because of previous errors.")
    );
    assert!(network.ask(client, "CONFIG GET port").is_error());
    assert!(!network.ask(client, "HIDDEN GET port").is_error());
}

#[test]
fn a_quiet_node_wants_nothing() {
    let network = Network::group(0);
    assert_eq!(network.nodes[0].poll_deadline(), None);
}

#[test]
fn equal_inputs_give_equal_nodes() {
    let run = || {
        let mut network = Network::group(2);
        let client = network.connect(0);
        network.ask(client, "SET a 1");
        network.fault(0, Fault::Killed);
        network.pass(5_000);
        format!("{:?}", network.nodes)
    };
    assert_eq!(run(), run());
}

#[test]
fn a_hung_node_holds_a_bounded_amount() {
    let mut network = Network::group(0);
    let [talkative, quiet] = [(); 2].map(|()| network.connect(0));
    network.fault(0, Fault::Hung);
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..5 {
        network.send(talkative, &chunk);
    }
    network.send(quiet, b"PING\r\n");
    assert!(!network.is_open(talkative), "its buffers are full");
    network.fault(0, Fault::Resumed);
    assert_eq!(network.next_frame(quiet), Some(Frame::simple("PONG")));
}
