//! The pid file (spec: interface 10.3).

use std::fs;
use std::path::{Path, PathBuf};

use vedette_wire::Dialect;

use crate::log::{Log, os_words};

/// Where a daemon without `pidfile` writes its number.
const fn default_path(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Redis => "/var/run/redis.pid",
        Dialect::Valkey => "/var/run/valkey.pid",
    }
}

/// A pid file, whether it could be written or not.
#[derive(Debug)]
pub(crate) struct PidFile(PathBuf);

impl PidFile {
    /// Writes it if the settings want one. Failure is not fatal.
    pub(crate) fn write(
        path: Option<&Path>,
        daemonized: bool,
        dialect: Dialect,
        log: &Log,
    ) -> Option<Self> {
        let path = path.or(daemonized.then_some(Path::new(default_path(dialect))))?;
        if let Err(error) = fs::write(path, format!("{}\n", std::process::id())) {
            let text = format!("Failed to write PID file: {}", os_words(&error));
            match dialect {
                Dialect::Redis => log.notice(&text),
                Dialect::Valkey => log.warning(&text),
            }
        }
        Some(Self(path.to_path_buf()))
    }

    /// Removes it at a clean exit.
    pub(crate) fn remove(self, log: &Log) {
        log.notice("Removing the pid file.");
        // Somebody else may have removed it already, or it was never there.
        let _ = fs::remove_file(self.0);
    }
}
