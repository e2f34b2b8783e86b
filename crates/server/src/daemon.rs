//! The daemon from its first line to its last: load, build, bind, log, run, drain.

mod build;
mod load;
mod users;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::runtime::Runtime;

use crate::clients::Listeners;
use crate::log::Log;
use crate::process::{self, PidFile, Signals, Supervisor};
use crate::recorder::FlightRecorder;
use crate::tls::{Acceptor, LiveTls};
use build::{Opened, Running};
use vedette_wire::Dialect;

/// Threads that may wait for `getaddrinfo` at the same time.
const RESOLVER_THREADS: usize = 4;

/// How the daemon was started (spec: interface 7).
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The configuration file as named; none is refused with the reference's words.
    pub config_file: Option<PathBuf>,
    /// The words after it.
    pub arguments: Vec<Vec<u8>>,
    /// Standard input, if `-` was among them.
    pub stdin: Option<Vec<u8>>,
    /// `--dialect`, which wins over `vedette.toml`.
    pub dialect: Option<Dialect>,
    /// What the name of the program stands for, if nothing else is said.
    pub dialect_by_name: Dialect,
}

/// Why the daemon does not start. The cause was told already, on the log or on standard error.
struct Refused;

/// Runs the daemon. Returns when it was told to stop, or could not start (exit code 1).
///
/// To be called before the process has any other thread: `daemonize yes` forks.
#[must_use]
pub fn run(start: &Start) -> ExitCode {
    run_to_the_end(start).unwrap_or(ExitCode::FAILURE)
}

fn run_to_the_end(start: &Start) -> Result<ExitCode, Refused> {
    let dialect = load::dialect(start)?;
    let (config_file, loaded) = load::load(start, dialect)?;
    let log = load::open_log(&loaded, dialect)?;
    load::refuse_what_cannot_work(&config_file, &log)?;
    let tls = load::make_tls_ready(&loaded, dialect, &log)?;

    let supervisor = Supervisor::find(loaded.server.supervised, &log);
    let daemonized = loaded.server.daemonize && !supervisor.is_there();
    if daemonized {
        process::go_to_background().map_err(|error| refuse(&log, "Can't daemonize", &error))?;
    }
    log.start_thread().map_err(|error| refuse(&log, "Can't start a thread", &error))?;
    let recorder = FlightRecorder::start(&config_file, &log)
        .map_err(|error| refuse(&log, "Can't start a thread", &error))?;
    process::abort_on_panic(&log, &recorder);
    let runtime = runtime().map_err(|error| refuse(&log, "Can't start the runtime", &error))?;
    let within = runtime.enter();
    let signals =
        Signals::listen().map_err(|error| refuse(&log, "Can't receive signals", &error))?;
    supervisor.starting(dialect, &log);
    load::log_first_lines(&loaded, &tls, dialect, &log);

    let maxclients = process::fit_maxclients(loaded.server.maxclients.into(), &log)
        .map_err(|error| refuse_with(&log, &error))?;
    load::log_running_mode(&loaded, &log);
    let accounts = users::load(&loaded, dialect, &log)?;
    let tls = LiveTls::new(loaded.server.tls.clone(), tls);
    let acceptor = tls.accepting.clone().map(Acceptor::start).transpose();
    let acceptor = acceptor.map_err(|error| refuse(&log, "Can't start a thread", &error))?;
    let listeners = Listeners::bind(&loaded.server, acceptor, &log)
        .map_err(|error| refuse_with(&log, &error))?;
    let pid_file = PidFile::write(loaded.server.pidfile.as_deref(), daemonized, dialect, &log);
    let opened = Opened {
        config_file,
        dialect,
        loaded,
        accounts,
        log,
        maxclients,
        supervisor,
        recorder,
        tls,
    };
    let outcome = runtime.block_on(serve_until_told(opened, listeners, pid_file, signals));
    drop(within);
    // Nobody waits for a name that takes its time.
    runtime.shutdown_background();
    outcome
}

/// The main thread's runtime: signals, accepting, scripts, names.
fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(RESOLVER_THREADS)
        .build()
}

/// Everything is in place: serve, then drain.
async fn serve_until_told(
    opened: Opened,
    listeners: Listeners,
    pid_file: Option<PidFile>,
    mut signals: Signals,
) -> Result<ExitCode, Refused> {
    let (log, supervisor) = (opened.log.clone(), opened.supervisor);
    let (recorder, dialect) = (opened.recorder.clone(), opened.dialect);
    let tls = opened.tls.clone();
    let unix_path = listeners.unix_path.clone();
    let Running { exit, control } =
        build::build(opened, listeners).map_err(|error| refuse(&log, "Can't start", &error))?;
    supervisor.ready(&log);
    let client = signals.told_to_stop(&exit, &recorder, &tls, &log).await;

    let client = client.filter(|_| dialect == Dialect::Valkey);
    let client = client.map(|client| format!(" (user request from '{client}')"));
    log.notice(&format!("User requested shutdown...{}", client.unwrap_or_default()));
    supervisor.stopping(&log);
    let code = signals.unless_interrupted(control.stop(), &log).await;
    if code == ExitCode::SUCCESS {
        clean_up(pid_file, unix_path.as_deref(), &log);
        log.warning("Sentinel is now ready to exit, bye bye...");
    }
    log.flush();
    Ok(code)
}

/// Removes what must not outlive the process.
fn clean_up(pid_file: Option<PidFile>, unix_path: Option<&Path>, log: &Log) {
    if let Some(pid_file) = pid_file {
        pid_file.remove(log);
    }
    if let Some(path) = unix_path {
        log.notice("Removing the unix socket file.");
        // Somebody else may have removed it already.
        let _ = std::fs::remove_file(path);
    }
}

fn refuse(log: &Log, what: &str, error: &io::Error) -> Refused {
    refuse_with(log, &format!("{what}: {error}"))
}

fn refuse_with(log: &Log, why: &dyn std::fmt::Display) -> Refused {
    log.warning(&why.to_string());
    log.flush();
    Refused
}
