//! The house tools: benchmarks beside the reference, and proofs with real processes.

mod bench;
mod binary;
mod ci;
mod disk;
mod model;
mod mutants;
mod prove;
mod say;
mod sim;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The simulator allocates small things all the time: a faster allocator is a faster simulator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The house tools", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Test(ci::TestArgs),
    /// Measure beside the reference.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Run the full counts of the issue with real processes and print a table.
    Prove(prove::ProveArgs),
    /// Run seeds through the simulator.
    Sim(sim::SimArgs),
    /// Explore the agreement exhaustively, and show the hole in the reference's.
    Model(model::ModelArgs),
    /// Plant bugs in the core, one at a time, and show in how many seeds each is found.
    Mutants(mutants::MutantsArgs),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Test(args) => ci::run(&args),
        Task::Bench(bench) => bench::run(&bench),
        Task::Prove(args) => prove::run(&args),
        Task::Sim(args) => Ok(sim::run(&args)),
        Task::Model(args) => Ok(model::run(&args)),
        Task::Mutants(args) => mutants::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
