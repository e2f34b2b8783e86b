//! Several masters under the same Sentinels.

use vedette::lab::GroupSpec;

use crate::group::{spec, start};

#[test]
fn two_masters_that_die_together_are_both_replaced() {
    let masters = ["one".to_owned(), "two".to_owned()];
    let mut lab = start(GroupSpec { masters: masters.to_vec(), replicas: 1, ..spec() });
    let old: Vec<u16> = masters.iter().map(|name| lab.agreed_master(name).unwrap()).collect();
    for (shard, &port) in lab.shards.iter_mut().zip(&old) {
        shard.node(port).process().kill();
    }
    for (name, &port) in masters.iter().zip(&old) {
        lab.wait_for_switch_from(name, port).unwrap();
    }
}
