//! `SENTINEL FAILOVER … COORDINATED`: the master itself hands over, and a counter that is
//! incremented all the while never goes back.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vedette::lab::{
    BOUND, Client, DataNode, DataServer, Event, GroupSpec, Lab, Template, fields, programs, text,
    until,
};
use vedette_resp::Frame;

use crate::group::{
    bring_back, check_one_switch, found, ours, program, redis_sentinel, spec, start,
    valkey_sentinel, wait_for_log,
};

/// Longer than any pause that the server may make.
const PATIENCE: Duration = Duration::from_secs(6);
const COUNTER: &str = "counter";

/// A client that counts, and remembers what was acknowledged.
struct Counting {
    seen: Arc<Mutex<Seen>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Debug)]
struct Seen {
    last: i64,
    went_back: Vec<(i64, i64)>,
    last_at: Instant,
    longest_gap: Duration,
    port: u16,
}

impl Counting {
    fn start(lab: &Lab) -> Self {
        let sentinel = lab.sentinels[0].port();
        let name = lab.name().to_owned();
        let seen = Seen {
            last: 0,
            went_back: Vec::new(),
            last_at: Instant::now(),
            longest_gap: Duration::ZERO,
            port: 0,
        };
        let (seen, ends) = (Arc::new(Mutex::new(seen)), Arc::new(AtomicBool::new(false)));
        let (mine, over) = (seen.clone(), ends.clone());
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let _ = count(sentinel, &name, &mine, &over);
            }
        });
        Self { seen, ends, thread: Some(thread) }
    }

    fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until it counts on this node.
    fn wait_for(&self, port: u16) {
        until("writes on the new master", BOUND, || {
            let seen = self.seen();
            (seen.port == port && seen.last > 0).then_some(())
        })
        .unwrap();
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Asks where the master is and counts there until something goes wrong.
fn count(sentinel: u16, name: &str, seen: &Mutex<Seen>, over: &AtomicBool) -> std::io::Result<()> {
    let answer = Client::connect(sentinel)?.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name])?;
    let address = answer.items().and_then(|items| items.get(1)).map(text);
    let Some(port) = address.and_then(|port| port.parse().ok()) else { return Ok(()) };
    let mut client = Client::connect(port)?;
    client.set_patience(Some(PATIENCE))?;
    while !over.load(Ordering::Relaxed) {
        let Frame::Integer(value) = client.ask(&["INCR", COUNTER])? else { return Ok(()) };
        let mut seen = seen.lock().unwrap();
        if value <= seen.last {
            let before = seen.last;
            seen.went_back.push((before, value));
        }
        seen.longest_gap = seen.longest_gap.max(seen.last_at.elapsed());
        (seen.last, seen.last_at, seen.port) = (value, Instant::now(), port);
    }
    Ok(())
}

/// Orders a failover; asked again while the list of members may not be whole (rule S6).
fn order(lab: &Lab, words: &[&str]) -> String {
    order_of(lab, 0, words)
}

fn order_of(lab: &Lab, sentinel: usize, words: &[&str]) -> String {
    let words: Vec<&str> =
        ["SENTINEL", "FAILOVER", lab.name()].iter().chain(words).copied().collect();
    let answer = || Some(text(&lab.sentinels[sentinel].ask(&words).ok()?));
    let decided = || answer().filter(|answer| !answer.contains("may not know all"));
    until("a list of members", BOUND, decided).unwrap()
}

/// Orders until a majority has voted, three times at most. Where a disk stands still for half a
/// second nobody is elected, nothing has happened, and an operator orders again.
fn hand_over(lab: &Lab, leader: usize) {
    let mut orders = 0;
    let elected = || {
        orders += 1;
        assert!(orders <= 3, "nobody is ever elected");
        let mark = lab.events.len();
        if order_of(lab, leader, &["COORDINATED"]) != "OK" {
            return None;
        }
        let outcome = |events: &[Event]| {
            let said =
                |event: &Event, what: &str| event.sentinel == leader && event.is(what, lab.name());
            let elected = events.iter().any(|event| said(event, "+elected-leader"));
            let lost = events.iter().any(|event| said(event, "-failover-abort-not-elected"));
            (elected || lost).then_some(elected)
        };
        let elected = lab.events.wait_for("the end of the election", mark, BOUND, outcome).unwrap();
        elected.then_some(())
    };
    until("an election", BOUND, elected).unwrap();
}

