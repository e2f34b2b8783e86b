//! The command line of `redis-sentinel` and `valkey-sentinel` (spec: interface 7).

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use vedette_wire::replies::info::REDIS_VERSION;

/// Names that make this program act as the reference.
const NAMES: [&str; 2] = ["redis-sentinel", "valkey-sentinel"];

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

/// Whether the program was called by one of the reference's names.
pub(crate) fn is_meant(words: &[OsString]) -> bool {
    let name = words.first().and_then(|path| Path::new(path).file_name());
    let name = name.unwrap_or_default().to_string_lossy();
    NAMES.iter().any(|reference| name.contains(reference))
}

/// Acts as the reference with the words after the program's name.
pub(crate) fn run(words: &[OsString]) -> ExitCode {
    match words.first().and_then(|word| word.to_str()) {
        Some("-v" | "--version") => {
            println!("{}", version_line());
            ExitCode::SUCCESS
        }
        Some("-h" | "--help") => {
            eprint!("{USAGE}");
            ExitCode::FAILURE
        }
        Some(_) | None => crate::daemon::run(words),
    }
}

/// What scripts that parse the reference's version expect.
fn version_line() -> String {
    format!(
        "Redis server v={REDIS_VERSION} sha=00000000:0 malloc=libc bits={} build=vedette-{}",
        usize::BITS,
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_name_decides() {
        for name in ["redis-sentinel", "/usr/bin/valkey-sentinel", "x-redis-sentinel-7"] {
            assert!(is_meant(&[name.into()]), "{name}");
        }
        for name in ["vedette", "/redis-sentinel/vedette"] {
            assert!(!is_meant(&[name.into()]), "{name}");
        }
        assert!(!is_meant(&[]));
    }
}
