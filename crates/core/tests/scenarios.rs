//! The regression format of the core: scenario files, each a story with its commands above and its
//! whole trace below. `UPDATE_SCENARIOS=1` writes the traces anew.
//!
//! Every scenario runs three times: with the store that it describes, with a store that never
//! answers, and with one that always fails. For the latter two only what reveals something of our
//! own is listed: there must be none of it that is not durable.

#![allow(clippy::wildcard_enum_match_arm, reason = "traces look at few of many orders")]

mod scenario;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use scenario::parse::{Scenario, Variant};
use scenario::world::World;

fn files() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = std::fs::read_dir(folder).expect("the scenarios are beside the test");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.retain(|path| path.to_string_lossy().contains(&wanted));
    files.sort();
    files
}

/// The trace of one run, or what went wrong and what came just before.
fn run(scenario: &Scenario, variant: Variant) -> Result<String, String> {
    let mut world = World::new(variant);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        for command in &scenario.commands {
            world.run(command);
        }
        world.finish();
    }));
    let trace = world.trace.text();
    let Err(panic) = outcome else { return Ok(trace) };
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    let lines: Vec<&str> = trace.lines().collect();
    let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n    ");
    let (heading, text) = (variant.heading(), text.unwrap_or_default());
    Err(format!("{heading}: {text}\n    {last}\n"))
}

/// Lines of the trace that are shown when a run breaks an invariant.
const LAST_LINES: usize = 40;

/// The traces of all runs, or what went wrong.
fn traces(scenario: &Scenario) -> Result<Vec<(Variant, String)>, String> {
    let run_one = |variant| Ok((variant, run(scenario, variant)?));
    Variant::ALL.into_iter().map(run_one).collect()
}

fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), found.lines().collect());
    let same = expected.iter().zip(&found).take_while(|(one, other)| one == other).count();
    let show = |lines: &[&str]| lines.get(same..).unwrap_or_default().join("\n    ");
    format!("  expected\n    {}\n  found\n    {}", show(&expected), show(&found))
}

#[test]
fn every_scenario_has_its_trace() {
    let update = std::env::var_os("UPDATE_SCENARIOS").is_some();
    let mut failures = Vec::new();
    for path in files() {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("readable");
        let scenario = Scenario::read(&text);
        let traces = match traces(&scenario) {
            Ok(traces) => traces,
            Err(failure) => {
                failures.push(format!("{name}: {failure}"));
                continue;
            }
        };
        let mut written = scenario.head.clone();
        for (variant, trace) in &traces {
            written.push_str(&format!("{}\n{trace}", variant.heading()));
            if !update && scenario.expected(*variant) != trace {
                let difference = difference(scenario.expected(*variant), trace);
                failures.push(format!("{name} {}\n{difference}", variant.heading()));
            }
        }
        if update && written != text {
            std::fs::write(&path, written).expect("writable");
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// How many scenarios by chance; `RANDOM_SCENARIOS=5000..9000` looks at others.
const RANDOM_SCENARIOS: std::ops::Range<u64> = 0..100;
/// Commands in each of them.
const RANDOM_LENGTH: usize = 60;

/// The seeds that are looked at: `RANDOM_SCENARIOS=<from>..<to>` chooses others.
fn seeds() -> std::ops::Range<u64> {
    let text = std::env::var("RANDOM_SCENARIOS").unwrap_or_default();
    let bounds =
        text.split_once("..").and_then(|(from, to)| from.parse().ok().zip(to.parse().ok()));
    bounds.map_or(RANDOM_SCENARIOS, |(from, to)| from..to)
}

#[test]
fn random_scenarios_keep_the_invariants() {
    for seed in seeds() {
        let lines = scenario::random::commands(seed, RANDOM_LENGTH);
        let text = format!("# random {seed}\n{}\n", lines.join("\n"));
        if let Err(failure) = traces(&Scenario::read(&text)) {
            let replay = format!("RANDOM_SCENARIOS={seed}..{}", seed + 1);
            panic!("{replay} {failure}\n{text}");
        }
    }
}