fn check(server: DataServer, sentinels: Vec<Template>) {
    let lab = start(GroupSpec { server: server.clone(), sentinels, ..spec() });
    let old = lab.agreed_master(lab.name()).unwrap();
    let counting = Counting::start(&lab);
    counting.wait_for(old);
    hand_over(&lab, 0);
    let new = lab.wait_for_switch_from(lab.name(), old).unwrap();
    lab.wait_until_following(0, new).unwrap();
    counting.wait_for(new);
    lab.wait_until_settled().unwrap();
    check_one_switch(&lab, old, new);
    let seen = counting.seen();
    assert!(seen.went_back.is_empty(), "{seen:?}");
    eprintln!("longest time without an acknowledged write: {:?}", seen.longest_gap);
    // The model has no file.
    if matches!(server, DataServer::Program(_)) {
        stays_master(lab, new);
    }
}

/// The new master's own file says so too: started again it does not follow its replica, which a
/// server that was handed the role does by itself.
fn stays_master(mut lab: Lab, new: u16) {
    for sentinel in &mut lab.sentinels {
        sentinel.process().kill();
    }
    let node = lab.shards[0].nodes.iter_mut().find(|node| node.port() == new).unwrap();
    node.restart().unwrap();
    let role = until("the new master again", BOUND, || node.replication()).unwrap();
    assert!(role.contains("role:master"), "{role}");
}

/// One of ours and two of the reference's: all vote for `leader`, and follow what it announces.
fn check_mixed(server: DataServer, reference: &Template, leader: usize) {
    let sentinels = vec![ours(), reference.clone(), reference.clone()];
    // A reference that voted stands again after twice this long.
    let lab = start(GroupSpec { server, sentinels, failover_timeout_ms: 10_000, ..spec() });
    let counting = Counting::start(&lab);
    let old = lab.agreed_master(lab.name()).unwrap();
    counting.wait_for(old);
    let mark = lab.events.len();
    hand_over(&lab, leader);
    let new = lab.wait_for_switch_from(lab.name(), old).unwrap();
    lab.wait_until_following(0, new).unwrap();
    counting.wait_for(new);
    lab.wait_until_settled().unwrap();
    let switches = |events: &[Event]| {
        let of_group = |event: &&Event| event.is("+switch-master", lab.name());
        let switches: Vec<Event> = events.iter().filter(of_group).cloned().collect();
        (switches.len() >= 3).then_some(switches)
    };
    let heard = lab.events.wait_for("all switches", mark, BOUND, switches).unwrap();
    assert!(heard.iter().all(|event| event.shows_switch_to(lab.name(), new)), "{heard:?}");
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert!(counting.seen().went_back.is_empty(), "{:?}", counting.seen());
}

#[test]
fn ours_has_the_master_hand_over_and_those_of_redis_follow() {
    let Some(server) = found("redis-server", programs::redis_server()) else { return };
    let Some(reference) = redis_sentinel() else { return };
    check_mixed(DataServer::Program(server), &reference, 0);
}

#[test]
fn ours_has_the_master_hand_over_and_those_of_valkey_follow() {
    let Some(server) = found("Valkey", programs::valkey_server()) else { return };
    let Some(reference) = valkey_sentinel() else { return };
    check_mixed(DataServer::Program(server), &reference, 0);
}

/// Valkey's knows the order too: ours votes for it and follows.
#[test]
fn those_of_valkey_have_the_master_hand_over_and_ours_follows() {
    let Some(server) = found("Valkey", programs::valkey_server()) else { return };
    let Some(reference) = valkey_sentinel() else { return };
    check_mixed(DataServer::Program(server), &reference, 1);
}

#[test]
fn redis_hands_over() {
    let Some(server) = found("redis-server", programs::redis_server()) else { return };
    check(DataServer::Program(server), vec![ours(); 3]);
}

#[test]
fn valkey_hands_over() {
    let Some(server) = found("Valkey", programs::valkey_server()) else { return };
    check(DataServer::Program(server), vec![ours(); 3]);
}

