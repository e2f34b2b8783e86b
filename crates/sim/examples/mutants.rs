//! Plants each bug in turn, or turns each rule off: the first seed that finds it, and in how many
//! of the first seeds it is found. Started by `cargo xtask mutants`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use vedette_node::Fault;
use vedette_sim::{GroupPlan, Mutant, NodeIndex, Plan, Rule, Witness, World, run};

/// All bugs must be found within so many seeds.
const SEEDS: u64 = 2_000;
/// Without a rule nothing need be wrong; more seeds than this are seldom worth their time.
const SEEDS_WITHOUT_RULE: u64 = 100;
/// In how many of the first seeds a bug is found.
const COUNTED: u64 = 30;
/// Split elections among that many quiet groups of five; more are a bug.
const SPLITS_MAX: u64 = 1;

fn main() -> ExitCode {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut flag = |name: &str| {
        let before = wanted.len();
        wanted.retain(|word| word != name);
        wanted.len() < before
    };
    let (rules, _ci) = (flag("--rules"), flag("--ci"));
    let bugs: Vec<Bug> = if rules { Bug::rules() } else { Bug::mutants() };
    let seeds = wanted.pop_if(|last| last.parse::<u64>().is_ok());
    let usual = if rules { SEEDS_WITHOUT_RULE } else { SEEDS };
    let seeds = seeds.and_then(|seeds| seeds.parse().ok()).unwrap_or(usual);
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(name) = wanted.iter().find(|name| bugs.iter().all(|bug| bug.name() != **name)) {
        eprintln!("there is no {name}");
        return ExitCode::FAILURE;
    }
    let is_wanted = |bug: &&Bug| wanted.is_empty() || wanted.contains(&bug.name());
    let missed = hunt_all(bugs.iter().filter(is_wanted), seeds, wanted.len() == 1);
    println!("{missed} of them were not found");
    // A rule of pace alone shows nowhere but in its scenario.
    ExitCode::from(u8::from(missed > 0 && !rules))
}

/// Hunts each; how many were not found. What shows them is told `aloud`, if it is but one.
fn hunt_all<'a>(bugs: impl Iterator<Item = &'a Bug>, seeds: u64, aloud: bool) -> u64 {
    let mut missed = 0;
    println!("{:<24} {:>6} {:>9}  by", "without or with", "first", "of first");
    for bug in bugs {
        let name = bug.name();
        let hunt = Hunt::go(bug, seeds, aloud);
        match hunt.first {
            Some((seed, by)) => {
                let counted = COUNTED.min(seeds);
                println!("{name:<24} {seed:>6} {:>4} / {counted:<2}  {by}", hunt.found);
            }
            None => {
                missed += 1;
                println!("{name:<24} {:>6} not within {seeds} seeds: {}", "-", bug.sentence());
            }
        }
    }
    missed
}

/// What is wrong.
#[derive(Clone, Copy)]
enum Bug {
    Planted(Mutant, &'static str),
    Without(Rule, &'static str, &'static str),
}

impl Bug {
    fn mutants() -> Vec<Self> {
        Mutant::ALL.iter().map(|(mutant, says)| Self::Planted(*mutant, says)).collect()
    }

    fn rules() -> Vec<Self> {
        Rule::ALL.iter().map(|(rule, name, says)| Self::Without(*rule, name, says)).collect()
    }

    fn name(&self) -> String {
        match self {
            Self::Planted(mutant, _) => format!("{mutant:?}"),
            Self::Without(_, name, _) => (*name).to_owned(),
        }
    }

    fn sentence(&self) -> &'static str {
        match self {
            Self::Planted(_, sentence) | Self::Without(_, _, sentence) => sentence,
        }
    }

    /// By what a seed finds it.
    fn evidence(&self, seed: u64) -> Option<(&'static str, String)> {
        let mut plan = Plan::draw(seed);
        match self {
            Self::Planted(mutant, _) => Mutant::plant(Some(*mutant)),
            Self::Without(rule, ..) => plan.without = Some(*rule),
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| run(plan, Witness::strict())));
        Mutant::plant(None);
        match &outcome {
            Ok(outcome) => {
                let violation = outcome.violation.as_ref();
                violation.map(|found| (found.invariant, found.evidence.clone()))
            }
            Err(_) => Some(("a panic", String::new())),
        }
    }
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
    fn go(bug: &Bug, seeds: u64, aloud: bool) -> Self {
        let mut hunt = Self::default();
        for seed in 1..=seeds {
            if seed == COUNTED + 1
                && hunt.first.is_none()
                && let Bug::Planted(mutant, _) = bug
            {
                hunt.count_splits(*mutant);
            }
            if seed > COUNTED && hunt.first.is_some() {
                break;
            }
            if let Some((by, evidence)) = bug.evidence(seed) {
                if aloud {
                    println!("seed {seed}: {by}: {evidence}");
                }
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
