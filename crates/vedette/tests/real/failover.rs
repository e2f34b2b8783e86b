//! A master dies, hangs or is asked to step down; it comes back as a replica.

use vedette::lab::{BOUND, Event, GroupSpec, text};

use crate::group::{bring_back, check_one_switch, kill_master, spec, start};

#[test]
fn killed_master_is_replaced_and_returns_as_a_replica() {
    let mut lab = start(spec());
    let (old, new) = kill_master(&mut lab);
    bring_back(&mut lab, old, new);
    check_one_switch(&lab, old, new);
    lab.wait_until_settled().unwrap();
}

#[test]
fn hung_master_is_replaced_and_follows_when_it_goes_on() {
    let mut lab = start(spec());
    let name = lab.name().to_owned();
    let old = lab.agreed_master(&name).unwrap();
    lab.shards[0].node(old).process().suspend();
    let new = lab.wait_for_switch_from(&name, old).unwrap();
    lab.shards[0].node(old).process().resume();
    lab.wait_until_following(0, new).unwrap();
    check_one_switch(&lab, old, new);
}

#[test]
fn forced_failover_demotes_the_old_master() {
    let lab = start(spec());
    let old = lab.agreed_master(lab.name()).unwrap();
    let answer = lab.sentinels[0].ask(&["SENTINEL", "FAILOVER", lab.name()]).unwrap();
    assert_eq!(text(&answer), "OK");
    let new = lab.wait_for_switch_from(lab.name(), old).unwrap();
    lab.wait_until_following(0, new).unwrap();
    lab.wait_until_settled().unwrap();
    check_one_switch(&lab, old, new);
}

#[test]
fn every_sentinel_can_lead_a_forced_failover() {
    let lab = start(spec());
    let mut old = lab.agreed_master(lab.name()).unwrap();
    for sentinel in &lab.sentinels {
        let answer = sentinel.ask(&["SENTINEL", "FAILOVER", lab.name()]).unwrap();
        assert_eq!(text(&answer), "OK");
        let new = lab.wait_for_switch_from(lab.name(), old).unwrap();
        lab.wait_until_following(0, new).unwrap();
        lab.wait_until_settled().unwrap();
        old = new;
    }
}

#[test]
fn replica_cut_off_during_the_failover_is_repointed_later() {
    // A replica of the wrong master is given this long (spec: behaviour 7.7).
    let mut lab = start(GroupSpec { failover_timeout_ms: 5000, ..spec() });
    let name = lab.name().to_owned();
    let old = lab.agreed_master(&name).unwrap();
    let cut_off = lab.shards[0].nodes[2].port();
    lab.shards[0].node(cut_off).process().suspend();
    let address = format!("127.0.0.1:{cut_off}");
    for sentinel in 0..lab.sentinels.len() {
        let down = |events: &[Event]| {
            let is_it = |event: &&Event| event.sentinel == sentinel && event.is("+sdown", &address);
            events.iter().find(is_it).map(|_| ())
        };
        lab.events.wait_for("the replica down", 0, BOUND, down).unwrap();
    }
    lab.shards[0].node(old).process().kill();
    let new = lab.wait_for_switch_from(&name, old).unwrap();
    assert_ne!(new, cut_off);
    lab.shards[0].node(cut_off).process().resume();
    lab.shards[0].node(old).restart().unwrap();
    lab.wait_until_following(0, new).unwrap();
}