#[test]
fn the_model_hands_over() {
    check(DataServer::Model(program()), vec![ours(); 3]);
}

/// The replica cannot catch up: the server goes on as before, nothing has changed, and it is told.
#[test]
fn a_replica_that_does_not_keep_up_is_left() {
    let Some(server) = found("redis-server", programs::redis_server()) else { return };
    let mut lab = start(GroupSpec {
        server: DataServer::Program(server),
        replicas: 1,
        // The replica stays up for Sentinels while it stands still.
        down_after_ms: 60_000,
        ..spec()
    });
    let name = lab.name().to_owned();
    let old = lab.agreed_master(&name).unwrap();
    let ports: Vec<u16> = lab.shards[0].nodes.iter().map(DataNode::port).collect();
    let replica = ports.into_iter().find(|port| *port != old).unwrap();
    let counting = Counting::start(&lab);
    counting.wait_for(old);
    // A file that names fellow Sentinels is a list that is whole (rule S6).
    lab.sentinels[0].restart().unwrap();
    lab.wait_until_settled().unwrap();
    // Its last INFO is always young enough to let the order go.
    let tuned = lab.sentinels[0].ask(&["SENTINEL", "DEBUG", "info-period", "100"]).unwrap();
    assert_eq!(text(&tuned), "OK");
    let address = format!("{replica}");
    until("an INFO of this pace", BOUND, || {
        let answer = lab.sentinels[0].ask(&["SENTINEL", "REPLICAS", &name]).ok()?;
        let refreshed = fields(answer.items()?.first()?);
        (refreshed["port"] == address && refreshed["info-refresh"].parse::<u64>().ok()? < 100)
            .then_some(())
    })
    .unwrap();
    lab.shards[0].node(replica).process().suspend();
    assert_eq!(order(&lab, &["COORDINATED"]), "OK");
    let over = |events: &[Event]| {
        let ended = |event: &&Event| event.is("-failover-abort-slave-timeout", &name);
        events.iter().find(ended).map(|_| ())
    };
    lab.events.wait_for("an end of the failover", 0, BOUND, over).unwrap();
    let before = counting.seen().last;
    until("writes", BOUND, || (counting.seen().last > before).then_some(())).unwrap();
    let mut master = lab.shards[0].node(old).client().unwrap();
    let info = text(&master.ask(&["INFO", "replication"]).unwrap());
    assert!(info.contains("master_failover_state:no-failover"), "{info}");
    lab.shards[0].node(replica).process().resume();
    assert_eq!(lab.agreed_master(&name), Some(old));
    assert!(counting.seen().went_back.is_empty());
}

/// A server that refuses the order: nothing happens to it, and its words are in the log.
#[test]
fn a_refusing_master_stays_the_master() {
    let Some(server) = found("redis-server", programs::redis_server()) else { return };
    let lab = start(GroupSpec {
        server: DataServer::Program(server),
        node_lines: vec!["rename-command FAILOVER \"\"".to_owned()],
        ..spec()
    });
    let old = lab.agreed_master(lab.name());
    assert_eq!(order(&lab, &["COORDINATED"]), "OK");
    let name = lab.name().to_owned();
    let over = |events: &[Event]| {
        let ended = |event: &&Event| event.is("-failover-abort-slave-timeout", &name);
        events.iter().find(ended).map(|_| ())
    };
    lab.events.wait_for("an end of the failover", 0, BOUND, over).unwrap();
    let words = "does not hand over: ERR unknown command 'FAILOVER'";
    wait_for_log(|| lab.sentinels[0].log(), words);
    assert_eq!(lab.agreed_master(&name), old);
}

