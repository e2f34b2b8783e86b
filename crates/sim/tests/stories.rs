//! Bugs that the simulator found, each as the shortest plan that shows it.

use vedette_node::Revival;
use vedette_sim::{
    Fault, Incident, MasterPlan, NetworkHarm, NodeHarm, NodePick, Outcome, Place, Plan,
    SentinelHarm, Typed, Way, Witness, run,
};

fn plan(incidents: &[(u64, Fault)]) -> Plan {
    let master = MasterPlan {
        name: "m0".to_owned(),
        quorum: 2,
        down_after_ms: 1_000,
        failover_timeout_ms: 10_000,
        parallel_syncs: 1,
        priorities: vec![100; 3],
        full_sync_ms: 100,
    };
    let incident = |(number, (at_ms, fault)): (usize, &(u64, Fault))| Incident {
        at_ms: *at_ms,
        fault: fault.clone(),
        number,
    };
    let mut plan = Plan::quiet(1, 3, master, 1);
    plan.safety_ms = 30_000;
    plan.watchers = true;
    plan.incidents = incidents.iter().enumerate().map(incident).collect();
    plan
}

fn check(plan: Plan) -> Outcome {
    let outcome = run(plan, Witness::strict());
    assert_eq!(outcome.violation, None, "{}", outcome.timeline.print(0));
    outcome
}

fn master_dies(for_ms: u64) -> Fault {
    let harm = NodeHarm::Dies { for_ms, back: Revival::WithData, silently: false };
    Fault::Node(NodePick::Master(0), harm)
}

/// The +switch-master of a voter waited behind the +vote-for-leader that its disk was still saving,
/// while clients were already told the new address (rule A3).
#[test]
fn a_switch_is_told_with_the_new_address() {
    for commit_ms in [50, 200, 400] {
        let mut plan = plan(&[(1_000, master_dies(8_000))]);
        plan.commit_ms = (commit_ms / 4, commit_ms);
        assert!(check(plan).failovers >= 1);
    }
}

/// Each input of the backlog entered TILT again and forgave the same silence again (rule E4).
#[test]
fn a_long_stall_is_counted_once() {
    let stalls = Fault::Sentinel(0, SentinelHarm::Stalls { for_ms: 5_000 });
    let outcome = check(plan(&[(1_000, stalls)]));
    assert_eq!(outcome.timeline.count("+tilt"), 1, "{}", outcome.timeline.print(0));
    assert_eq!(outcome.timeline.count("-tilt"), 1, "{}", outcome.timeline.print(0));
}

/// The moment at which a silent link to a fellow Sentinel is dropped was forgotten in turns that
/// may not judge, and after TILT: the member stayed down for ever (behaviour 4.6).
#[test]
fn a_half_open_link_is_dropped_after_tilt() {
    let stalls = Fault::Sentinel(0, SentinelHarm::Stalls { for_ms: 19_000 });
    let half_open = Fault::Network(NetworkHarm::HalfOpen { place: Place::Sentinel(0) });
    check(plan(&[(1_000, stalls), (3_000, half_open)]));
}

/// An answer that came after the address had been left and become the master's again, to a question
/// of its former term, counted as an opinion about the new one (rule E5).
#[test]
fn an_opinion_about_a_former_term_does_not_count() {
    let stalls = Fault::Sentinel(1, SentinelHarm::Stalls { for_ms: 7_500 });
    let forced = |at_ms| (at_ms, Fault::Typed { sentinel: 0, group: 0, typed: Typed::Failover });
    let mut plan = plan(&[(1_000, master_dies(2_200)), (1_100, stalls), forced(6_000)]);
    plan.masters[0].priorities = vec![100; 2];
    plan.masters[0].quorum = 1;
    check(plan);
}

/// The plain things, so that a broken simulator is not taken for a correct Sentinel.
#[test]
fn ordinary_troubles_end_well() {
    let harm = SentinelHarm::Crashes { for_ms: 3_000, silently: true, side_file_lost: true };
    let crash = Fault::Sentinel(0, harm);
    let harm = NetworkHarm::Isolated { place: Place::Sentinel(1), way: Way::Into, for_ms: 9_000 };
    let cut = Fault::Network(harm);
    let forced = Fault::Typed { sentinel: 2, group: 0, typed: Typed::Failover };
    let away = Fault::Typed { sentinel: 2, group: 0, typed: Typed::RemoveAndMonitor };
    let mut plan = plan(&[
        (1_000, crash),
        (1_500, master_dies(4_000)),
        (9_000, cut),
        (10_000, master_dies(6_000)),
        (20_000, forced),
        (24_000, away),
    ]);
    plan.writers = 2;
    let outcome = check(plan);
    assert!(outcome.failovers >= 2, "{}", outcome.timeline.print(0));
    assert!(outcome.writes > 100);
}
