//! Facts about a connection and about the process, gathered by the host.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::Dialect;
use crate::commands::CommandNames;

/// Number of a connection: unique and increasing within the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// What the host knows about an accepted connection.
#[derive(Clone, Debug)]
pub struct ConnectionFacts {
    /// Between which ends.
    pub ends: Ends,
    /// The file descriptor, shown in client lines.
    pub fd: i32,
    /// Whose names and versions it is given.
    pub dialect: Dialect,
    /// In Valkey's dialect: whether HELLO names Redis (`extended-redis-compatibility`).
    pub greets_as_redis: bool,
    /// What the log may tell of it.
    pub told: Told,
    /// What commands are called.
    pub names: Arc<CommandNames>,
}

/// What the log tells of a client (`hide-user-data-from-log`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Neither what it calls itself nor what it sent.
    Nothing,
    /// What it calls itself. What it sent may hold a password.
    Names,
    /// What it sent, too: only where the configuration says so.
    Everything,
}

/// The two ends of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ends {
    /// TCP, plain or TLS.
    Tcp {
        /// The client.
        peer: SocketAddr,
        /// This process.
        local: SocketAddr,
    },
    /// A Unix socket, by its path.
    Unix {
        /// Where it is.
        path: String,
    },
}

impl Ends {
    /// `addr` of a client line: `ip:port`, `[ip]:port` or `<path>:0` (spec: interface 4.9).
    #[must_use]
    pub fn peer(&self) -> String {
        match self {
            Self::Tcp { peer, .. } => peer.to_string(),
            Self::Unix { path } => format!("{path}:0"),
        }
    }

    /// The address in `addr`.
    #[must_use]
    pub fn peer_ip(&self) -> String {
        match self {
            Self::Tcp { peer, .. } => peer.ip().to_string(),
            Self::Unix { path } => path.clone(),
        }
    }

    /// `laddr` of a client line.
    #[must_use]
    pub fn local(&self) -> String {
        match self {
            Self::Tcp { local, .. } => local.to_string(),
            Self::Unix { path } => format!("{path}:0"),
        }
    }
}

/// Bounds on one client's memory (spec: interface 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// `client-query-buffer-limit`, in bytes.
    pub query_buffer: usize,
    /// `proto-max-bulk-len`, in bytes.
    pub bulk_len: usize,
    /// `client-output-buffer-limit normal`.
    pub normal: OutputLimit,
    /// `client-output-buffer-limit pubsub`.
    pub pubsub: OutputLimit,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            query_buffer: 1 << 30,
            bulk_len: 512 << 20,
            normal: OutputLimit { hard: 0, soft: 0, soft_secs: 0 },
            pubsub: OutputLimit { hard: 32 << 20, soft: 8 << 20, soft_secs: 60 },
        }
    }
}

/// One class of `client-output-buffer-limit`; 0 means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Closes at once, in bytes.
    pub hard: usize,
    /// Closes when exceeded without a break for `soft_secs`, in bytes.
    pub soft: usize,
    /// See `soft`.
    pub soft_secs: u64,
}

/// What one connection counted since it was last asked (`Client::take_counts`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Commands executed.
    pub commands: u64,
    /// Error replies.
    pub error_replies: u64,
    /// Bytes read.
    pub input_bytes: u64,
    /// Passwords refused; who gave none is not counted.
    pub denied_auth: u64,
    /// Commands refused by ACL rules.
    pub denied_command: u64,
    /// Commands refused for their channels by ACL rules.
    pub denied_channel: u64,
}

/// What only INFO shows (spec: interface 6).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerFacts {
    /// The process.
    pub process: ProcessFacts,
    /// Its clients.
    pub clients: ClientsFacts,
    /// Its counters.
    pub stats: StatsFacts,
    /// Its use of the CPU.
    pub cpu: CpuFacts,
}

/// Section Server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessFacts {
    /// System, release and machine, as in `Linux 6.1.0 x86_64`.
    pub os: String,
    /// Process id.
    pub pid: u32,
    /// `no`, `systemd`, `upstart` or `unknown`.
    pub supervised: &'static str,
    /// 40 hexadecimal characters, new at each start.
    pub run_id: String,
    /// The plain port, or the TLS port if that is 0.
    pub tcp_port: u16,
    /// Since the start, in seconds.
    pub uptime_secs: u64,
    /// The timer frequency to show.
    pub hz: u32,
    /// The program's path.
    pub executable: String,
    /// The configuration file's absolute path.
    pub config_file: String,
    /// What `listener0`, `listener1`… say, as in `name=tcp,bind=127.0.0.1,port=26379`.
    pub listeners: Vec<String>,
}

/// Section Clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientsFacts {
    /// Accepted connections, this one included.
    pub connected: u64,
    /// `maxclients`.
    pub max: u64,
    /// Largest input buffer lately, in bytes.
    pub recent_max_input: u64,
    /// Largest output buffer lately, in bytes.
    pub recent_max_output: u64,
    /// Connections with a subscription.
    pub subscribers: u64,
    /// Connections that track.
    pub tracking: u64,
    /// What `CLIENT PAUSE` holds.
    pub pause: Option<PauseFacts>,
}

/// A pause of the clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PauseFacts {
    /// Only writes are held.
    pub writes_only: bool,
    /// It ends in so many milliseconds.
    pub left_ms: u64,
}

/// Section Stats: what a Sentinel really counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StatsFacts {
    /// Connections accepted.
    pub connections_received: u64,
    /// Commands executed.
    pub commands_processed: u64,
    /// Commands per second, lately.
    pub ops_per_sec: u64,
    /// Bytes read.
    pub net_input_bytes: u64,
    /// Bytes written.
    pub net_output_bytes: u64,
    /// KiB read per second, lately.
    pub input_kbps: f64,
    /// KiB written per second, lately.
    pub output_kbps: f64,
    /// Connections refused.
    pub rejected_connections: u64,
    /// Different channels subscribed to.
    pub pubsub_channels: u64,
    /// Different patterns subscribed to.
    pub pubsub_patterns: u64,
    /// Different prefixes tracked.
    pub tracking_prefixes: u64,
    /// Error replies.
    pub error_replies: u64,
    /// Reads from clients.
    pub reads_processed: u64,
    /// Writes to clients.
    pub writes_processed: u64,
    /// Clients closed by `client-query-buffer-limit`.
    pub query_buffer_disconnections: u64,
    /// Clients closed by `client-output-buffer-limit`.
    pub output_buffer_disconnections: u64,
    /// Passwords refused.
    pub denied_auth: u64,
    /// Commands refused by ACL rules.
    pub denied_command: u64,
    /// Commands refused for their channels by ACL rules.
    pub denied_channel: u64,
}

impl Eq for StatsFacts {}

/// Section CPU, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuFacts {
    /// By the process in the kernel.
    pub system_us: u64,
    /// By the process outside.
    pub user_us: u64,
    /// By its children in the kernel.
    pub children_system_us: u64,
    /// By its children outside.
    pub children_user_us: u64,
    /// By the control thread in the kernel.
    pub main_system_us: u64,
    /// By the control thread outside.
    pub main_user_us: u64,
}
