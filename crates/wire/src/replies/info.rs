//! `INFO` (spec: interface 6).

mod counters;

use core::fmt::Write as _;

use vedette_core::{MasterView, Now, ProcessView};

use crate::Dialect;
use crate::client::{ClientsFacts, CpuFacts, PauseFacts, ProcessFacts, ServerFacts};
use crate::reply::{Reply, bulk};
use crate::snapshot::Snapshot;

/// The version of this program.
pub const VEDETTE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The sections, always shown in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Server,
    Clients,
    Stats,
    Cpu,
    Sentinel,
}

const SECTIONS: [(&str, Section); 5] = [
    ("server", Section::Server),
    ("clients", Section::Clients),
    ("stats", Section::Stats),
    ("cpu", Section::Cpu),
    ("sentinel", Section::Sentinel),
];

/// The named sections; names of sections that do not exist here are ignored.
#[must_use]
pub fn info<T: AsRef<[u8]>>(
    names: &[T],
    snapshot: &Snapshot,
    facts: &ServerFacts,
    now: Now,
    dialect: Dialect,
) -> Reply {
    let mut text = String::new();
    for (name, section) in SECTIONS {
        if !is_wanted(name, names) {
            continue;
        }
        if !text.is_empty() {
            text.push_str("\r\n");
        }
        match section {
            Section::Server => server(&mut text, &facts.process, now, dialect),
            Section::Clients => clients(&mut text, &facts.clients, dialect),
            Section::Stats => counters::stats(&mut text, &facts.stats, dialect),
            Section::Cpu => cpu(&mut text, &facts.cpu, dialect),
            Section::Sentinel => sentinel(&mut text, snapshot, now, dialect),
        }
    }
    bulk(text)
}

fn is_wanted<T: AsRef<[u8]>>(section: &str, names: &[T]) -> bool {
    let all = ["default", "all", "everything"];
    names.is_empty()
        || names.iter().any(|name| {
            let is = |word: &str| name.as_ref().eq_ignore_ascii_case(word.as_bytes());
            is(section) || all.into_iter().any(is)
        })
}

/// One line; writing to a string cannot fail.
fn line(text: &mut String, name: &str, value: impl core::fmt::Display) {
    let _ = write!(text, "{name}:{value}\r\n");
}

fn server(text: &mut String, facts: &ProcessFacts, now: Now, dialect: Dialect) {
    text.push_str("# Server\r\n");
    line(text, "redis_version", dialect.redis_version());
    if dialect == Dialect::Valkey {
        line(text, "server_name", dialect.name());
        line(text, "valkey_version", dialect.version());
        line(text, "valkey_release_stage", "ga");
    }
    line(text, "redis_git_sha1", "00000000");
    line(text, "redis_git_dirty", 0);
    line(text, "redis_build_id", "0");
    // Exporters look for it in both dialects.
    line(text, "redis_mode", "sentinel");
    if dialect == Dialect::Valkey {
        line(text, "server_mode", "sentinel");
    }
    line(text, "os", &facts.os);
    line(text, "arch_bits", usize::BITS);
    line(text, "monotonic_clock", "POSIX clock_gettime");
    line(text, "multiplexing_api", "epoll");
    if dialect == Dialect::Redis {
        line(text, "atomicvar_api", "c11-builtin");
    }
    line(text, "gcc_version", "0.0.0");
    line(text, "process_id", facts.pid);
    line(text, "process_supervised", facts.supervised);
    line(text, "run_id", &facts.run_id);
    line(text, "tcp_port", facts.tcp_port);
    line(text, "server_time_usec", now.wall.0.saturating_mul(1000));
    line(text, "uptime_in_seconds", facts.uptime_secs);
    line(text, "uptime_in_days", facts.uptime_secs / 86_400);
    line(text, "hz", facts.hz);
    line(text, "configured_hz", 10);
    if dialect == Dialect::Valkey {
        line(text, "clients_hz", facts.hz);
    }
    // Seconds in 24 bits, as the reference keeps them.
    line(text, "lru_clock", (now.wall.0 / 1000) & 0x00ff_ffff);
    line(text, "executable", &facts.executable);
    line(text, "config_file", &facts.config_file);
    line(text, "io_threads_active", 0);
    if dialect == Dialect::Valkey {
        line(text, "availability_zone", "");
    }
    for (number, listener) in facts.listeners.iter().enumerate() {
        let _ = write!(text, "listener{number}:{listener}\r\n");
    }
    line(text, "vedette_version", VEDETTE_VERSION);
}

