//! A group of the reference becomes one of ours, Sentinel by Sentinel, and back, under load.

use vedette::lab::{GroupSpec, Make, Order, Pace, Rolling, Tally};

use super::client;
use crate::group::{ours, redis_sentinel, spec, start};

#[test]
fn sentinels_are_replaced_one_by_one_under_load_and_back() {
    let Some(redis) = redis_sentinel() else { return };
    let lab = start(GroupSpec {
        sentinels: vec![redis.clone(); 3],
        sentinel_lines: vec!["# kept: a comment of the operator's".to_owned()],
        failover_timeout_ms: 10_000,
        ..spec()
    });
    let makes = [Make::RedisPy, Make::Ioredis];
    let clients: Vec<_> =
        makes.into_iter().filter_map(|make| client(make, &Order::of(&lab))).collect();
    let mut rolling = Rolling::start(lab, clients, Pace::Quick).unwrap();
    rolling.replace_all(&ours()).unwrap();
    print("to ours", rolling.tallies());
    rolling.replace_all(&redis).unwrap();
    assert_eq!(rolling.failovers(), 6);
    print("and back", rolling.finish().unwrap());
}

fn print(when: &str, tallies: Vec<(Make, Tally)>) {
    for (make, tally) in tallies {
        println!("{when}: {}: {tally}", make.name());
    }
}
