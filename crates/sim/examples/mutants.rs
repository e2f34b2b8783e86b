//! Plants each bug in turn: the first seed that finds it, and in how many of the first seeds it is
//! found. Started by `cargo xtask mutants`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use vedette_node::Fault;
use vedette_sim::{GroupPlan, Mutant, NodeIndex, World, run_seed};

/// All bugs must be found within so many seeds.
const SEEDS: u64 = 2_000;
/// In how many of the first seeds a bug is found.
const COUNTED: u64 = 30;
/// Split elections among that many quiet groups of five; more are a bug.
const SPLITS_MAX: u64 = 1;

fn main() -> std::process::ExitCode {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    let unknown = |name: &&String| {
        let is_count = name.parse::<u64>().is_ok();
        !is_count && !Mutant::ALL.iter().any(|(mutant, _)| format!("{mutant:?}") == **name)
    };
    if let Some(name) = wanted.iter().find(unknown) {
        eprintln!("there is no mutant {name}");
        return std::process::ExitCode::FAILURE;
    }
    let seeds = wanted.pop_if(|last| last.parse::<u64>().is_ok());
    let seeds = seeds.and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = 0;
    println!("{:<24} {:>6} {:>9}  by", "mutant", "first", "of first");
    for (mutant, sentence) in Mutant::ALL {
        let name = format!("{mutant:?}");
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        let hunt = Hunt::go(*mutant, seeds);
        match hunt.first {
            Some((seed, by)) => {
                let counted = COUNTED.min(seeds);
                println!("{name:<24} {seed:>6} {:>4} / {counted:<2}  {by}", hunt.found);
            }
            None => {
                missed += 1;
                println!("{name:<24} {:>6} not within {seeds} seeds: {sentence}", "-");
            }
        }
    }
    println!("{missed} of them were not found");
    std::process::ExitCode::from(u8::from(missed > 0))
}

/// What came of a hunt.
#[derive(Default)]
struct Hunt {
    /// The first seed that finds the bug, and by what.
    first: Option<(u64, &'static str)>,
    /// How many of the counted seeds find it.
    found: u64,
}

impl Hunt {
    /// Runs the counted seeds, and more if none of them finds the bug.
    fn go(mutant: Mutant, seeds: u64) -> Self {
        let mut hunt = Self::default();
        for seed in 1..=seeds {
            if seed == COUNTED + 1 && hunt.first.is_none() {
                hunt.count_splits(mutant);
            }
            if seed > COUNTED && hunt.first.is_some() {
                break;
            }
            if let Some(by) = evidence(mutant, seed) {
                hunt.first.get_or_insert((seed, by));
                hunt.found += u64::from(seed <= COUNTED);
            }
        }
        hunt
    }

    /// What no single run can show: without other faults elections are seldom split.
    fn count_splits(&mut self, mutant: Mutant) {
        Mutant::plant(Some(mutant));
        let splits = (1..=COUNTED).filter(|seed| is_split(*seed));
        let splits: Vec<u64> = splits.collect();
        Mutant::plant(None);
        if splits.len() as u64 > SPLITS_MAX {
            self.first = splits.first().map(|seed| (*seed, "elections are seldom split"));
            self.found = splits.len() as u64;
        }
    }
}

/// Whether more than one candidacy follows the death of a master.
fn is_split(seed: u64) -> bool {
    let mut world = World::new(&GroupPlan { seed, sentinels: 5, ..GroupPlan::default() });
    world.run_for(5_000 + seed * 7);
    world.fault(NodeIndex(0), Fault::Killed);
    world.run_for(5_000);
    world.timeline().count("+try-failover") > 1
}

/// By what a seed finds a bug.
fn evidence(mutant: Mutant, seed: u64) -> Option<&'static str> {
    Mutant::plant(Some(mutant));
    let outcome = catch_unwind(AssertUnwindSafe(|| run_seed(seed)));
    Mutant::plant(None);
    match &outcome {
        Ok(outcome) => outcome.violation.as_ref().map(|violation| violation.invariant),
        Err(_) => Some("a panic"),
    }
}
