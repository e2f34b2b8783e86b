//! Vedette: a Sentinel for Redis and Valkey.
//!
//! Called as `redis-sentinel` or `valkey-sentinel` it is that program, word for word
//! ([`reference_cli`]); called by its own name it has subcommands, and everything else is a
//! configuration file to run with ([`cli`]).

mod check;
mod cli;
mod daemon;
mod demo;
mod heap;
mod node;
mod reference_cli;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};

fn main() -> ExitCode {
    heap::keep_one();
    let words: Vec<OsString> = std::env::args_os().collect();
    if let Some(dialect) = reference_cli::meant(&words) {
        return reference_cli::run(&words[1..], dialect);
    }
    match Cli::parse_from(words).command {
        Command::Demo(args) => report(demo::run(args)),
        Command::Check(args) => report(check::run(args)),
        Command::Node(args) => report(node::run(args)),
        Command::Daemon(words) => daemon::run(&words),
    }
}

/// Says what went wrong, if something did.
fn report(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("vedette: {error:#}");
        ExitCode::FAILURE
    })
}
