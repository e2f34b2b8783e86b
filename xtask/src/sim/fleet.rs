//! `cargo xtask sim --fleet N`: the messages of a quiet fleet, beside the cost model of
//! docs/SCALE.md.

use std::process::ExitCode;

use vedette_sim::{MasterPlan, Plan, SentinelIndex, Traffic, Witness, World};

use crate::say::say;

const SENTINELS: usize = 3;
/// One master and one replica.
const NODES: usize = 2;
/// The fleet finds itself, and the waves of its start-up ebb away.
const SETTLING_MS: u64 = 30_000;
/// Ten seconds hold a round of INFO.
const COUNTED_SECS: u64 = 10;

/// What a Sentinel sends and hears in a second for each master, by the model: nodes are sent a PING
/// a second, a hello every two and an INFO every ten; members a hello every two seconds for each
/// master. On a node every Sentinel's hello is heard, oneself included, and on a replica also those
/// that its master was sent.
fn model() -> [(&'static str, f64); 5] {
    let (nodes, sentinels) = (NODES as f64, SENTINELS as f64);
    let members = sentinels - 1.0;
    [
        ("sends PING", nodes),
        ("sends INFO", 0.1 * nodes),
        ("sends hello", 0.5 * (nodes + members)),
        ("hears hellos of nodes", 0.5 * sentinels * (2.0 * nodes - 1.0)),
        ("is asked", 0.5 * members),
    ]
}

/// Runs the fleet and compares.
pub(super) fn run(masters: usize) -> ExitCode {
    let master = |number| MasterPlan {
        name: format!("m{number}"),
        quorum: 2,
        down_after_ms: 3_000,
        failover_timeout_ms: 60_000,
        parallel_syncs: 1,
        priorities: vec![100; NODES],
        full_sync_ms: 10,
    };
    let mut plan = Plan::quiet(1, SENTINELS, master(0), 1);
    plan.masters = (0..masters).map(master).collect();
    let mut world = World::build(plan, Witness::counting());
    say!("{masters} masters settle: {} s of virtual time", SETTLING_MS / 1000);
    for second in 1..=SETTLING_MS / 1000 {
        world.run_for(1000);
        if second % 5 == 0 {
            say!("{second} s");
        }
    }
    let known = world.snapshot(SentinelIndex(0)).map_or(0, |snapshot| {
        let whole = snapshot.masters().filter(|master| {
            master.replicas.len() == NODES - 1 && master.sentinels.len() == SENTINELS - 1
        });
        whole.count()
    });
    say!("{known} of {masters} masters are whole, with all replicas and Sentinels");
    let before = world.witness().traffic().cloned().unwrap_or_default();
    world.run_for(COUNTED_SECS * 1000);
    let after = world.witness().traffic().cloned().unwrap_or_default();
    let fine = compare(&before, &after, masters) && known == masters;
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints every kind per second and per master; those of the model may be 5 % off.
fn compare(before: &Traffic, after: &Traffic, masters: usize) -> bool {
    let one = SentinelIndex(0);
    let rate = |kind| {
        let times = after.of(one, kind) - before.of(one, kind);
        times as f64 / COUNTED_SECS as f64
    };
    let mut fine = true;
    say!("{:<24}{:>12}{:>14}{:>10}", "one Sentinel", "per second", "per master", "model");
    for kind in after.kinds() {
        let each = rate(kind) / masters as f64;
        let expected = model().into_iter().find(|(named, _)| *named == kind);
        let told = expected.map_or_else(String::new, |(_, expected)| format!("{expected:.3}"));
        say!("{kind:<24}{:>12.1}{each:>14.4}{told:>10}", rate(kind));
        if let Some((_, expected)) = expected {
            fine &= (each / expected - 1.0).abs() < 0.05;
        }
    }
    fine
}
