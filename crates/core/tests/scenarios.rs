//! The regression format of the core: scenario files, each a story with its commands above and its
//! whole trace below. `UPDATE_SCENARIOS=1` writes the traces anew.
//!
//! Every scenario runs three times: with the store that it describes, with a store that never
//! answers, and with one that always fails. For the latter two only what reveals something of our
//! own is listed: there must be none of it that is not durable.
//!
//! A line `without S2` has it run once more with that rule turned off. What then goes differently,
//! or which invariant breaks, is listed too: something must, or the scenario does not show the
//! rule. [`every_rule_is_shown`] holds the list of rules and holes complete.

#![allow(clippy::wildcard_enum_match_arm, reason = "traces look at few of many orders")]

mod scenario;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use scenario::parse::{Scenario, Variant};
use scenario::world::World;
use vedette_core::{Rule, Rules};

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
fn run(scenario: &Scenario, variant: Variant, rules: Rules) -> Result<String, Failure> {
    let mut world = World::new(variant, rules);
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
    Err(Failure { text: text.unwrap_or_default(), trace })
}

/// An invariant that broke, and what came before.
struct Failure {
    text: String,
    trace: String,
}

impl Failure {
    fn tell(&self, heading: &str) -> String {
        let lines: Vec<&str> = self.trace.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n    ");
        format!("{heading}: {}\n    {last}\n", self.text)
    }
}

/// Lines of the trace that are shown when a run breaks an invariant.
const LAST_LINES: usize = 40;

/// The traces of all runs, each with its heading, or what went wrong.
fn traces(scenario: &Scenario) -> Result<Vec<(String, String)>, String> {
    let run_one = |variant: Variant| {
        let heading = variant.heading();
        let trace = run(scenario, variant, Rules::ALL).map_err(|failure| failure.tell(heading))?;
        Ok((heading.to_owned(), trace))
    };
    let mut traces = Variant::ALL.into_iter().map(run_one).collect::<Result<Vec<_>, String>>()?;
    let kept = traces[0].1.clone();
    for without in &scenario.without {
        let broken = match run(scenario, Variant::AsTold, without.rules) {
            Ok(trace) => departure(&kept, &trace),
            Err(failure) => Some(format!("! {}\n", failure.text)),
        };
        let Some(broken) = broken else {
            return Err(format!("all the same {}", without.heading()));
        };
        traces.push((without.heading(), broken));
    }
    Ok(traces)
}

/// Where two traces part.
fn departure(kept: &str, broken: &str) -> Option<String> {
    let (kept, broken): (Vec<&str>, Vec<&str>) = (kept.lines().collect(), broken.lines().collect());
    let same = kept.iter().zip(&broken).take_while(|(one, other)| one == other).count();
    let from = |lines: &[&str], sign: &str| {
        let lines = lines.iter().skip(same).take(SHOWN_LINES);
        lines.map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    let text = from(&kept, "-") + &from(&broken, "+");
    (!text.is_empty()).then_some(text)
}

/// Lines of a departure that are listed.
const SHOWN_LINES: usize = 4;

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
        for (heading, trace) in &traces {
            written.push_str(&format!("{heading}\n{trace}"));
            if !update && scenario.expected(heading) != trace {
                let difference = difference(scenario.expected(heading), trace);
                failures.push(format!("{name} {heading}\n{difference}"));
            }
        }
        if update && written != text {
            std::fs::write(&path, written).expect("writable");
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The holes of `holes.md` that are about failovers, votes, members and time.
const HOLES: [&str; 25] = [
    "H1", "H2", "H3", "H4", "H5", "H6", "H7", "H8", "H9", "H10", "H11", "H12", "H13", "H14", "H15",
    "H16", "H17", "H18", "H20", "H21", "H22", "H23", "H34", "H35", "H36",
];

/// Each rule and each of these holes has a scenario that goes wrong without it.
#[test]
fn every_rule_is_shown() {
    let mut shown = BTreeSet::new();
    for path in files() {
        let text = std::fs::read_to_string(&path).expect("readable");
        let scenario = Scenario::read(&text);
        for without in &scenario.without {
            let story = scenario.head.split(':').next().unwrap_or_default();
            let words = story.split(|letter: char| !letter.is_alphanumeric());
            shown.extend(without.names.split(' ').chain(words).map(str::to_owned));
        }
    }
    let rules = Rule::ALL.iter().map(|(_, name, _)| *name);
    let missing: Vec<&str> = rules.chain(HOLES).filter(|name| !shown.contains(*name)).collect();
    assert!(missing.is_empty(), "no scenario shows what happens without {missing:?}");
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
