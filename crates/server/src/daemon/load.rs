//! Before anything runs: the configuration, what it forbids, and the first lines of the log
//! (spec: interface 7.1, 8.2, 10.1).

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use vedette_conf::{BadLine, ConfigError, Line, Loaded};
use vedette_wire::Dialect;

use super::build::first_port;
use super::{Refused, Start, refuse_with, users};
use crate::log::{Form, Log, LogTarget, Syslog, os_words};
use crate::own_settings::OwnSettings;
use crate::store::{self, DiskFiles};
use crate::tls::{self, Tls, TlsError};

/// The reference's last word about TLS.
const NOT_CONFIGURED: &str = "Failed to configure TLS. Check logs for more info.";

/// Whose names and versions to give: the command line, `vedette.toml`, or the program's own name.
pub(super) fn dialect(start: &Start) -> Result<Dialect, Refused> {
    let own = start.config_file.as_deref().map(OwnSettings::beside).transpose();
    let own = own.map_err(|error| {
        eprintln!("vedette: {error}");
        Refused
    })?;
    let said = start.dialect.or_else(|| own.unwrap_or_default().dialect);
    Ok(said.unwrap_or(start.dialect_by_name))
}

/// Loads the configuration; the path is absolute from now on, whatever `dir` says.
pub(super) fn load(start: &Start, dialect: Dialect) -> Result<(PathBuf, Loaded), Refused> {
    let to_stdout = Log::new(LogTarget::default(), vedette_core::LogLevel::Notice);
    let stdin = start.stdin.as_deref();
    let is_there = |file: &PathBuf| access(file, Access::READ_OK).is_ok();
    if stdin.is_some() && start.config_file.as_ref().is_none_or(is_there) {
        to_stdout.notice("Reading config from stdin");
    }
    let Some(config_file) = &start.config_file else {
        return Err(match vedette_conf::judge_words(&start.arguments, stdin, &DiskFiles) {
            Ok(()) => {
                let why = "Sentinel needs config file on disk to save state. Exiting...";
                refuse_with(&to_stdout, &why)
            }
            Err(error) => refuse_bad(error, dialect, &to_stdout),
        });
    };
    let absolute = std::path::absolute(config_file).unwrap_or_else(|_| config_file.clone());
    put_copy_back(&absolute, &to_stdout)?;
    match vedette_conf::load(&absolute, &start.arguments, stdin, &DiskFiles) {
        Ok(mut loaded) => {
            loaded.remember_votes(&store::read_side_file(&absolute));
            match users::find_bad_line(&loaded.server) {
                Some(error) => Err(fatal(&error, dialect)),
                None => Ok((absolute, loaded)),
            }
        }
        Err(error) => Err(refuse_bad(error, dialect, &to_stdout)),
    }
}

/// Ends a save in place that was cut short, of whichever file.
pub(super) fn put_copy_back(file: &Path, log: &Log) -> Result<(), Refused> {
    let path = file.display();
    match store::recover(file) {
        Ok(false) => Ok(()),
        Ok(true) => {
            log.warning(&format!("A save of {path} was cut short: its copy was put back"));
            Ok(())
        }
        Err(error) => {
            let error = os_words(&error);
            let why = format!(
                "A save of {path} was cut short, and its copy cannot be put back: {error}. Let \
                 the file be writable, or move '{path}.vedette-copy' there by hand. Exiting..."
            );
            Err(refuse_with(log, &why))
        }
    }
}

/// Refuses a bad configuration where and as the reference does.
fn refuse_bad(error: ConfigError, dialect: Dialect, to_stdout: &Log) -> Refused {
    match error {
        ConfigError::CannotOpen { .. } => refuse_with(to_stdout, &error),
        ConfigError::Whole(_) => fatal(&error, dialect),
        ConfigError::Line(bad) => {
            if let Some(host) = bad.unresolved_host() {
                to_stdout.warning(&format!("Failed to resolve hostname '{host}'"));
            }
            fatal(&ConfigError::Line(bad), dialect)
        }
    }
}

