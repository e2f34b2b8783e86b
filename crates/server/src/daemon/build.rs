//! Everything that runs, put together.

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use vedette_conf::{BufferLimit, Loaded, ServerSettings, words};
use vedette_core::{Config, DurableState, Generation, Input, LogLevel, Sentinel, SentinelId};
use vedette_wire::Dialect;
use vedette_wire::accounts::{Accounts, User};
use vedette_wire::client::{ClientLimits, OutputLimit, ProcessFacts, Told};
use vedette_wire::commands::CommandNames;

use crate::accounts::AccountsBoard;
use crate::board::Board;
use crate::clients::{self, House, Inbox, Listeners, Rules};
use crate::clock::{Clock, Heartbeat};
use crate::control::{self, ControlMailbox, ControlThread, Outlets, Route};
use crate::doorbell::{Doorbell, Mailbox};
use crate::errands;
use crate::log::{Log, os_words};
use crate::process::{ExitRequest, Supervisor};
use crate::random;
use crate::recorder::FlightRecorder;
use crate::store::{Store, StoreEvent};
use crate::tls::{Dialer, LiveTls};

use super::users;

/// What was decided and opened before anything runs.
pub(super) struct Opened {
    pub(super) config_file: PathBuf,
    pub(super) dialect: Dialect,
    pub(super) loaded: Loaded,
    pub(super) accounts: Accounts,
    pub(super) log: Log,
    pub(super) maxclients: u64,
    pub(super) supervisor: Supervisor,
    pub(super) recorder: FlightRecorder,
    pub(super) tls: LiveTls,
}

/// What runs.
pub(super) struct Running {
    pub(super) exit: ExitRequest,
    pub(super) control: ControlThread,
}

/// The save that a first start orders, so that the new id is on disk before anybody hears of it.
/// The core counts from 1.
const FIRST_SAVE: Generation = Generation(0);

/// Starts every thread. Clients are accepted last.
pub(super) fn build(opened: Opened, listeners: Listeners) -> io::Result<Running> {
    let clock = Clock::start();
    let heart = Heartbeat::new();
    let board = Arc::new(Board::default());
    let exit = ExitRequest::default();
    let control_bell = Arc::new(Doorbell::default());
    let control: Arc<ControlMailbox> = Arc::new(Mailbox::new(control_bell.clone()));
    let state = durable_state(&opened.loaded);
    let accounts = Arc::new(AccountsBoard::new(
        opened.accounts.clone(),
        users::acl_file(&opened.loaded.server),
        opened.loaded.server.acl_log_max_len,
    ));
    let store = open_store(&opened, &state, &control, &accounts)?;
    opened.log.notice(&format!("Sentinel ID is {}", state.my_id));

    let threads: Vec<_> = (0..client_threads()).map(|_| Inbox::new()).collect();
    let (errands, runner) = errands::channel(control.clone());
    let outlets = Outlets::new(store, errands, board.clone(), threads.clone(), opened.log.clone());
    let server = &opened.loaded.server;
    let config = Config::new(announced_port(server), server.requirepass.clone());
    let dialer = opened.tls.dialing.clone();
    let dialer = dialer.map(|config| Dialer::start(config, opened.log.clone())).transpose()?;
    let now = clock.now();
    let core = Sentinel::start(config, state, random::number(), now);
    let thread = control::spawn(control::Parts {
        core: opened.recorder.record(core, now),
        clock,
        heart: heart.clone(),
        bell: control_bell,
        mail: control.clone(),
        outlets,
        route: Route { source: source_address(server), dialer: dialer.map(Arc::new) },
    })?;

    let house = Arc::new(House {
        dialect: opened.dialect,
        clock,
        heart,
        board,
        control,
        accounts,
        rules: rules(server, opened.maxclients, opened.dialect),
        facts: facts(&opened),
        control_thread: thread.id(),
        exit: exit.clone(),
        threads,
        log: opened.log,
        counters: Default::default(),
        budget: Default::default(),
        roll: Default::default(),
        pause: Default::default(),
    });
    tokio::spawn(runner.run());
    for number in 0..house.threads.len() {
        clients::spawn(number, house.clone())?;
    }
    listeners.accept_for_ever(&house)?;
    Ok(Running { exit, control: thread })
}

/// As many as there are cores but one, within reason: however busy clients are, the control thread
/// finds a core. Fewer threads also find more to do at each wake-up.
fn client_threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.saturating_sub(1).clamp(1, clients::MAX_THREADS)
}

fn durable_state(loaded: &Loaded) -> DurableState {
    loaded.state.durable(SentinelId::from_random(random::id_bytes()))
}

/// Opens the store; at a first start it saves the new id before anything else happens.
fn open_store(
    opened: &Opened,
    state: &DurableState,
    control: &Arc<ControlMailbox>,
    accounts: &Arc<AccountsBoard>,
) -> io::Result<Store> {
    let (log, control) = (opened.log.clone(), control.clone());
    let (first_done, first) = mpsc::channel();
    let path = opened.config_file.clone();
    let notify = move |event| match stored(event, &path, &log) {
        Some(Input::Persisted { generation: FIRST_SAVE })
        | Some(Input::PersistFailed { generation: FIRST_SAVE }) => {
            // Somebody waits below.
            let _ = first_done.send(());
        }
        Some(input) => control.post(input),
        None => {}
    };
    let document = opened.loaded.document.clone();
    let store =
        Store::open(&opened.config_file, document, state, notify).map_err(io::Error::other)?;
    let accounts = accounts.clone();
    store.tell_users(move || accounts.present().users().map(user_line).collect());
    if opened.loaded.state.my_id.is_none() {
        store.save(FIRST_SAVE, Vec::new());
        // Whatever came of it is in the log; a Sentinel that cannot save still watches.
        let _ = first.recv();
    }
    Ok(store)
}

