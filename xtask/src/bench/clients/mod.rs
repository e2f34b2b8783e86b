//! `cargo xtask bench clients`: what clients get from a Sentinel, and what that costs it.

mod scanner;

mod lines;

mod load;

mod queries;

mod pubsub;

mod storm;

mod failover;

mod table;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Resource, getrlimit, setrlimit};
use vedette::lab::Template;

use super::fleet::{Fleet, Size};
use crate::{binary, disk};

#[derive(Debug, clap::Args)]
pub(crate) struct ClientsArgs {
    /// Only these parts, with commas between them.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PARTS")]
    only: Vec<Part>,
    /// The other implementation.
    #[arg(long, value_name = "COMMAND", default_value = "redis-server {conf} --sentinel")]
    against: String,
    /// Measure Vedette alone.
    #[arg(long)]
    alone: bool,
    /// How often each is measured.
    #[arg(long, default_value_t = 3, value_name = "N")]
    runs: usize,
    /// How long each load lasts.
    #[arg(long, default_value_t = 5, value_name = "S")]
    seconds: u64,
    /// Connections that ask for an address.
    #[arg(long, default_value_t = 50, value_name = "N")]
    connections: usize,
    /// Questions per second where their pace is fixed.
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    rate: u32,
    /// Masters of the listing, and of the mass failover.
    #[arg(long, default_value_t = 500, value_name = "N")]
    masters: usize,
    /// Connections that ask for the listing.
    #[arg(long, default_value_t = 20, value_name = "N")]
    listing_connections: usize,
    /// Subscribers.
    #[arg(long, default_value_t = 5000, value_name = "N")]
    subscribers: usize,
    /// Single events, and bursts of them.
    #[arg(long, default_value_t = 10, value_name = "N")]
    rounds: usize,
    /// Clients of the storm, and of the mass failover with the subscribers among them.
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    clients: usize,
    /// down-after-milliseconds of the mass failover.
    #[arg(long, default_value_t = 3000, value_name = "MS")]
    down_after: u64,
    /// How long to wait until all is known, and until all have failed over.
    #[arg(long, default_value_t = 60, value_name = "S")]
    patience: u64,
    /// The port of the first node; the others follow. Above the ports of outgoing connections.
    #[arg(long, default_value_t = 61_000, value_name = "PORT")]
    first_port: u16,
    /// Let each load last so long, and say which process to look at with a profiler.
    #[arg(long, value_name = "S")]
    profile: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// GET-MASTER-ADDR-BY-NAME, as fast as it goes and at a fixed pace.
    Queries,
    /// SENTINEL MASTERS of many masters.
    Masters,
    /// Events to many subscribers.
    Pubsub,
    /// Everybody connects at once.
    Storm,
    /// Everybody is connected, and all masters die.
    Failover,
}

type Measure = fn(&ClientsArgs, &Stage<'_>) -> anyhow::Result<Findings>;

const PARTS: [(Part, &str, Measure); 5] = [
    (Part::Queries, "questions for an address", queries::addresses),
    (Part::Masters, "listings of all masters", queries::listings),
    (Part::Pubsub, "events to subscribers", pubsub::fan_out),
    (Part::Storm, "a storm of connections", storm::storm),
    (Part::Failover, "a mass failover under load", failover::under_failover),
];

impl ClientsArgs {
    fn span(&self) -> Duration {
        Duration::from_secs(self.profile.unwrap_or(self.seconds))
    }
}

/// Figures with their labels, in the order of the table.
#[derive(Clone, Debug, Default)]
struct Findings(Vec<(&'static str, f64)>);

impl Findings {
    fn add(&mut self, label: &'static str, value: f64) {
        self.0.push((label, value));
    }
}

/// Where one implementation is measured.
struct Stage<'a> {
    template: &'a Template,
    /// The program whose nodes are monitored.
    vedette: &'a Path,
    parent: &'a Path,
    patience: Duration,
    is_profiled: bool,
}

impl Stage<'_> {
    /// One Sentinel that knows so many quiet masters.
    fn fleet(&self, args: &ClientsArgs, masters: usize) -> anyhow::Result<Fleet> {
        let fleet = self.start(Size {
            masters,
            replicas: 0,
            sentinels: 1,
            down_after_ms: 30_000,
            failover_timeout_ms: 60_000,
            first_port: args.first_port,
            more_lines: vec![format!("maxclients {}", args.clients)],
        })?;
        fleet.wait_until_ready(self.patience).context("the Sentinel does not see its masters")?;
        Ok(fleet)
    }

    fn start(&self, size: Size) -> anyhow::Result<Fleet> {
        Fleet::start(size, self.template, self.vedette, self.parent)
    }

    /// The port and the process of the first one.
    fn sentinel(&self, fleet: &mut Fleet) -> (u16, u32) {
        let sentinel = &mut fleet.sentinels[0];
        let (port, pid) = (sentinel.port(), sentinel.process().pid());
        if self.is_profiled {
            eprintln!("    the Sentinel is {pid}: perf record -g -p {pid}");
        }
        (port, pid)
    }
}

pub(crate) fn run(args: &ClientsArgs) -> anyhow::Result<ExitCode> {
    raise_open_files_limit();
    if cfg!(debug_assertions) {
        eprintln!("this load is not optimised and may be the limit: cargo run --release -p xtask");
    }
    let vedette = binary::vedette()?;
    let parent = disk::folder()?;
    let mut teams = vec![("vedette", Template::vedette(&vedette))];
    if !args.alone {
        teams.push(("reference", Template::parse(&args.against)?));
    }
    let mut findings: Vec<(&str, Vec<Findings>)> =
        teams.iter().map(|(name, _)| (*name, vec![Findings::default(); args.runs])).collect();
    let mut is_whole = true;
    let is_wanted = |part: &Part| args.only.is_empty() || args.only.contains(part);
    for (_, what, measure) in PARTS.iter().filter(|(part, ..)| is_wanted(part)) {
        for run in 0..args.runs {
            for ((name, template), (_, findings)) in teams.iter().zip(&mut findings) {
                eprintln!("{what}: {name}, run {} of {}", run + 1, args.runs);
                let stage = Stage {
                    template,
                    vedette: &vedette,
                    parent: &parent,
                    patience: Duration::from_secs(args.patience),
                    is_profiled: args.profile.is_some(),
                };
                // Its rows stay empty: that many clients are more than some can bear.
                let Ok(found) = measure(args, &stage)
                    .inspect_err(|error| eprintln!("    no figures: {what}: {name}: {error:#}"))
                else {
                    is_whole = false;
                    continue;
                };
                let shown =
                    found.0.iter().map(|(label, value)| format!("{} {value:.3}", label.trim()));
                eprintln!("    {}", shown.collect::<Vec<_>>().join("; "));
                findings[run].0.extend(found.0);
            }
        }
    }
    table::print(&findings);
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Ten thousand sockets here and as many there; Sentinels and nodes inherit the limit.
fn raise_open_files_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Without it a run with many clients fails with a clear error at the first socket too many.
    let _ = setrlimit(Resource::Nofile, limit);
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
