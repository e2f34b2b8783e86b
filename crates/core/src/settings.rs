//! What can be set: per master, for the process, and the tunables of `SENTINEL DEBUG`.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ident::Secret;
use crate::time::Span;

/// Commands of data nodes under other names: upper-case original to replacement
/// (spec: behaviour 4.5). Never applied to fellow Sentinels (spec: holes H23).
pub type Renames = BTreeMap<Arc<str>, Arc<str>>;

/// The options of one master (spec: interface 2.13, 8.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterSettings {
    /// Sentinels that must agree before the master is objectively down; at least 1.
    pub quorum: u32,
    /// Silence after which an instance is subjectively down.
    pub down_after: Span,
    /// Bound of the phases of a failover.
    pub failover_timeout: Span,
    /// Replicas repointed at the same time.
    pub parallel_syncs: u32,
    /// Run for each event of level warning.
    pub notification_script: Option<Arc<str>>,
    /// Run when clients must move.
    pub client_reconfig_script: Option<Arc<str>>,
    /// Password for the master and its replicas.
    pub auth_pass: Option<Secret>,
    /// User for the master and its replicas.
    pub auth_user: Option<Arc<str>>,
    /// How long a rebooted master may answer other things than PONG; zero switches it off.
    pub reboot_down_after: Span,
    /// Commands of the data nodes under other names.
    pub renames: Arc<Renames>,
}

impl MasterSettings {
    /// The defaults of a new master (spec: behaviour 1.2).
    #[must_use]
    pub fn new(quorum: u32, tunables: &Tunables) -> Self {
        Self {
            quorum,
            down_after: tunables.get(Tunable::DefaultDownAfter),
            failover_timeout: tunables.get(Tunable::DefaultFailoverTimeout),
            parallel_syncs: 1,
            notification_script: None,
            client_reconfig_script: None,
            auth_pass: None,
            auth_user: None,
            reboot_down_after: Span::ZERO,
            renames: Arc::default(),
        }
    }
}

/// Process-wide settings that are saved (spec: behaviour 13.2, 15.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Address announced in hellos instead of the local one.
    pub announce_ip: Option<Arc<str>>,
    /// Port announced in hellos instead of the own one.
    pub announce_port: Option<u16>,
    /// Whether names are accepted where an address is given.
    pub resolve_hostnames: bool,
    /// Whether names are shown rather than IPs.
    pub announce_hostnames: bool,
    /// Whether `SENTINEL SET` refuses script paths.
    pub deny_scripts_reconfig: bool,
    /// User for fellow Sentinels.
    pub sentinel_user: Option<Arc<str>>,
    /// Password for fellow Sentinels.
    pub sentinel_pass: Option<Secret>,
    /// What is written to the log.
    pub log_level: LogLevel,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            announce_ip: None,
            announce_port: None,
            resolve_hostnames: false,
            announce_hostnames: false,
            deny_scripts_reconfig: true,
            sentinel_user: None,
            sentinel_pass: None,
            log_level: LogLevel::Notice,
        }
    }
}

/// Levels of events and log lines, least important first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum LogLevel {
    /// Not published.
    Debug,
    /// Published, seldom logged.
    Verbose,
    /// The default of the log.
    #[default]
    Notice,
    /// Runs notification scripts.
    Warning,
    /// As a setting: log nothing.
    Nothing,
}

macro_rules! tunables {
    ($($name:ident = $default:literal, $doc:literal;)*) => {
        /// The tunables, in the order in which `SENTINEL DEBUG` lists them
        /// (spec: behaviour 1.2, interface 2.19). Never saved.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Tunable {
            $(#[doc = $doc] $name,)*
        }

        impl Tunable {
            /// Every tunable with its default in milliseconds, in listing order.
            pub const ALL: &[(Self, u64)] = &[$((Self::$name, $default),)*];
        }
    };
}

tunables! {
    InfoPeriod = 10_000, "INFO to masters, and to replicas in quiet times.";
    PingPeriod = 1_000, "Upper bound of the PING interval.";
    AskPeriod = 1_000, "Longest pause between questions while a master is down.";
    PublishPeriod = 2_000, "Hello announcements.";
    DefaultDownAfter = 30_000, "`down-after-milliseconds` of new masters.";
    DefaultFailoverTimeout = 180_000, "`failover-timeout` of new masters.";
    TiltTrigger = 2_000, "Longest tolerated stall.";
    TiltPeriod = 30_000, "Longest TILT after its last cause.";
    SlaveReconfTimeout = 10_000, "Limit of one replica's repointing without progress.";
    MinLinkReconnectPeriod = 15_000, "A younger connection is never judged idle.";
    ElectionTimeout = 10_000, "Longest candidacy.";
    ScriptMaxRuntime = 60_000, "A script is killed after this.";
    ScriptRetryDelay = 30_000, "Base of the retry back-off of scripts.";
}

/// The values of all tunables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tunables([Span; 13]);

impl Default for Tunables {
    fn default() -> Self {
        let mut values = [Span::ZERO; 13];
        for (value, (_, default)) in values.iter_mut().zip(Tunable::ALL) {
            *value = Span(*default);
        }
        Self(values)
    }
}

impl Tunables {
    /// The present value.
    #[must_use]
    pub fn get(&self, tunable: Tunable) -> Span {
        self.0[tunable as usize]
    }

    /// Sets a value; it must be above zero.
    pub fn set(&mut self, tunable: Tunable, value: Span) {
        self.0[tunable as usize] = value;
    }
}
