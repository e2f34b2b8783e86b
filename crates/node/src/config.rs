//! What a node is started with.

use std::collections::{BTreeMap, BTreeSet};

/// The fixed settings of a node. Share one between nodes where they do not differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// The port the node listens on, as INFO and REPLCONF show it.
    pub port: u16,
    /// The server version it claims.
    pub version: String,
    /// The configuration file it claims; without one CONFIG REWRITE fails.
    pub config_file: Option<String>,
    /// The master it starts as a replica of.
    pub replica_of: Option<(String, u16)>,
    /// CONFIG parameters that differ from the defaults at start. Unknown ones are ignored.
    pub parameters: Vec<(String, String)>,
    /// Users besides `default`.
    pub users: Vec<User>,
    /// `rename-command`: lower-case original name to new name; an empty one disables it.
    pub renamed: BTreeMap<String, String>,
    /// Commands answered with `-NOPERM`: lower-case names, or `command|subcommand`.
    pub refused: BTreeSet<String>,
    /// How long a full resynchronisation takes, in milliseconds.
    pub full_sync_ms: u64,
    /// Wall-clock time at `now == 0`, in milliseconds since 1970; TIME and LASTSAVE use it.
    pub wall_clock_ms: u64,
}

/// A user who may do everything with the right password.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("password", &"***").finish()
    }
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            port: 6379,
            version: "7.0.15".to_owned(),
            config_file: Some("/etc/redis/redis.conf".to_owned()),
            replica_of: None,
            parameters: Vec::new(),
            users: Vec::new(),
            renamed: BTreeMap::new(),
            refused: BTreeSet::new(),
            full_sync_ms: 100,
            wall_clock_ms: 1_735_689_600_000,
        }
    }
}
