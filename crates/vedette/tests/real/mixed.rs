//! Groups of both programs, each side leading in turn.

use vedette::lab::{GroupSpec, Template, check_votes, text};

use crate::group::{ours, redis_sentinel, spec, start, valkey_sentinel};

/// `templates[1]` is of the one make, the others of the other.
fn check(templates: Vec<Template>) {
    // A reference that loses an election waits for twice this long.
    let mut lab = start(GroupSpec { sentinels: templates, failover_timeout_ms: 10_000, ..spec() });
    let name = lab.name().to_owned();
    let mut master = lab.agreed_master(&name).unwrap();
    for leader in [0, 1] {
        let answer = lab.sentinels[leader].ask(&["SENTINEL", "FAILOVER", &name]).unwrap();
        assert_eq!(text(&answer), "OK");
        let new = lab.wait_for_switch_from(&name, master).unwrap();
        lab.wait_until_following(0, new).unwrap();
        lab.wait_until_settled().unwrap();
        master = new;
    }
    lab.shards[0].node(master).process().kill();
    let new = lab.wait_for_switch_from(&name, master).unwrap();
    lab.shards[0].node(master).restart_as_replica_of(new).unwrap();
    lab.wait_until_following(0, new).unwrap();
    lab.wait_until_settled().unwrap();
    check_votes(&lab).unwrap();
}

#[test]
fn two_of_ours_and_one_of_redis_agree() {
    if let Some(redis) = redis_sentinel() {
        check(vec![ours(), redis, ours()]);
    }
}

#[test]
fn one_of_ours_and_two_of_redis_agree() {
    if let Some(redis) = redis_sentinel() {
        check(vec![redis.clone(), ours(), redis]);
    }
}

#[test]
fn two_of_ours_and_one_of_valkey_agree() {
    if let Some(valkey) = valkey_sentinel() {
        check(vec![ours(), valkey, ours()]);
    }
}

#[test]
fn one_of_ours_and_two_of_valkey_agree() {
    if let Some(valkey) = valkey_sentinel() {
        check(vec![valkey.clone(), ours(), valkey]);
    }
}
