//! `cargo xtask bench`: speed is measured beside the reference in the same run.

mod failover;

mod run;
pub(crate) use run::{Outcome, Setup, Team};

mod sync_watch;

mod table;
pub(crate) use table::Summary;

mod quiet;

mod usage;

mod fleet;

mod clients;

use std::process::ExitCode;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Failovers of real data nodes, alternating the two implementations.
    Failover(failover::FailoverArgs),
    /// What a quiet Sentinel with one master costs.
    Quiet(quiet::QuietArgs),
    /// Many masters: until all is known, what that costs, and all of them dying at once.
    Fleet(fleet::FleetArgs),
    /// Clients: queries, listings, subscribers, a storm of connections, and all under mass failure.
    Clients(clients::ClientsArgs),
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<ExitCode> {
    match bench {
        Bench::Failover(args) => failover::run(args),
        Bench::Quiet(args) => quiet::run(args),
        Bench::Fleet(args) => fleet::run(args),
        Bench::Clients(args) => clients::run(args),
    }
}
