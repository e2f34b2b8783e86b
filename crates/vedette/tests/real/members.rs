//! Who is there to agree, and who is there to promote.

use vedette::lab::{BOUND, DataServer, Event, programs, until};

use crate::group::{found, spec, start};

#[test]
fn no_failover_without_a_majority_and_the_log_says_why() {
    let mut spec = spec();
    spec.quorum = 1;
    let mut lab = start(spec);
    let old = lab.agreed_master(lab.name()).unwrap();
    lab.kill_sentinel(1);
    lab.kill_sentinel(2);
    lab.shards[0].node(old).process().kill();
    let reason = "does not start a failover: only 1 Sentinels answer, 2 must";
    until("the reason", BOUND, || lab.sentinels[0].log().contains(reason).then_some(()))
        .unwrap_or_else(|error| panic!("{error}: {}", lab.sentinels[0].log()));
    assert_eq!(lab.sentinels[0].master_port(lab.name()), Some(old));
    assert!(!lab.sentinels[0].log().contains("+try-failover"));
    // One more is a majority.
    lab.sentinels[1].restart().unwrap();
    until("the failover", BOUND, || {
        lab.sentinels[0].master_port(lab.name()).filter(|&port| port != old)
    })
    .unwrap_or_else(|error| panic!("{error}: {}", lab.describe_events()));
}

#[test]
fn no_replica_with_priority_zero_is_promoted() {
    let mut spec = spec();
    spec.replica_lines = vec!["replica-priority 0".to_owned()];
    let mut lab = start(spec);
    let old = lab.agreed_master(lab.name()).unwrap();
    lab.shards[0].node(old).process().kill();
    let abort = "-failover-abort-no-good-slave";
    lab.events
        .wait_for(abort, 0, BOUND, |events| {
            events.iter().find(|e| e.is(abort, "mymaster")).cloned()
        })
        .unwrap();
    // An event may be heard before its line is in the file.
    let log = || -> String { lab.sentinels.iter().map(|sentinel| sentinel.log()).collect() };
    let why = "cannot be promoted: its priority is 0";
    until(why, BOUND, || log().contains(why).then_some(()))
        .unwrap_or_else(|error| panic!("{error}: {}", log()));
    assert_eq!(lab.agreed_master(lab.name()), Some(old));
    // As soon as there is one, it is.
    let promoted = &lab.shards[0].nodes[1];
    promoted.client().unwrap().ask(&["CONFIG", "SET", "replica-priority", "10"]).unwrap();
    assert_eq!(lab.wait_for_switch_from(lab.name(), old).unwrap(), promoted.port());
}

#[test]
fn no_replica_that_lost_its_master_too_long_ago_is_promoted() {
    let Some(server) = found("redis-server", programs::redis_server()) else { return };
    let mut spec = spec();
    spec.server = DataServer::Program(server);
    // Replicas follow as a user of their own, who can be shut out.
    spec.node_lines = vec!["user copy on >sesame +psync +replconf +ping".to_owned()];
    spec.replica_lines = vec!["masteruser copy".to_owned(), "masterauth sesame".to_owned()];
    let mut lab = start(spec);
    let old = lab.agreed_master(lab.name()).unwrap();
    let mut master = lab.shards[0].node(old).client().unwrap();
    master.ask(&["ACL", "SETUSER", "copy", "off"]).unwrap();
    master.ask(&["CLIENT", "KILL", "TYPE", "replica"]).unwrap();
    let limit = 10 * lab.spec().down_after_ms + 2000;
    for sentinel in &lab.sentinels {
        until("long silence", BOUND, || {
            let replicas = sentinel.list("REPLICAS", lab.name());
            let mut spans = replicas.iter().map(|replica| {
                replica.get("master-link-down-time").and_then(|ms| ms.parse::<u64>().ok())
            });
            spans.all(|span| span.is_some_and(|ms| ms > limit)).then_some(())
        })
        .unwrap();
    }
    lab.shards[0].node(old).process().kill();
    let abort = "-failover-abort-no-good-slave";
    let is_abort = |events: &[Event]| events.iter().find(|e| e.is(abort, "mymaster")).cloned();
    lab.events.wait_for(abort, 0, BOUND, is_abort).unwrap();
    let log: String = lab.sentinels.iter().map(|sentinel| sentinel.log()).collect();
    assert!(log.contains("cannot be promoted: it lost its master too long ago"), "{log}");
    assert_eq!(lab.agreed_master(lab.name()), Some(old));
}
