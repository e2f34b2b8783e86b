//! `vedette demo`: a real failover before one's eyes.

mod screen;

mod story;

mod show;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use vedette::lab::{DataServer, Fault, GroupSpec, Template, programs};

/// Watch a real failover: a group of our own, broken before your eyes.
///
/// Starts one master, two replicas, three Sentinels (this very program) and a client that writes
/// all the time, on free ports of loopback and in a temporary folder. Breaks the master after a few
/// seconds and shows on one time line what every Sentinel said, when each of them switched, how
/// long the client could not write, and how the old master came back as a replica. Nothing is left
/// running afterwards, also after Ctrl-C.
///
/// The data nodes are redis-server or valkey-server if one is found, and model nodes otherwise.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// What happens to the master: kill (kill -9), hang (SIGSTOP) or failover (SENTINEL FAILOVER).
    #[arg(long, default_value = "kill", value_name = "FAULT")]
    pub(crate) fault: Fault,
    /// The data nodes' program.
    #[arg(long, value_name = "PATH")]
    pub(crate) server: Option<PathBuf>,
    /// Use model nodes even if a real server is found.
    #[arg(long, conflicts_with = "server")]
    pub(crate) model: bool,
    /// down-after-milliseconds: for how long a master is silent before it is called down.
    #[arg(long, default_value_t = 1000, value_name = "MS")]
    pub(crate) down_after: u64,
    /// Keep the group up afterwards, for redis-cli, until Ctrl-C.
    #[arg(long)]
    pub(crate) keep: bool,
}

/// Shows it.
///
/// # Errors
///
/// Something could not be started, or the group did not fail over.
pub(crate) fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    match show::run(&args) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // The reader of a pipe has seen enough.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn group(args: &DemoArgs) -> anyhow::Result<GroupSpec> {
    let program = std::env::current_exe().context("cannot find this program")?;
    let server = match args.server.clone().or_else(programs::any_server) {
        Some(server) if !args.model => DataServer::Program(server),
        Some(_) | None => DataServer::Model(program.clone()),
    };
    let mut spec = GroupSpec::new(server, vec![Template::vedette(&program); 3]);
    spec.down_after_ms = args.down_after;
    Ok(spec)
}
