//! Plants each bug in turn and counts the seeds until it is found. Started by `cargo xtask
//! mutants`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use vedette_sim::{Mutant, run_seed};

/// All bugs must be found within so many seeds.
const SEEDS: u64 = 2_000;
/// Enough finds to tell a rate.
const FINDS: u64 = 3;

fn main() -> std::process::ExitCode {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    let seeds = wanted.pop_if(|last| last.parse::<u64>().is_ok());
    let seeds = seeds.and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = 0;
    println!("{:<24} {:>6} {:>6}  by", "mutant", "found", "seeds");
    for (mutant, sentence) in Mutant::ALL {
        let name = format!("{mutant:?}");
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        let (found, seeds, by) = hunt(*mutant, seeds);
        missed += u64::from(found == 0);
        println!("{name:<24} {found:>6} {seeds:>6}  {by}\n{:<39} {sentence}", "");
    }
    println!("{missed} of them were not found");
    std::process::ExitCode::from(u8::from(missed > 0))
}

/// How often the bug was found, within how many seeds, and by what first.
fn hunt(mutant: Mutant, seeds: u64) -> (u64, u64, String) {
    let (mut found, mut by) = (0, String::new());
    for seed in 1..=seeds {
        Mutant::plant(Some(mutant));
        let outcome = catch_unwind(AssertUnwindSafe(|| run_seed(seed)));
        Mutant::plant(None);
        let evidence = match &outcome {
            Ok(outcome) => outcome.violation.as_ref().map(|violation| violation.invariant),
            Err(_) => Some("a panic"),
        };
        if let Some(evidence) = evidence {
            found += 1;
            if by.is_empty() {
                by = format!("{evidence} (seed {seed})");
            }
        }
        if found == FINDS {
            return (found, seed, by);
        }
    }
    (found, seeds, by)
}
