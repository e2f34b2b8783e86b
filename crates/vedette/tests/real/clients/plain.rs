//! Each client through a kill and a manual failover, with passwords.

use vedette::lab::{BOUND, GroupSpec, Lab, Make, Order, RealClient, text, until};

use super::{MANY, client};
use crate::group::{check_one_switch, kill_master, spec, start};

fn check(make: Make) {
    let sentinel_password = make.gives_sentinel_password().then(|| "lookout".to_owned());
    let password = Some("secret".to_owned());
    let mut lab = start(GroupSpec { password, sentinel_password, ..spec() });
    let Some(client) = client(make, &Order::of(&lab)) else { return };
    client.wait_for_more(MANY).unwrap();
    let (first, second) = kill_master(&mut lab);
    wait_until_on(&mut lab, &client, second);
    check_one_switch(&lab, first, second);
    lab.shards[0].node(first).restart_as_replica_of(second).unwrap();
    lab.wait_until_following(0, second).unwrap();
    lab.wait_until_settled().unwrap();
    let answer = lab.sentinels[0].ask(&["SENTINEL", "FAILOVER", lab.name()]).unwrap();
    assert_eq!(text(&answer), "OK");
    let third = lab.wait_for_switch_from(lab.name(), second).unwrap();
    wait_until_on(&mut lab, &client, third);
    check_left(&mut lab, &client, second);
    let tally = client.finish().unwrap();
    println!("{}: {tally}", make.name());
}

/// Waits until the client writes there.
fn wait_until_on(lab: &mut Lab, client: &RealClient, port: u16) {
    let node = lab.shards[0].node(port);
    until("the client on the new master", BOUND, || (node.writers() > 0).then_some(()))
        .unwrap_or_else(|error| panic!("{error}: {}", client.describe()));
    client.wait_for_more(MANY).unwrap();
}

/// Nothing is left of the client on a former master, and it does not come back.
fn check_left(lab: &mut Lab, client: &RealClient, port: u16) {
    let node = lab.shards[0].node(port);
    until("the client off the old master", BOUND, || (node.writers() == 0).then_some(()))
        .unwrap_or_else(|error| panic!("{error}: {}", client.describe()));
    let refused = node.refused_increments().unwrap();
    client.wait_for_more(MANY).unwrap();
    assert_eq!(node.writers(), 0, "{}", client.describe());
    assert_eq!(node.refused_increments().unwrap(), refused, "{}", client.describe());
}

#[test]
fn redis_py_follows_the_master() {
    check(Make::RedisPy);
}

#[test]
fn redis_py_on_asyncio_follows_the_master() {
    check(Make::RedisPyAsyncio);
}

#[test]
fn redis_rs_follows_the_master() {
    check(Make::RedisRs);
}

#[test]
fn ioredis_follows_the_master() {
    check(Make::Ioredis);
}

#[test]
fn node_redis_follows_the_master() {
    check(Make::NodeRedis);
}

#[test]
fn phpredis_follows_the_master() {
    check(Make::Phpredis);
}

#[test]
fn predis_follows_the_master() {
    check(Make::Predis);
}
