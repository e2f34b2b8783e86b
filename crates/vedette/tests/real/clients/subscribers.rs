//! Who subscribes with a client of another make hears each switch once from each Sentinel.

use vedette::lab::{BOUND, Make, Order, RealClient, text, until};

use super::client;
use crate::group::{kill_master, spec, start};

#[test]
fn every_make_hears_each_switch_once_from_each_sentinel() {
    let mut lab = start(spec());
    let mut listeners: Vec<RealClient> = Vec::new();
    for make in Make::ALL {
        for sentinel in 0..lab.sentinels.len() {
            listeners.extend(client(make, &Order::listening(&lab, sentinel)));
        }
    }
    listeners.iter().for_each(|listener| listener.wait_until_listening().unwrap());
    let (first, second) = kill_master(&mut lab);
    lab.shards[0].node(first).restart_as_replica_of(second).unwrap();
    lab.wait_until_following(0, second).unwrap();
    lab.wait_until_settled().unwrap();
    let answer = lab.sentinels[0].ask(&["SENTINEL", "FAILOVER", lab.name()]).unwrap();
    assert_eq!(text(&answer), "OK");
    let third = lab.wait_for_switch_from(lab.name(), second).unwrap();
    let name = lab.name();
    let switch = |old, new| format!("{name} 127.0.0.1 {old} 127.0.0.1 {new}");
    let expected = [switch(first, second), switch(second, third)];
    for listener in &listeners {
        let heard_all = || (listener.switches().len() >= expected.len()).then_some(());
        until("both switches", BOUND, heard_all)
            .unwrap_or_else(|error| panic!("{error}: {}", listener.describe()));
    }
    lab.wait_until_following(0, third).unwrap();
    for listener in &listeners {
        assert_eq!(listener.switches(), expected, "{}", listener.make().name());
    }
}
