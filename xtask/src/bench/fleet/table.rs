//! The table at the end.

use std::time::Duration;

use super::{Findings, FleetArgs};

/// One row per figure, one column per implementation; medians over the runs.
pub(super) fn print(args: &FleetArgs, teams: &[(&str, &[Findings])]) {
    println!(
        "{} masters, {} replicas each, {} Sentinels, down-after {} ms, medians of {} runs",
        args.masters, args.replicas, args.sentinels, args.down_after, args.runs
    );
    let names: Vec<String> = teams.iter().map(|(name, _)| (*name).to_owned()).collect();
    line("", &names);
    let number = |label: &str, of: fn(&Findings) -> f64| {
        let value = |findings: &[Findings]| median(findings.iter().map(of).collect());
        let values = teams.iter().map(|(_, findings)| value(findings));
        line(label, &values.map(|value| format!("{value:.1}")).collect::<Vec<_>>());
    };
    let time = |label: &str, of: fn(&Findings) -> Option<Duration>| {
        let seconds = |found: &Findings| of(found).map_or(f64::INFINITY, |time| time.as_secs_f64());
        let value = |findings: &[Findings]| median(findings.iter().map(seconds).collect());
        let values = teams.iter().map(|(_, findings)| value(findings));
        let shown = |value: f64| match value.is_finite() {
            true => format!("{value:.3}"),
            false => format!("not in {}", args.patience),
        };
        line(label, &values.map(shown).collect::<Vec<_>>());
    };
    time("ready after, s", |found| found.ready);
    number("CPU per Sentinel, % of a core", |found| found.cpu_percent);
    number("resident memory, MiB", |found| found.resident_mib);
    number("commands to all nodes per second", |found| found.commands_per_second);
    println!("seconds beyond down-after:");
    time("one dies: last Sentinel switched", |found| found.alone);
    time("all others die: first master", |found| found.all.first);
    time("  median master", |found| found.all.median);
    time("  last master, first Sentinel", |found| found.all.last);
    time("  last Sentinel agrees", |found| found.all.agreed);
    number("masters still dead", |found| found.all.dead as f64);
}

fn line(label: &str, values: &[String]) {
    let values: Vec<String> = values.iter().map(|value| format!("{value:>12}")).collect();
    println!("{label:34} {}", values.join(" "));
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