/// Opens the log that the configuration wants.
pub(super) fn open_log(loaded: &Loaded, dialect: Dialect) -> Result<Log, Refused> {
    let server = &loaded.server;
    if let Some(path) = &server.log_file {
        OpenOptions::new().create(true).append(true).open(path).map_err(|error| {
            let why = format!("Can't open the log file: {}", os_words(&error));
            fatal(&ConfigError::Whole(why), dialect)
        })?;
    }
    let syslog = server.syslog.enabled.then(|| {
        let ident = server.syslog.ident.as_deref().unwrap_or(dialect.name());
        Syslog::open(ident, &server.syslog.facility)
    });
    let form = Form { format: server.log_format, timestamps: server.log_timestamps };
    let target = LogTarget { file: server.log_file.clone(), form, syslog: syslog.flatten() };
    Ok(Log::new(target, loaded.state.settings.log_level))
}

/// Refuses to start where it is clear that it cannot work (spec: behaviour 13.6).
pub(super) fn refuse_what_cannot_work(config_file: &Path, log: &Log) -> Result<(), Refused> {
    if let Err(error) = access(config_file, Access::WRITE_OK) {
        let why = format!(
            "Sentinel config file {} is not writable: {}. Exiting...",
            config_file.display(),
            os_words(&error.into())
        );
        return Err(refuse_with(log, &why));
    }
    Ok(())
}

/// Reads certificates and keys. A value that cannot be had is refused like any other bad line, a
/// file in the reference's words with its line.
pub(super) fn make_tls_ready(loaded: &Loaded, dialect: Dialect, log: &Log) -> Result<Tls, Refused> {
    tls::prepare(&loaded.server.tls).map_err(|error| {
        let is_it = |line: &&Line| {
            let words = line.words().unwrap_or_default();
            let (name, directive) = (words.first(), error.directive());
            name.zip(directive).is_some_and(|(name, directive)| {
                name.eq_ignore_ascii_case(directive.name().as_bytes())
            })
        };
        let blamed = loaded.document.lines().filter(is_it).last();
        match (&error, blamed) {
            (TlsError::Value { message, .. }, Some(line)) => {
                let bad = BadLine {
                    origin: line.origin().clone(),
                    number: line.number(),
                    text: line.text().to_vec(),
                    message: message.clone(),
                };
                fatal(&ConfigError::Line(bad), dialect)
            }
            (_, Some(line)) => {
                let place = line.origin().place(line.number());
                log.warning(&format!("{error} ({place})"));
                refuse_with(log, &NOT_CONFIGURED)
            }
            (_, None) => {
                log.warning(&error.to_string());
                refuse_with(log, &NOT_CONFIGURED)
            }
        }
    })
}

/// The lines that every start begins with.
pub(super) fn log_first_lines(loaded: &Loaded, tls: &Tls, dialect: Dialect, log: &Log) {
    let product = dialect.product();
    log.notice(&format!("oO0OoO0OoO0Oo {product} is starting oO0OoO0OoO0Oo"));
    log.notice(&format!(
        "{product} version={}, bits={}, commit=00000000, modified=0, pid={}, just started",
        dialect.version(),
        usize::BITS,
        std::process::id()
    ));
    log.notice("Configuration loaded");
    loaded.warnings.iter().for_each(|warning| log.warning(&warning.to_string()));
    tls.remarks().iter().for_each(|remark| log.warning(remark));
}

/// The lines before the first socket is opened.
pub(super) fn log_running_mode(loaded: &Loaded, log: &Log) {
    log.notice("monotonic clock: POSIX clock_gettime");
    log.notice(&format!("Running mode=sentinel, port={}.", first_port(&loaded.server)));
}

fn fatal(error: &ConfigError, dialect: Dialect) -> Refused {
    eprint!("{}", error.fatal_block(&dialect.fatal_title()));
    Refused
}
