//! Plants each bug in turn and counts the seeds until it is found. Started by `cargo xtask
//! mutants`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use vedette_sim::{Mutant, run_seed};

/// All bugs must be found within so many seeds.
const SEEDS: u64 = 2_000;

fn main() -> std::process::ExitCode {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    let seeds = wanted.pop_if(|last| last.parse::<u64>().is_ok());
    let seeds = seeds.and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = 0;
    println!("{:<24} {:>6}  by", "mutant", "seed");
    for (mutant, sentence) in Mutant::ALL {
        let name = format!("{mutant:?}");
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        match hunt(*mutant, seeds) {
            Some((seed, by)) => println!("{name:<24} {seed:>6}  {by}"),
            None => {
                missed += 1;
                println!("{name:<24} {:>6}  not within {seeds} seeds: {sentence}", "-");
            }
        }
    }
    println!("{missed} of them were not found");
    std::process::ExitCode::from(u8::from(missed > 0))
}

/// The first seed that finds the bug, and by what.
fn hunt(mutant: Mutant, seeds: u64) -> Option<(u64, &'static str)> {
    (1..=seeds).find_map(|seed| {
        Mutant::plant(Some(mutant));
        let outcome = catch_unwind(AssertUnwindSafe(|| run_seed(seed)));
        Mutant::plant(None);
        let evidence = match &outcome {
            Ok(outcome) => outcome.violation.as_ref().map(|violation| violation.invariant),
            Err(_) => Some("a panic"),
        };
        evidence.map(|evidence| (seed, evidence))
    })
}