/// The nodes' user may do all that a Sentinel needs but hand over: nothing happens to the master,
/// its words are in the log, and an ordinary failover still works.
#[test]
fn a_user_that_may_not_hand_over_leaves_everything_as_it_was() {
    let Some(server) = found("redis-server", programs::redis_server()) else { return };
    let user = "user watcher on >sesame &* -@all +multi +slaveof +ping +exec +subscribe +role \
                +config|rewrite +publish +info +client|setname +client|kill +script|kill";
    let lines = ["sentinel auth-user mymaster watcher", "sentinel auth-pass mymaster sesame"];
    let lab = start(GroupSpec {
        server: DataServer::Program(server),
        node_lines: vec![user.to_owned()],
        sentinel_lines: lines.map(str::to_owned).to_vec(),
        ..spec()
    });
    let name = lab.name().to_owned();
    let old = lab.agreed_master(&name).unwrap();
    assert_eq!(order(&lab, &["COORDINATED"]), "OK");
    let over = |events: &[Event]| {
        let ended = |event: &&Event| event.is("-failover-abort-slave-timeout", &name);
        events.iter().find(ended).map(|_| ())
    };
    lab.events.wait_for("an end of the failover", 0, BOUND, over).unwrap();
    wait_for_log(|| lab.sentinels[0].log(), "does not hand over: NOPERM");
    let mut master = Client::connect(old).unwrap();
    let info = text(&master.ask(&["INFO", "replication"]).unwrap());
    assert!(info.contains("master_failover_state:no-failover"), "{info}");
    assert!(info.contains("connected_slaves:2"), "{info}");
    assert_eq!(text(&master.ask(&["SET", COUNTER, "1"]).unwrap()), "OK");
    assert_eq!(lab.agreed_master(&name), Some(old));
    assert_eq!(order(&lab, &[]), "OK");
    let new = lab.wait_for_switch_from(&name, old).unwrap();
    check_one_switch(&lab, old, new);
}

/// A server whose target dies while the roles change hands over for ever: it refuses REPLICAOF and
/// holds PUBLISH. It is recalled, and follows whom the Sentinels promoted (rule L6).
fn check_stuck(server: PathBuf) {
    let server = DataServer::Program(server);
    let mut lab = start(GroupSpec { server, failover_timeout_ms: 2_000, ..spec() });
    let name = lab.name().to_owned();
    let old = lab.agreed_master(&name).unwrap();
    let ports: Vec<u16> = lab.shards[0].nodes.iter().map(DataNode::port).collect();
    let target = ports.into_iter().find(|port| *port != old).unwrap();
    for sentinel in &lab.sentinels {
        let tuned = sentinel.ask(&["SENTINEL", "DEBUG", "info-period", "500"]).unwrap();
        assert_eq!(text(&tuned), "OK");
    }
    let mut master = Client::connect(old).unwrap();
    until("a replica online", BOUND, || {
        let info = text(&master.ask(&["INFO", "replication"]).ok()?);
        info.contains(&format!("port={target},state=online")).then_some(())
    })
    .unwrap();
    lab.shards[0].node(target).process().suspend();
    let to = target.to_string();
    let order = ["FAILOVER", "TO", "127.0.0.1", &to, "FORCE", "TIMEOUT", "1"];
    assert_eq!(text(&master.ask(&order).unwrap()), "OK");
    lab.shards[0].node(target).process().kill();
    // A connection of before ends with the transaction.
    let says = |what: &str| {
        until(what, BOUND, || {
            let info = Client::connect(old).ok()?.ask(&["INFO", "replication"]).ok()?;
            text(&info).contains(what).then_some(())
        })
        .unwrap();
    };
    says("master_failover_state:failover-in-progress");
    let new = lab.wait_for_switch_from(&name, old).unwrap();
    assert_ne!(new, target);
    says(&format!("master_port:{new}"));
    says("master_failover_state:no-failover");
    bring_back(&mut lab, target, new);
    lab.wait_until_settled().unwrap();
}

#[test]
fn a_redis_that_is_stuck_in_a_hand_over_is_recalled() {
    let Some(server) = found("redis-server", programs::redis_server()) else { return };
    check_stuck(server);
}

#[test]
fn a_valkey_that_is_stuck_in_a_hand_over_is_recalled() {
    let Some(server) = found("Valkey", programs::valkey_server()) else { return };
    check_stuck(server);
}

#[test]
fn other_words_are_refused() {
    let lab = start(GroupSpec { server: DataServer::Model(program()), ..spec() });
    let arity = "ERR wrong number of arguments for 'sentinel|failover' command";
    assert_eq!(order(&lab, &["GENTLY"]), arity);
    assert_eq!(order(&lab, &["COORDINATED", "x"]), arity);
}
