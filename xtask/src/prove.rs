//! `cargo xtask prove`: the full counts with real processes.

mod clients;
mod rolling;
mod swap;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rand::Rng as _;
use vedette::lab::{DataServer, Fault, Lab, Template, check_votes, programs, saved_leader_epoch};

use crate::bench::{Outcome, Setup, Team};
use crate::{binary, disk};

/// What the issue asks for.
const RANDOM_KILLS: usize = 50;
const SHORT_KILLS: usize = 10;
const ELECTION_KILLS: usize = 100;
/// Split elections that may happen in a hundred kills.
const SPLITS_ALLOWED: usize = 1;
/// Longer than a needless second failover takes to come.
const AFTERMATH: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
pub(crate) struct ProveArgs {
    /// A tenth of each count.
    #[arg(long)]
    quick: bool,
    #[command(subcommand)]
    only: Option<Only>,
}

/// Something that is proved by itself; without one, failovers and elections are.
#[derive(Debug, clap::Subcommand)]
enum Only {
    /// Clients of other makes through failovers, beside redis-sentinel.
    Clients,
    /// Replace redis-sentinel under load, one by one, and go back.
    Rolling,
    /// Stop a group of the reference, start Vedette on its files, fail over, and go back.
    Swap,
}

/// One line of the table.
struct Finding {
    what: String,
    found: String,
    is_good: bool,
}

struct Proof {
    vedette: Template,
    server: PathBuf,
    parent: PathBuf,
    /// Counts are divided by it.
    divisor: usize,
}

pub(crate) fn run(args: &ProveArgs) -> anyhow::Result<ExitCode> {
    let server = programs::any_server().context("no redis-server or valkey-server")?;
    let proof = Proof {
        vedette: Template::vedette(&binary::vedette()?),
        server,
        parent: disk::folder()?,
        divisor: if args.quick { 10 } else { 1 },
    };
    match args.only {
        Some(Only::Clients) => return clients::prove(&proof),
        Some(Only::Rolling) => return rolling::prove(&proof),
        Some(Only::Swap) => return swap::prove(&proof),
        None => {}
    }
    let mut findings = vec![proof.random_kills()?];
    for down_after_ms in [850, 900] {
        findings.push(proof.short_down_after(down_after_ms)?);
    }
    for sentinels in [3, 5] {
        findings.push(proof.elections(sentinels)?);
    }
    println!();
    for Finding { what, found, is_good } in &findings {
        println!("{:6} {what:66} {found}", if *is_good { "good" } else { "BAD" });
    }
    let is_good = findings.iter().all(|finding| finding.is_good);
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Proof {
    fn setup(&self, sentinels: usize, down_after_ms: u64) -> Setup {
        Setup {
            server: DataServer::Program(self.server.clone()),
            sentinels,
            down_after_ms,
            failover_timeout_ms: 60_000,
            fault: Fault::Kill,
        }
    }

    fn team(&self, setup: &Setup) -> anyhow::Result<Team> {
        Team::start("vedette", self.vedette.clone(), setup, &self.parent)
    }

    fn count(&self, full: usize) -> usize {
        full.div_ceil(self.divisor)
    }

    /// Failovers during which a Sentinel dies and returns.
    fn random_kills(&self) -> anyhow::Result<Finding> {
        let count = self.count(RANDOM_KILLS);
        // When a leader dies before it has repointed the replicas, the others do so after this.
        let setup = Setup { failover_timeout_ms: 10_000, ..self.setup(3, 1000) };
        let mut team = self.team(&setup)?;
        let mut epochs = vec![0; team.lab.sentinels.len()];
        for number in 1..=count {
            let victim = rand::rng().random_range(0..epochs.len());
            let moment = Duration::from_millis(rand::rng().random_range(950..1100));
            let epoch = fail_over_and_kill(&mut team.lab, victim, moment)?;
            ensure!(epoch >= epochs[victim], "{epoch} was saved after {}", epochs[victim]);
            epochs[victim] = epoch;
            eprintln!("random kills: {number} of {count}, Sentinel {victim} after {moment:?}");
        }
        let contradiction = check_votes(&team.lab).err();
        Ok(Finding {
            what: format!("{count} failovers with a Sentinel killed -9 at a random moment"),
            is_good: contradiction.is_none(),
            found: contradiction
                .map_or_else(|| "no vote contradicted".to_owned(), |error| error.to_string()),
        })
    }

    /// The settings under which the reference fails over twice.
    fn short_down_after(&self, down_after_ms: u64) -> anyhow::Result<Finding> {
        let count = self.count(SHORT_KILLS);
        let mut team = self.team(&self.setup(3, down_after_ms))?;
        for number in 1..=count {
            team.run()?;
            std::thread::sleep(AFTERMATH);
            eprintln!("down-after {down_after_ms}: {number} of {count}");
        }
        let switches = most_switches(&team.lab);
        Ok(Finding {
            what: format!("{count} kills with down-after {down_after_ms} ms"),
            found: format!("{} second failovers", switches - count),
            is_good: switches == count,
        })
    }

    fn elections(&self, sentinels: usize) -> anyhow::Result<Finding> {
        let count = self.count(ELECTION_KILLS);
        let mut team = self.team(&self.setup(sentinels, 1000))?;
        let mut slowest = Duration::ZERO;
        for number in 1..=count {
            let Outcome { epochs, last_switch, .. } = *team.run()?;
            slowest = slowest.max(last_switch);
            eprintln!("{sentinels} Sentinels: {number} of {count}, {epochs} epochs");
        }
        let splits = team.outcomes.iter().filter(|run| run.epochs > 1).count();
        Ok(Finding {
            what: format!("{count} kills with {sentinels} Sentinels at quorum 2"),
            found: format!(
                "{splits} split elections, last switch at most {} ms after the kill",
                slowest.as_millis()
            ),
            is_good: splits <= SPLITS_ALLOWED,
        })
    }
}

/// Kills the master and, `moment` later, a Sentinel; both come back. The vote epoch which that
/// Sentinel had saved when it died.
fn fail_over_and_kill(lab: &mut Lab, victim: usize, moment: Duration) -> anyhow::Result<u64> {
    let name = lab.name().to_owned();
    let old = lab.agreed_master(&name).context("no agreed master")?;
    lab.shards[0].node(old).process().kill();
    std::thread::sleep(moment);
    lab.kill_sentinel(victim);
    let epoch = saved_leader_epoch(&lab.sentinels[victim], &name)?;
    lab.sentinels[victim].restart()?;
    lab.sentinels[victim].wait_until_ready()?;
    let new = lab.wait_for_switch_from(&name, old)?;
    lab.shards[0].node(old).restart_as_replica_of(new)?;
    lab.wait_until_following(0, new)?;
    lab.wait_until_settled()?;
    Ok(epoch)
}

/// Switches announced by the Sentinel that announced most.
fn most_switches(lab: &Lab) -> usize {
    let events = lab.events.since(0);
    let of = |sentinel| {
        let is_switch = |event: &&vedette::lab::Event| {
            event.sentinel == sentinel && event.is("+switch-master", lab.name())
        };
        events.iter().filter(is_switch).count()
    };
    (0..lab.sentinels.len()).map(of).max().unwrap_or(0)
}
