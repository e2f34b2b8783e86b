//! `cargo xtask mutants`: the simulator against planted bugs. They need a build of their own, so
//! that no other build ever contains them.

use std::process::{Command, ExitCode};

use clap::Args;

/// Which bugs.
#[derive(Args, Clone, Debug)]
pub(crate) struct MutantsArgs {
    /// Only these; all if none is named.
    names: Vec<String>,
}

/// Builds with the bugs and hunts them.
pub(crate) fn run(args: &MutantsArgs) -> anyhow::Result<ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--quiet", "--profile", "sim", "--package", "vedette-sim"])
        .args(["--features", "mutants", "--example", "mutants", "--"])
        .args(&args.names)
        .status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
