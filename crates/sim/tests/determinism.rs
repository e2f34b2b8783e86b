//! One seed, one run: on every run, in debug and in release builds.

use vedette_sim::{PINNED_HASHES, run_seed};

#[test]
fn the_same_seed_gives_the_same_run() {
    let (one, other) = (run_seed(7), run_seed(7));
    assert_eq!(one.hash, other.hash);
    assert_eq!(one.timeline, other.timeline);
    assert_ne!(one.hash, run_seed(8).hash);
}

#[test]
fn pinned_hashes_are_those_of_this_build() {
    for (seed, hash) in PINNED_HASHES {
        let outcome = run_seed(*seed);
        assert_eq!(outcome.violation, None, "seed {seed}");
        assert_eq!(outcome.hash, *hash, "seed {seed}: {:#018x}", outcome.hash);
    }
}