fn clients(text: &mut String, facts: &ClientsFacts, dialect: Dialect) {
    text.push_str("# Clients\r\n");
    line(text, "connected_clients", facts.connected);
    line(text, "cluster_connections", 0);
    line(text, "maxclients", facts.max);
    line(text, "client_recent_max_input_buffer", facts.recent_max_input);
    line(text, "client_recent_max_output_buffer", facts.recent_max_output);
    line(text, "blocked_clients", 0);
    line(text, "tracking_clients", facts.tracking);
    line(text, "pubsub_clients", facts.subscribers);
    line(text, "watching_clients", 0);
    line(text, "clients_in_timeout_table", 0);
    line(text, "total_watched_keys", 0);
    line(text, "total_blocking_keys", 0);
    line(text, "total_blocking_keys_on_nokey", 0);
    if dialect == Dialect::Valkey {
        let pause = facts.pause;
        let what = |pause: PauseFacts| if pause.writes_only { "write" } else { "all" };
        line(text, "paused_reason", pause.map_or("none", |_| "client_pause"));
        line(text, "paused_actions", pause.map_or("none", what));
        line(text, "paused_timeout_milliseconds", pause.map_or(0, |pause| pause.left_ms));
    }
}

fn cpu(text: &mut String, facts: &CpuFacts, dialect: Dialect) {
    text.push_str("# CPU\r\n");
    let mut seconds = |name: &str, microseconds: u64| {
        let (whole, part) = (microseconds / 1_000_000, microseconds % 1_000_000);
        let _ = write!(text, "{name}:{whole}.{part:06}\r\n");
    };
    seconds("used_cpu_sys", facts.system_us);
    seconds("used_cpu_user", facts.user_us);
    seconds("used_cpu_sys_children", facts.children_system_us);
    seconds("used_cpu_user_children", facts.children_user_us);
    seconds("used_cpu_sys_main_thread", facts.main_system_us);
    seconds("used_cpu_user_main_thread", facts.main_user_us);
    if dialect == Dialect::Valkey {
        seconds("used_active_time_main_thread", facts.main_system_us + facts.main_user_us);
    }
}

fn sentinel(text: &mut String, snapshot: &Snapshot, now: Now, dialect: Dialect) {
    let process = snapshot.process().map(|process| &**process);
    let tilt_since = process.and_then(|process| process.tilt_since);
    let running = |process: &ProcessView| {
        process.scripts.iter().filter(|script| script.running.is_some()).count()
    };
    text.push_str("# Sentinel\r\n");
    line(text, "sentinel_masters", snapshot.masters().len());
    line(text, "sentinel_tilt", u8::from(tilt_since.is_some()));
    let tilt_secs = tilt_since
        .map_or(-1, |since| i64::try_from(now.mono.since(since).0 / 1000).unwrap_or(i64::MAX));
    line(text, "sentinel_tilt_since_seconds", tilt_secs);
    if dialect == Dialect::Valkey {
        line(text, "sentinel_total_tilt", process.map_or(0, |it| it.counters.tilts));
    }
    line(text, "sentinel_running_scripts", process.map_or(0, running));
    line(text, "sentinel_scripts_queue_length", process.map_or(0, |it| it.scripts.len()));
    line(text, "sentinel_simulate_failure_flags", process.map_or(0, simulated_failures));
    for (number, view) in snapshot.masters().enumerate() {
        master(text, number, view);
    }
}

fn simulated_failures(process: &ProcessView) -> u8 {
    let armed = process.simulated_failures;
    u8::from(armed.after_election) + 2 * u8::from(armed.after_promotion)
}

/// Values are not escaped and IPv6 is not bracketed (spec: interface 6.2).
fn master(text: &mut String, number: usize, view: &MasterView) {
    let status = match (view.odown_since, view.node.sdown_since) {
        (Some(_), _) => "odown",
        (None, Some(_)) => "sdown",
        (None, None) => "ok",
    };
    let address = &view.node.address;
    let _ = write!(
        text,
        "master{number}:name={},status={status},address={}:{},slaves={},sentinels={}\r\n",
        view.name,
        address.host,
        address.port,
        view.replicas.len(),
        view.sentinels.len() + 1,
    );
}
