//! Who is there to agree, and who is there to promote.

use vedette::lab::{BOUND, until};

use crate::group::{spec, start};

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
        .expect(&lab.sentinels[0].log());
    assert_eq!(lab.sentinels[0].master_port(lab.name()), Some(old));
    assert!(!lab.sentinels[0].log().contains("+try-failover"));
    // One more is a majority.
    lab.sentinels[1].restart().unwrap();
    until("the failover", BOUND, || {
        lab.sentinels[0].master_port(lab.name()).filter(|&port| port != old)
    })
    .expect(&lab.describe_events());
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
    let log: String = lab.sentinels.iter().map(|sentinel| sentinel.log()).collect();
    assert!(log.contains("cannot be promoted: its priority is 0"), "{log}");
    assert_eq!(lab.agreed_master(lab.name()), Some(old));
    // As soon as there is one, it is.
    let promoted = &lab.shards[0].nodes[1];
    promoted.client().unwrap().ask(&["CONFIG", "SET", "replica-priority", "10"]).unwrap();
    assert_eq!(lab.wait_for_switch_from(lab.name(), old).unwrap(), promoted.port());
}
