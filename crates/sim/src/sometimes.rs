//! How often a batch of seeds must reach each interesting place: below that, the faults have become
//! too tame or the seeds have become too few to mean anything.

use std::collections::BTreeMap;

/// A place, and in how many of 1,000 seeds it must be reached.
pub const SOMETIMES: &[(&str, u64)] = &[
    ("a switch", 800),
    ("an election was lost", 250),
    ("a Sentinel at the reference's pace was elected", 70),
    ("one of ours was elected in a mixed group", 100),
    ("no good replica", 300),
    ("a promotion timed out", 34),
    ("a replica was promoted twice", 8),
    ("the master came back", 10),
    ("two leaders in consecutive epochs", 154),
    ("a candidate crashed", 42),
    ("a leader crashed while choosing", 36),
    ("a leader crashed before SLAVEOF NO ONE", 1),
    ("a leader crashed while waiting for the promotion", 30),
    ("a leader crashed after announcing", 25),
    ("the chosen replica was killed", 18),
    ("TILT", 100),
    ("TILT during a failover", 20),
    ("a save failed", 80),
    ("a save failed while voting", 70),
    ("a configuration update ended a candidacy", 178),
    ("a configuration update stood a leader down", 12),
    ("a stray master was demoted", 600),
    ("a misled replica was redirected", 44),
    ("a forced failover went on", 103),
    ("an operator was refused", 73),
    ("an operator was told INPROG", 103),
    ("an operator was told NOGOODSLAVE", 94),
    ("a failover ended for timeout", 30),
    ("a reboot was noticed", 700),
    ("a simulated failure struck", 6),
    ("a master was reset", 20),
    ("a master was removed", 20),
    ("two candidates at one epoch", 167),
    ("a voter crashed between two candidates", 30),
    ("a Sentinel moved", 93),
    ("a Sentinel's address flapped", 5),
    ("a script was killed", 120),
    ("a data node moved", 80),
    ("a master moved", 68),
    ("a moved replica was found", 77),
    ("a moved replica was promoted", 48),
    ("an outage", 300),
    ("a leader fell in an outage", 70),
    ("a chosen replica fell in an outage", 6),
    ("a coordinated failover was elected", 50),
    ("a master was told to hand over", 29),
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
        assert_eq!(too_seldom(1_000, &reached), [("TILT", 10, 100)]);
        assert!(too_seldom(SEEDS_MIN - 1, &reached).is_empty());
    }
}