/// A user as `sentinel.conf` names it after the word `user`: what would not read back is quoted.
fn user_line(user: &Arc<User>) -> Vec<u8> {
    let words = std::iter::once(user.name().to_vec()).chain(user.rules());
    words.map(|word| words::quote_if_needed(&word)).collect::<Vec<_>>().join(&b' ')
}

/// What the store says, for the log and for the core.
fn stored(event: StoreEvent, path: &Path, log: &Log) -> Option<Input> {
    const NOT_SAVED: &str =
        "WARNING: Sentinel was not able to save the new configuration on disk!!!";
    match event {
        StoreEvent::Saved { generation, took: _ } => {
            log_saved(path, log);
            Some(Input::Persisted { generation })
        }
        StoreEvent::Failed { generation, error } => {
            log.warning(&format!("{NOT_SAVED}: {}", os_words(&error)));
            Some(Input::PersistFailed { generation })
        }
        StoreEvent::ShellSaved(Ok(())) => {
            log_saved(path, log);
            None
        }
        StoreEvent::ShellSaved(Err(error)) => {
            log.warning(&format!("{NOT_SAVED}: {}", os_words(&error)));
            None
        }
        StoreEvent::Warning(text) => {
            log.warning(&text);
            None
        }
    }
}

fn log_saved(path: &Path, log: &Log) {
    if log.takes(LogLevel::Debug) {
        let rewritten = format!("Rewritten config file ({}) successfully", path.display());
        log.line(LogLevel::Debug, &rewritten);
    }
    log.notice("Sentinel new configuration saved on disk");
}

/// The port of our hellos unless `announce-port` says otherwise (spec: behaviour 5.1).
fn announced_port(server: &ServerSettings) -> u16 {
    if server.tls.replication && server.tls.port != 0 { server.tls.port } else { server.port }
}

/// `bind-source-addr`, if it is an address.
fn source_address(server: &ServerSettings) -> Option<IpAddr> {
    server.bind_source_addr.as_deref().and_then(|address| address.parse().ok())
}

fn rules(server: &ServerSettings, maxclients: u64, dialect: Dialect) -> Rules {
    let bytes = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
    let output = |limit: BufferLimit| OutputLimit {
        hard: bytes(limit.hard_bytes),
        soft: bytes(limit.soft_bytes),
        soft_secs: limit.soft_secs,
    };
    Rules {
        limits: ClientLimits {
            query_buffer: bytes(server.client_query_buffer_limit),
            bulk_len: bytes(server.proto_max_bulk_len),
            normal: output(server.output_buffer_normal),
            pubsub: output(server.output_buffer_pubsub),
        },
        timeout_secs: server.timeout_secs,
        keepalive_secs: server.tcp_keepalive_secs,
        maxclients,
        protected_mode: server.protected_mode,
        greets_as_redis: server.greets_as_redis,
        told: match (server.hide_user_data_from_log, dialect) {
            (Some(true), _) | (None, Dialect::Valkey) => Told::Nothing,
            (None, Dialect::Redis) => Told::Names,
            (Some(false), _) => Told::Everything,
        },
        names: Arc::new(CommandNames::renamed(
            server.renames.iter().map(|(old, new)| (old.as_str(), new.as_str())),
        )),
    }
}

/// The plain port, or the TLS port if that is 0.
pub(super) fn first_port(server: &ServerSettings) -> u16 {
    if server.port == 0 { server.tls.port } else { server.port }
}

fn facts(opened: &Opened) -> ProcessFacts {
    let uname = rustix::system::uname();
    let words = [uname.sysname(), uname.release(), uname.machine()];
    let server = &opened.loaded.server;
    let binds: Vec<_> = server.bind.iter().map(|bind| format!("bind={}", bind.address)).collect();
    let inet = |name: &str, port: u16| {
        let binds = binds.join(",");
        (port != 0 && !binds.is_empty()).then(|| format!("name={name},{binds},port={port}"))
    };
    let (tcp, tls) = (inet("tcp", server.port), inet("tls", server.tls.port));
    let unix = server.unix_socket.as_ref().map(|path| format!("name=unix,bind={}", path.display()));
    let executable = std::env::current_exe().unwrap_or_default();
    ProcessFacts {
        os: words.map(|word| word.to_string_lossy()).join(" "),
        pid: std::process::id(),
        supervised: opened.supervisor.name(),
        run_id: SentinelId::from_random(random::id_bytes()).to_string(),
        tcp_port: first_port(server),
        uptime_secs: 0,
        hz: 10,
        executable: executable.display().to_string(),
        config_file: opened.config_file.display().to_string(),
        listeners: tcp.into_iter().chain(unix).chain(tls).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hellos_announce_the_tls_port_if_links_use_tls() {
        let mut server = ServerSettings { port: 1, ..ServerSettings::default() };
        assert_eq!((announced_port(&server), first_port(&server)), (1, 1));
        server.tls.port = 2;
        assert_eq!((announced_port(&server), first_port(&server)), (1, 1));
        server.tls.replication = true;
        assert_eq!((announced_port(&server), first_port(&server)), (2, 1));
        server.port = 0;
        assert_eq!((announced_port(&server), first_port(&server)), (2, 2));
    }
}
