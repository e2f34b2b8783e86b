//! One seed, one run: on every run, in debug and in release builds.

use vedette_sim::run_seed;

/// Hashes of runs, the same in every build. A change of the core, of the wire or of the simulator
/// that changes what happens changes them: print the new ones with
/// `cargo xtask sim --seeds 3 --hashes`.
const PINNED: &[(u64, u64)] =
    &[(1, 0x4c5d_d3ec_92ba_3478), (2, 0x6a58_4753_ac11_61f2), (3, 0xe07b_f470_64e2_f674)];

#[test]
fn the_same_seed_gives_the_same_run() {
    let (one, other) = (run_seed(7), run_seed(7));
    assert_eq!(one.hash, other.hash);
    assert_eq!(one.timeline, other.timeline);
    assert_ne!(one.hash, run_seed(8).hash);
}

#[test]
fn pinned_hashes_are_those_of_this_build() {
    for (seed, hash) in PINNED {
        let outcome = run_seed(*seed);
        assert_eq!(outcome.violation, None, "seed {seed}");
        assert_eq!(outcome.hash, *hash, "seed {seed}: {:#018x}", outcome.hash);
    }
}
