//! `vedette check FILE`: is this configuration good, and is it wise?

mod files;
mod findings;
mod lines;
mod members;
mod permissions;
mod print;
mod remedies;
mod tls;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use vedette_conf::{ConfigError, UserLine};
use vedette_wire::accounts::{Accounts, BadRules, Flaw};

use self::files::CheckedFiles;
use self::findings::{Finding, Severity, findings};

/// Says what is wrong or unwise in a sentinel.conf, line by line, with a remedy. Nothing is changed
/// and nothing is connected to. The exit status is 1 if there are errors, else 0.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// Exit with status 1 on warnings too.
    #[arg(long)]
    strict: bool,
    /// How the findings are printed.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// The configuration file.
    file: PathBuf,
    /// Directives as at start, for instance `--port 26380`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    directives: Vec<OsString>,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people; in colour on a terminal.
    Human,
    /// One JSON object.
    Json,
}

/// Checks, prints and decides on the exit status.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn run(args: CheckArgs) -> anyhow::Result<ExitCode> {
    let directives: Vec<_> = args.directives.into_iter().map(OsString::into_vec).collect();
    let found = check(&args.file, &directives);
    let mut out = io::stdout().lock();
    let text = match args.format {
        Format::Human => {
            let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
            print::human(&args.file, &found, colour)
        }
        Format::Json => print::json(&args.file, &found),
    };
    out.write_all(text.as_bytes()).context("cannot write to standard output")?;
    Ok(if is_good(&found, args.strict) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check(file: &std::path::Path, directives: &[Vec<u8>]) -> Vec<Finding> {
    let files = CheckedFiles::default();
    let mut inspection = vedette_conf::inspect(file, directives, None, &files);
    let users = inspection.loaded.server.users.iter().filter_map(bad_user);
    inspection.errors.extend(users.collect::<Vec<_>>());
    findings(file, &inspection)
}

/// What is wrong with a `user` line; the daemon refuses it at start.
fn bad_user(line: &UserLine) -> Option<ConfigError> {
    let (index, reason) = match Accounts::default().with_line(&line.name, &line.rules).err()? {
        BadRules::Name => (1, "Spaces not allowed in ACL usernames".to_owned()),
        BadRules::Unmatched(index, _) => (index, Flaw::UnknownCommand.to_string()),
        BadRules::Rule(index, _, flaw) => (index, flaw.to_string()),
    };
    Some(line.bad_rule(index, &reason))
}

fn is_good(found: &[Finding], strict: bool) -> bool {
    found.iter().all(|finding| match finding.severity {
        Severity::Error => false,
        Severity::Warning => !strict,
        Severity::Note => true,
    })
}

#[cfg(test)]
mod tests;
