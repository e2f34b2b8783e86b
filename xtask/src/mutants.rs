//! `cargo xtask mutants`: the simulator against planted bugs, or without one rule. They need a
//! build of their own, so that no other build ever contains them.

use std::process::{Command, ExitCode};

use clap::Args;

/// Which bugs.
#[derive(Args, Clone, Debug)]
pub(crate) struct MutantsArgs {
    /// Turn rules of agreement off instead of planting bugs.
    #[arg(long)]
    rules: bool,
    /// What must be found must be found at the seed that is known to find it; nothing else runs.
    #[arg(long, conflicts_with_all = ["rules", "names"])]
    ci: bool,
    /// Only these, and how many seeds at most; all if none is named.
    names: Vec<String>,
}

/// Builds with the bugs and hunts them.
pub(crate) fn run(args: &MutantsArgs) -> anyhow::Result<ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--quiet", "--profile", "sim", "--package", "vedette-sim"])
        .args(["--features", "mutants", "--example", "mutants", "--"])
        .args(args.rules.then_some("--rules"))
        .args(args.ci.then_some("--ci"))
        .args(&args.names)
        .status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
