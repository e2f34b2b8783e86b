//! Whole groups without faults in the network: they discover each other and fail over.

use vedette_node::{Fault, Role};
use vedette_sim::{GroupPlan, NodeIndex, SentinelIndex, World};

fn settled(plan: &GroupPlan) -> World {
    let mut world = World::new(plan);
    world.run_for(10_000);
    world
}

#[test]
fn a_group_finds_itself() {
    let world = settled(&GroupPlan::default());
    for index in 0..3 {
        let master = world
            .snapshot(SentinelIndex(index))
            .expect("it runs")
            .master("mymaster")
            .expect("watched");
        assert_eq!(master.replicas.len(), 2, "{}", world.timeline().print(0));
        assert_eq!(master.sentinels.len(), 2, "{}", world.timeline().print(0));
        assert!(master.node.sdown_since.is_none());
    }
}

#[test]
fn a_killed_master_is_replaced() {
    for seed in 1..=20 {
        let mut world = settled(&GroupPlan { seed, ..GroupPlan::default() });
        let killed_at = world.now_ms();
        world.fault(NodeIndex(0), Fault::Killed);
        let switched = world
            .run_until(5_000, |world| world.agree_on(NodeIndex(1)) || world.agree_on(NodeIndex(2)));
        let took = world.now_ms() - killed_at;
        println!("seed {seed}: all switched {took} ms after the kill");
        assert!(switched, "seed {seed}\n{}", world.timeline().print(killed_at));
        world.run_for(2_000);
        assert_eq!(
            world.timeline().count("+try-failover"),
            1,
            "{}",
            world.timeline().print(killed_at)
        );
        assert_eq!(
            world.timeline().count("+failover-end"),
            1,
            "{}",
            world.timeline().print(killed_at)
        );
    }
}

#[test]
fn a_hung_master_is_replaced() {
    let mut world = settled(&GroupPlan::default());
    let hung_at = world.now_ms();
    world.fault(NodeIndex(0), Fault::Hung);
    let switched = world
        .run_until(10_000, |world| world.agree_on(NodeIndex(1)) || world.agree_on(NodeIndex(2)));
    assert!(switched, "{}", world.timeline().print(hung_at));
    println!("all switched {} ms after", world.now_ms() - hung_at);
}

#[test]
fn a_forced_failover_demotes_the_old_master() {
    let mut world = settled(&GroupPlan::default());
    let forced_at = world.now_ms();
    world.force_failover(SentinelIndex(0));
    let demoted = world.run_until(5_000, |world| world.node(NodeIndex(0)).role() == Role::Replica);
    assert!(demoted, "{}", world.timeline().print(forced_at));
    println!("demoted {} ms after", world.now_ms() - forced_at);
    world.run_for(3_000);
    println!("{}", world.timeline().print(forced_at));
    assert!(world.agree_on(NodeIndex(1)) || world.agree_on(NodeIndex(2)));
}

#[test]
fn the_old_master_returns_as_a_replica() {
    let mut world = settled(&GroupPlan::default());
    let killed_at = world.now_ms();
    world.fault(NodeIndex(0), Fault::Killed);
    world.run_for(15_000);
    world.fault(NodeIndex(0), Fault::Revived(vedette_node::Revival::WithData));
    let revived_at = world.now_ms();
    let demoted = world.run_until(20_000, |world| world.node(NodeIndex(0)).role() == Role::Replica);
    assert!(demoted, "{}", world.timeline().print(killed_at));
    println!("demoted {} ms after its return", world.now_ms() - revived_at);
}
