//! Sentinels are killed in the middle of failovers and come back from their files.

use std::time::Duration;

use rand::Rng as _;
use vedette::lab::{BOUND, GroupSpec, check_votes, saved_leader_epoch};

use crate::group::{bring_back, spec, start};

/// The full count is run by `cargo xtask prove`.
const FAILOVERS: usize = 3;

#[test]
fn killed_sentinel_never_contradicts_its_vote() {
    // A leader that dies before it has repointed the replicas leaves that to the others, who give
    // these replicas this long (spec: behaviour 7.7).
    let mut lab = start(GroupSpec { failover_timeout_ms: 5000, ..spec() });
    let name = lab.name().to_owned();
    let mut random = rand::rng();
    let mut epochs = vec![0; lab.sentinels.len()];
    for _ in 0..FAILOVERS {
        let old = lab.agreed_master(&name).unwrap();
        lab.shards[0].node(old).process().kill();
        let victim = random.random_range(0..lab.sentinels.len());
        // The moment is what the test varies: before, in or after the election.
        std::thread::sleep(Duration::from_millis(random.random_range(950..1100)));
        lab.kill_sentinel(victim);
        let epoch = saved_leader_epoch(&lab.sentinels[victim], &name).unwrap();
        assert!(epoch >= epochs[victim], "{epoch} after {}", epochs[victim]);
        epochs[victim] = epoch;
        lab.sentinels[victim].restart().unwrap();
        lab.sentinels[victim].wait_until_ready().unwrap();
        let new = lab.wait_for_switch_from(&name, old).unwrap();
        bring_back(&mut lab, old, new);
        lab.wait_until_settled().unwrap();
        check_votes(&lab).unwrap();
    }
}

#[test]
fn terminated_sentinel_ends_cleanly_and_comes_back() {
    let mut lab = start(spec());
    let status = lab.sentinels[0].process().terminate(BOUND).unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(lab.sentinels[0].log().contains("Sentinel is now ready to exit, bye bye..."));
    lab.sentinels[0].restart().unwrap();
    lab.wait_until_settled().unwrap();
}
