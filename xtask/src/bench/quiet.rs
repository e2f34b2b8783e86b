//! `cargo xtask bench quiet`: what a Sentinel costs while nothing happens.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::json;
use vedette::lab::{DataServer, Fault, Template, programs};

use super::usage::{cpu_time, resident_mib};
use super::{Setup, Team};
use crate::{binary, disk};

#[derive(Debug, clap::Args)]
pub(crate) struct QuietArgs {
    /// The other implementation.
    #[arg(long, value_name = "COMMAND", default_value = "redis-server {conf} --sentinel")]
    against: String,
    /// How long to look.
    #[arg(long, default_value_t = 30, value_name = "S")]
    seconds: u64,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

/// What one process used.
struct Cost {
    cpu_percent: f64,
    resident_mib: f64,
}

pub(crate) fn run(args: &QuietArgs) -> anyhow::Result<ExitCode> {
    let server = programs::any_server().context("no redis-server or valkey-server")?;
    let setup = Setup {
        server: DataServer::Program(server),
        sentinels: 3,
        down_after_ms: 30_000,
        failover_timeout_ms: 180_000,
        fault: Fault::Kill,
    };
    let parent = disk::folder()?;
    let ours = Template::vedette(&binary::vedette()?);
    let mut teams = [
        Team::start("vedette", ours, &setup, &parent)?,
        Team::start("reference", Template::parse(&args.against)?, &setup, &parent)?,
    ];
    eprintln!("looking for {} s...", args.seconds);
    let pids: Vec<u32> =
        teams.iter_mut().map(|team| team.lab.sentinels[0].process().pid()).collect();
    let costs = costs(&pids, Duration::from_secs(args.seconds))?;
    if args.json {
        let entry = |(team, cost): (&Team, &Cost)| {
            json!({
                "implementation": team.name,
                "cpu_percent": cost.cpu_percent,
                "resident_mib": cost.resident_mib,
            })
        };
        let entries: Vec<_> = teams.iter().zip(&costs).map(entry).collect();
        println!("{:#}", json!(entries));
        return Ok(ExitCode::SUCCESS);
    }
    println!("one Sentinel of three, one master, two replicas, down-after 30 s");
    println!("{:12} {:>14} {:>14}", "", "% of a core", "MiB resident");
    for (team, cost) in teams.iter().zip(&costs) {
        println!("{:12} {:>14.3} {:>14.1}", team.name, cost.cpu_percent, cost.resident_mib);
    }
    Ok(ExitCode::SUCCESS)
}

fn costs(pids: &[u32], span: Duration) -> anyhow::Result<Vec<Cost>> {
    let begin = Instant::now();
    let before = pids.iter().map(|&pid| cpu_time(pid)).collect::<Result<Vec<_>, _>>()?;
    std::thread::sleep(span);
    let elapsed = begin.elapsed();
    let cost = |(&pid, before): (&u32, Duration)| {
        let used = cpu_time(pid)?.saturating_sub(before);
        Ok(Cost {
            cpu_percent: 100.0 * used.as_secs_f64() / elapsed.as_secs_f64(),
            resident_mib: resident_mib(pid)?,
        })
    };
    pids.iter().zip(before).map(cost).collect()
}
