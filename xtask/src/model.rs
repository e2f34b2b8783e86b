//! `cargo xtask model`: the agreement, explored exhaustively (docs/PROOF.md).

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use vedette_core::{Rule, Rules};
use vedette_model::{Bounds, Crashes, Group, ONE_ADDRESS, Report};

/// How far to go.
#[derive(Args, Clone, Debug)]
pub(crate) struct ModelArgs {
    /// Three epochs, and two masters: a quarter of an hour rather than a minute.
    #[arg(long)]
    full: bool,
    /// Turn rules off, and see whether one master and two epochs show a hole.
    #[arg(long, value_parser = rule, num_args = 1..)]
    without: Vec<Rule>,
    /// Threads.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..))]
    threads: u8,
}

/// An exploration, and what it must find.
struct Case {
    name: &'static str,
    bounds: Bounds,
    rules: Rules,
    /// This property must break; none: nothing may.
    hole: Option<&'static str>,
    is_long: bool,
}

const CASES: &[Case] = &[
    Case {
        name: "ours, 1 master, 2 epochs, votes forgotten",
        bounds: bounds(1, 2, None, Crashes::Forgetful),
        rules: Rules::ALL,
        hole: None,
        is_long: false,
    },
    Case {
        name: "ours, 2 masters, 1 epoch",
        bounds: bounds(2, 1, None, Crashes::Plain),
        rules: Rules::ALL,
        hole: None,
        is_long: false,
    },
    Case {
        name: "the reference's rules, 1 master, 2 epochs",
        bounds: bounds(1, 2, Some(1), Crashes::Never),
        rules: Rules::REFERENCE,
        hole: Some(ONE_ADDRESS),
        is_long: false,
    },
    Case {
        name: "ours, 1 master, 3 epochs",
        bounds: bounds(1, 3, None, Crashes::Plain),
        rules: Rules::ALL,
        hole: None,
        is_long: true,
    },
    Case {
        name: "ours, 2 masters, 2 epochs, one candidacy each",
        bounds: bounds(2, 2, Some(1), Crashes::Never),
        rules: Rules::ALL,
        hole: None,
        is_long: true,
    },
];

const fn bounds(masters: usize, last_epoch: u8, most: Option<u8>, crashes: Crashes) -> Bounds {
    Bounds { masters, last_epoch, candidacies: most, crashes }
}

/// Longer than any exploration takes.
const PATIENCE: Duration = Duration::from_secs(4 * 3600);

/// Explores; a failure if something was found that must not be, or not found that must.
pub(crate) fn run(args: &ModelArgs) -> ExitCode {
    if !args.without.is_empty() {
        return show_without(args);
    }
    let mut fine = true;
    for case in CASES.iter().filter(|case| args.full || !case.is_long) {
        println!("{}…", case.name);
        let group = Group { bounds: case.bounds, rules: case.rules };
        let report = match case.hole {
            None => group.explore(usize::from(args.threads), PATIENCE),
            Some(property) => group.hunt(property, usize::from(args.threads), PATIENCE),
        };
        let as_expected = match case.hole {
            None => report.exhausted && report.unreached.is_empty(),
            Some(property) => report.holes.iter().any(|(name, _)| *name == property),
        };
        tell(&report, as_expected, case.hole);
        println!("  {}", if as_expected { "as expected" } else { "NOT as expected" });
        fine &= as_expected;
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn rule(text: &str) -> Result<Rule, String> {
    let known = Rule::ALL.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(text));
    let rule = known.map(|(rule, _, _)| *rule).ok_or_else(|| format!("there is no rule {text}"))?;
    let modelled = vedette_model::RULES.contains(&rule);
    modelled.then_some(rule).ok_or_else(|| format!("the model knows {:?}", vedette_model::RULES))
}

fn show_without(args: &ModelArgs) -> ExitCode {
    let rules = args.without.iter().fold(Rules::ALL, |rules, rule| rules.without(*rule));
    let bounds = bounds(1, 2, None, Crashes::Plain);
    let report = Group { bounds, rules }.hunt_any(usize::from(args.threads), PATIENCE);
    tell(&report, false, None);
    ExitCode::SUCCESS
}

fn tell(report: &Report, as_expected: bool, hole: Option<&str>) {
    let (states, moves, seconds) = (report.states, report.moves, report.took.as_secs_f64());
    println!("  {states} states, {moves} moves, {seconds:.1} s");
    for (property, path) in &report.holes {
        println!("  not so: {property}, after {} moves", path.len());
        if !as_expected || hole == Some(*property) {
            path.iter().for_each(|step| println!("    {step:?}"));
        }
    }
    for property in report.unreached.iter().filter(|_| hole.is_none()) {
        println!("  never reached: {property}");
    }
}
