//! `cargo xtask bench failover`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use vedette::lab::{DataServer, Fault, Template, programs};

use super::{Outcome, Setup, Summary, Team, table};
use crate::{binary, disk};

#[derive(Debug, clap::Args)]
pub(crate) struct FailoverArgs {
    /// The other implementation; repeat for more; none with "".
    #[arg(long, value_name = "COMMAND", default_value = "redis-server {conf} --sentinel")]
    against: Vec<String>,
    /// Also groups of two Sentinels of ours and one of this command, and of one and two.
    #[arg(long, value_name = "COMMAND")]
    mixed: Vec<String>,
    /// What happens to the master: kill, hang or failover.
    #[arg(long, default_value = "kill")]
    fault: Fault,
    /// Failovers of each implementation.
    #[arg(long, default_value_t = 20, value_name = "N")]
    runs: usize,
    /// Sentinels of each group; the quorum is 2.
    #[arg(long, default_value_t = 3, value_name = "N")]
    sentinels: usize,
    /// down-after-milliseconds.
    #[arg(long, default_value_t = 1000, value_name = "MS")]
    down_after: u64,
    /// failover-timeout; a reference that loses an election waits twice as long.
    #[arg(long, default_value_t = 60_000, value_name = "MS")]
    failover_timeout: u64,
    /// The data nodes' program; the system's redis-server if not given.
    #[arg(long, value_name = "PATH")]
    server: Option<std::path::PathBuf>,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &FailoverArgs) -> anyhow::Result<ExitCode> {
    let server = args.server.clone().or_else(programs::any_server);
    let server = server.context("no redis-server or valkey-server; try --server PATH")?;
    let setup = Setup {
        server: DataServer::Program(server),
        sentinels: args.sentinels,
        down_after_ms: args.down_after,
        failover_timeout_ms: args.failover_timeout,
        fault: args.fault,
    };
    let parent = disk::folder()?;
    let vedette = binary::vedette()?;
    let mut teams = vec![Team::start("vedette", Template::vedette(&vedette), &setup, &parent)?];
    for line in args.against.iter().filter(|line| !line.is_empty()) {
        teams.push(Team::start(short_name(line), Template::parse(line)?, &setup, &parent)?);
    }
    for line in &args.mixed {
        let (ours, theirs) = (Template::vedette(&vedette), Template::parse(line)?);
        let two_and_one = vec![ours.clone(), theirs.clone(), ours.clone()];
        let one_and_two = vec![theirs.clone(), ours, theirs];
        teams.push(Team::start_mixed("2 + 1", two_and_one, &setup, &parent)?);
        teams.push(Team::start_mixed("1 + 2", one_and_two, &setup, &parent)?);
    }
    for run in 1..=args.runs {
        for team in &mut teams {
            let name = team.name.clone();
            let outcome = team.run()?;
            eprintln!("run {run:>3} of {}  {name:>16}  {}", args.runs, describe(outcome));
        }
    }
    let commit = disk::median_commit(&parent)?;
    let down_after = args.fault.is_noticed().then_some(Duration::from_millis(args.down_after));
    let summaries: Vec<_> = teams.iter().map(|team| Summary::new(team, down_after)).collect();
    if args.json {
        println!("{:#}", as_json(args, commit, &summaries));
    } else {
        print_table(args, &setup, commit, &summaries);
    }
    Ok(ExitCode::SUCCESS)
}

/// The program's file name.
fn short_name(line: &str) -> &str {
    let program = line.split(' ').next().unwrap_or_default();
    program.rsplit('/').next().unwrap_or_default()
}

fn describe(outcome: &Outcome) -> String {
    let ms = |time: Duration| format!("{:.0}", time.as_secs_f64() * 1e3);
    let odown = outcome.odown.map_or_else(|| "-".to_owned(), ms);
    let old = outcome.old_writable.map(|time| format!("  old writable {}", ms(time)));
    format!(
        "odown {odown:>5}  write {:>5}  switched {:>5} to {:>5}  in sync {:>5} ms{}{}{}",
        ms(outcome.write),
        ms(outcome.first_switch),
        ms(outcome.last_switch),
        ms(outcome.in_sync),
        old.unwrap_or_default(),
        if outcome.epochs > 1 { format!("  {} epochs", outcome.epochs) } else { String::new() },
        if outcome.switches > 1 { "  SECOND FAILOVER" } else { "" },
    )
}

fn print_table(args: &FailoverArgs, setup: &Setup, commit: Duration, summaries: &[Summary<'_>]) {
    let fault = match args.fault {
        Fault::Kill => "kill -9 of the master",
        Fault::Hang => "SIGSTOP of the master",
        Fault::Failover => "SENTINEL FAILOVER",
    };
    let beyond = if args.fault.is_noticed() {
        format!("; times beyond down-after {} ms", args.down_after)
    } else {
        "; times since the command".to_owned()
    };
    println!("{fault}, {} Sentinels, {} runs each{beyond}", args.sentinels, args.runs);
    println!("data nodes: {}", setup.server.describe());
    println!("a commit (file, fsync, rename, fsync): {:.1} ms in the median\n", ms(commit));
    table::print(summaries);
}

fn as_json(args: &FailoverArgs, commit: Duration, summaries: &[Summary<'_>]) -> serde_json::Value {
    json!({
        "fault": args.fault.to_string(),
        "sentinels": args.sentinels,
        "down_after_ms": args.down_after,
        "times_are_beyond_down_after": args.fault.is_noticed(),
        "median_commit_ms": ms(commit),
        "results": summaries.iter().map(Summary::json).collect::<Vec<_>>(),
    })
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
