//! The command line of `redis-sentinel` and `valkey-sentinel` (spec: interface 7).

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use vedette_wire::Dialect;

const USAGE: &str = "\
Usage: redis-sentinel /path/to/sentinel.conf [options] [-]
       redis-sentinel -v or --version
       redis-sentinel -h or --help

Examples:
       redis-sentinel /etc/redis/sentinel.conf
       redis-sentinel /etc/redis/sentinel.conf --loglevel verbose
       redis-sentinel /etc/redis/sentinel.conf --port 26380 -

This program is Vedette; 'vedette --help' tells what else it can do.
";

/// The reference that the program was called as, if it was.
pub(crate) fn meant(words: &[OsString]) -> Option<Dialect> {
    let name = words.first().and_then(|path| Path::new(path).file_name())?.to_string_lossy();
    Dialect::ALL.into_iter().find(|dialect| name.contains(&program(*dialect)))
}

fn program(dialect: Dialect) -> String {
    format!("{dialect}-sentinel")
}

/// Acts as the reference with the words after the program's name.
pub(crate) fn run(words: &[OsString], dialect: Dialect) -> ExitCode {
    match words.first().and_then(|word| word.to_str()) {
        Some("-v" | "--version") => {
            println!("{}", version_line(dialect));
            ExitCode::SUCCESS
        }
        Some("-h" | "--help") => help(dialect),
        Some(word @ ("--test-memory" | "--check-system")) => {
            eprintln!("{}", no_test_of_the_machine(word, dialect));
            ExitCode::FAILURE
        }
        Some(_) | None => crate::daemon::run_as(words, dialect),
    }
}

/// Valkey's is an answer, Redis's an error.
fn help(dialect: Dialect) -> ExitCode {
    let usage = USAGE.replace("redis", dialect.name());
    match dialect {
        Dialect::Redis => {
            eprint!("{usage}");
            ExitCode::FAILURE
        }
        Dialect::Valkey => {
            print!("{usage}");
            ExitCode::SUCCESS
        }
    }
}

/// These look for what would harm a server that holds data.
fn no_test_of_the_machine(word: &str, dialect: Dialect) -> String {
    format!(
        "{word} tests a machine for a data server, and this is a Sentinel: run \
         '{dialect}-server {word}' there"
    )
}

/// What scripts that parse the reference's version expect.
fn version_line(dialect: Dialect) -> String {
    format!(
        "{} server v={} sha=00000000:0 malloc=libc bits={} build=vedette-{}",
        dialect.product(),
        dialect.version(),
        usize::BITS,
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_name_decides() {
        for name in ["redis-sentinel", "x-redis-sentinel-7"] {
            assert_eq!(meant(&[name.into()]), Some(Dialect::Redis), "{name}");
        }
        assert_eq!(meant(&["/usr/bin/valkey-sentinel".into()]), Some(Dialect::Valkey));
        for name in ["vedette", "/redis-sentinel/vedette"] {
            assert_eq!(meant(&[name.into()]), None, "{name}");
        }
        assert_eq!(meant(&[]), None);
    }
}
