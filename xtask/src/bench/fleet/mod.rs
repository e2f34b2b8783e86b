//! `cargo xtask bench fleet`: many masters under one group of Sentinels.

mod group;
pub(super) use group::{Fleet, Size};

mod switches;
pub(super) use switches::{Spread, Switches};

mod table;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use vedette::lab::Template;

use super::usage::{cpu_time, resident_mib};
use crate::{binary, disk};

#[derive(Debug, clap::Args)]
pub(crate) struct FleetArgs {
    /// Masters.
    #[arg(long, default_value_t = 500, value_name = "N")]
    masters: usize,
    /// Replicas of each master.
    #[arg(long, default_value_t = 1, value_name = "R")]
    replicas: usize,
    /// Sentinels that watch them all.
    #[arg(long, default_value_t = 3, value_name = "N")]
    sentinels: usize,
    /// The other implementation.
    #[arg(long, value_name = "COMMAND", default_value = "redis-server {conf} --sentinel")]
    against: String,
    /// Measure Vedette alone.
    #[arg(long)]
    alone: bool,
    /// How often each is measured.
    #[arg(long, default_value_t = 1, value_name = "N")]
    runs: usize,
    /// How long to look at what a quiet fleet costs.
    #[arg(long, default_value_t = 20, value_name = "S")]
    seconds: u64,
    /// How long to wait until all is known, and again until all have failed over.
    #[arg(long, default_value_t = 60, value_name = "S")]
    patience: u64,
    #[arg(long, default_value_t = 3000, value_name = "MS")]
    down_after: u64,
    #[arg(long, default_value_t = 60_000, value_name = "MS")]
    failover_timeout: u64,
    /// The port of the first node; the others follow. Above the ports of outgoing connections.
    #[arg(long, default_value_t = 61_000, value_name = "PORT")]
    first_port: u16,
    /// Hold the quiet fleet so long, and say which processes to look at with a profiler.
    #[arg(long, value_name = "S")]
    profile: Option<u64>,
}

/// What was seen of one fleet.
#[derive(Clone, Debug)]
struct Findings {
    /// None: not within the patience.
    ready: Option<Duration>,
    cpu_percent: f64,
    resident_mib: f64,
    commands_per_second: f64,
    /// One master that died among quiet ones: its last Sentinel.
    alone: Option<Duration>,
    all: Spread,
}

pub(crate) fn run(args: &FleetArgs) -> anyhow::Result<ExitCode> {
    let vedette = binary::vedette()?;
    let parent = disk::folder()?;
    let mut teams = vec![("vedette", Template::vedette(&vedette), Vec::new())];
    if !args.alone {
        teams.push(("reference", Template::parse(&args.against)?, Vec::new()));
    }
    for run in 1..=args.runs {
        for (name, template, findings) in &mut teams {
            eprintln!("{name}, run {run} of {}:", args.runs);
            findings.push(measure(args, template, &vedette, &parent)?);
        }
    }
    let rows: Vec<_> = teams.iter().map(|(name, _, findings)| (*name, &findings[..])).collect();
    table::print(args, &rows);
    Ok(ExitCode::SUCCESS)
}

fn measure(
    args: &FleetArgs,
    template: &Template,
    vedette: &Path,
    parent: &Path,
) -> anyhow::Result<Findings> {
    let size = Size {
        masters: args.masters,
        replicas: args.replicas,
        sentinels: args.sentinels,
        down_after_ms: args.down_after,
        failover_timeout_ms: args.failover_timeout,
        first_port: args.first_port,
        more_lines: Vec::new(),
    };
    let patience = Duration::from_secs(args.patience);
    let down_after = Duration::from_millis(args.down_after);
    eprintln!("  starting {} masters with {} replicas each...", size.masters, size.replicas);
    let mut fleet = Fleet::start(size, template, vedette, parent)?;
    let ready = fleet.wait_until_ready(patience);
    eprintln!("  ready after {ready:.1?}; looking for {} s...", args.seconds);
    // What start-up leaves behind is no steady cost.
    std::thread::sleep(Duration::from_secs(10));
    let (cpu_percent, resident_mib, commands_per_second) =
        quiet_cost(&mut fleet, Duration::from_secs(args.seconds))?;
    if let Some(seconds) = args.profile {
        let pids: Vec<u32> = fleet.sentinels.iter_mut().map(|s| s.process().pid()).collect();
        eprintln!("  the Sentinels are {pids:?}; waiting {seconds} s...");
        std::thread::sleep(Duration::from_secs(seconds));
    }
    let beyond = |after: Option<Duration>| after.map(|after| after.saturating_sub(down_after));
    eprintln!("  killing one master...");
    let switches = Switches::watch(&fleet.sentinels)?;
    let from = fleet.kill(0..1)?;
    let alone = beyond(switches.wait((1, args.sentinels), from, patience).agreed);
    eprintln!("  killing the others...");
    let switches = Switches::watch(&fleet.sentinels)?;
    let from = fleet.kill(1..args.masters)?;
    let all = switches.wait((args.masters - 1, args.sentinels), from, patience);
    eprintln!("  {} of {} switches", switches.len(), (args.masters - 1) * args.sentinels);
    let all = Spread {
        first: beyond(all.first),
        median: beyond(all.median),
        last: beyond(all.last),
        agreed: beyond(all.agreed),
        dead: all.dead,
    };
    Ok(Findings { ready, cpu_percent, resident_mib, commands_per_second, alone, all })
}

/// Percent of a core and MiB for each Sentinel, and commands to the nodes per second in all.
fn quiet_cost(fleet: &mut Fleet, span: Duration) -> anyhow::Result<(f64, f64, f64)> {
    let pids: Vec<u32> = fleet.sentinels.iter_mut().map(|s| s.process().pid()).collect();
    let used = || pids.iter().map(|&pid| cpu_time(pid)).sum::<anyhow::Result<Duration>>();
    let (begin, cpu_before, commands_before) = (Instant::now(), used()?, fleet.commands()?);
    std::thread::sleep(span);
    let elapsed = begin.elapsed().as_secs_f64();
    let count = pids.len() as f64;
    let cpu = (used()? - cpu_before).as_secs_f64() / elapsed / count;
    let commands = (fleet.commands()? - commands_before) as f64 / elapsed;
    let memory = pids.iter().map(|&pid| resident_mib(pid)).sum::<anyhow::Result<f64>>()?;
    Ok((cpu * 100.0, memory / count, commands))
}
