//! Elections in groups of several sizes: one candidacy is the rule.

use vedette_node::Fault;
use vedette_sim::{GroupPlan, NodeIndex, World};

fn agreed(world: &World) -> bool {
    world.agree_on(NodeIndex(1)) || world.agree_on(NodeIndex(2))
}

/// Kills the master of many groups; tells how many elections were split and the slowest switch.
fn kill_many(plan: &GroupPlan, fault: Fault) -> (u32, u64) {
    let (mut split, mut slowest) = (0, 0);
    for seed in 1..=100 {
        let mut world = World::new(&GroupPlan { seed, ..plan.clone() });
        world.run_for(5_000 + seed * 7);
        let killed_at = world.now_ms();
        world.fault(NodeIndex(0), fault);
        let switched = world.run_until(20_000, agreed);
        assert!(switched, "seed {seed}\n{}", world.timeline().print(killed_at));
        slowest = slowest.max(world.now_ms() - killed_at);
        world.run_for(3_000);
        assert!(agreed(&world), "seed {seed}\n{}", world.timeline().print(killed_at));
        let lost = world.timeline().count("-failover-abort-not-elected");
        let tried = world.timeline().count("+try-failover");
        if lost > 0 || tried > 1 {
            split += 1;
            println!("seed {seed}: tried {tried}, lost {lost}");
        }
        assert_eq!(world.timeline().count("+elected-leader"), 1, "seed {seed}");
    }
    println!("{plan:?} {fault:?}: split {split} of 100, slowest {slowest} ms");
    (split, slowest)
}

#[test]
fn a_kill_seldom_splits_a_group_of_three() {
    let (split, _) = kill_many(&GroupPlan::default(), Fault::Killed);
    assert!(split <= 1, "{split} of 100 elections were split");
}

#[test]
fn a_kill_seldom_splits_a_group_of_five() {
    let plan = GroupPlan { sentinels: 5, ..GroupPlan::default() };
    let (split, _) = kill_many(&plan, Fault::Killed);
    assert!(split <= 1, "{split} of 100 elections were split");
}

#[test]
fn a_hang_seldom_splits_a_group_of_five() {
    let plan = GroupPlan { sentinels: 5, ..GroupPlan::default() };
    let (split, _) = kill_many(&plan, Fault::Hung);
    assert!(split <= 1, "{split} of 100 elections were split");
}

#[test]
fn slow_disks_and_links_still_elect() {
    let plan = GroupPlan { commit_ms: 200, delay_ms: 40, ..GroupPlan::default() };
    kill_many(&plan, Fault::Killed);
}
