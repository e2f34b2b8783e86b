//! How often a batch of seeds must reach each interesting place: below that, the faults have become
//! too tame or the seeds have become too few to mean anything.

use std::collections::BTreeMap;

/// A place, and in how many of 1,000 seeds it must be reached.
pub const SOMETIMES: &[(&str, u64)] = &[
    ("a switch", 800),
    ("an election was lost", 60),
    ("no good replica", 60),
    ("a promotion timed out", 8),
    ("the master came back", 10),
    ("two leaders in consecutive epochs", 20),
    ("a replica was promoted twice", 1),
    ("a candidate crashed", 15),
    ("a leader crashed while choosing", 3),
    ("a leader crashed before SLAVEOF NO ONE", 2),
    ("a leader crashed while waiting for the promotion", 10),
    ("a leader crashed after announcing", 15),
    ("the chosen replica was killed", 10),
    ("TILT", 60),
    ("TILT during a failover", 8),
    ("a save failed", 60),
    ("a save failed while voting", 10),
    ("a configuration update ended a candidacy", 2),
    ("a stray master was demoted", 100),
    ("a misled replica was redirected", 60),
    ("a forced failover went on", 60),
    ("an operator was refused", 20),
    ("an operator was told NOGOODSLAVE", 10),
    ("a repointing timed out", 1),
    ("a failover ended for timeout", 5),
    ("a reboot was noticed", 400),
    ("a simulated failure struck", 2),
    ("a master was reset", 15),
    ("a master was removed", 15),
];

/// Fewer seeds than this say nothing about rates.
pub const SEEDS_MIN: u64 = 400;

/// The places that were reached too seldom: with the rate per 1,000 seeds and the one wanted.
#[must_use]
pub fn too_seldom(
    seeds: u64,
    reached: &BTreeMap<&'static str, u64>,
) -> Vec<(&'static str, u64, u64)> {
    if seeds < SEEDS_MIN {
        return Vec::new();
    }
    let rate = |place: &str| reached.get(place).copied().unwrap_or(0) * 1_000 / seeds;
    let rates = SOMETIMES.iter().map(|(place, wanted)| (*place, rate(place), *wanted));
    rates.filter(|(_, rate, wanted)| rate < wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_reached_too_seldom_is_named() {
        let mut reached: BTreeMap<_, _> = SOMETIMES.iter().copied().collect();
        assert!(too_seldom(1_000, &reached).is_empty());
        reached.insert("TILT", 10);
        assert_eq!(too_seldom(1_000, &reached), [("TILT", 10, 60)]);
        assert!(too_seldom(SEEDS_MIN - 1, &reached).is_empty());
    }
}
