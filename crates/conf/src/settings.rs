//! What the general directives say to the shell (spec: interface 8.4). Plain values with the
//! reference's defaults; nothing here changes while the process runs.

use std::fmt;
use std::path::PathBuf;

use vedette_core::Secret;

use crate::document::Origin;
use crate::error::{BadLine, ConfigError};

/// The general directives that have an effect in Sentinel mode. `loglevel` is not here: it can be
/// changed at run time and lives in [`vedette_core::Settings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// TCP port; 0 listens on none.
    pub port: u16,
    /// Addresses to listen on; empty means no TCP listener.
    pub bind: Vec<BindAddress>,
    /// Source address of outgoing connections.
    pub bind_source_addr: Option<String>,
    /// Refuse strangers while the default user has no password (spec: interface 1.5).
    pub protected_mode: bool,
    /// Unix socket to listen on.
    pub unix_socket: Option<PathBuf>,
    /// Its mode; 0 leaves the umask alone.
    pub unix_socket_perm: u32,
    /// Its group.
    pub unix_socket_group: Option<String>,
    /// In Valkey's dialect: HELLO names Redis (`extended-redis-compatibility`).
    pub greets_as_redis: bool,
    /// Backlog of the listeners.
    pub tcp_backlog: u32,
    /// Seconds after which an idle client is closed; 0 is never.
    pub timeout_secs: u32,
    /// Seconds between TCP keep-alives of clients; 0 switches them off.
    pub tcp_keepalive_secs: u32,
    /// Most clients at the same time.
    pub maxclients: u32,
    /// Go to the background.
    pub daemonize: bool,
    /// Where the process number is written.
    pub pidfile: Option<PathBuf>,
    /// Log file; none is standard output.
    pub log_file: Option<PathBuf>,
    /// Form of log lines.
    pub log_format: LogFormat,
    /// Time in log lines.
    pub log_timestamps: LogTimestamps,
    /// Show client and user names in logs as `*redacted*`; none if the file does not say.
    pub hide_user_data_from_log: Option<bool>,
    /// The system log.
    pub syslog: Syslog,
    /// Who supervises the process.
    pub supervised: Supervision,
    /// Working directory, if the file names one; already entered.
    pub dir: Option<PathBuf>,
    /// Password of the default user.
    pub requirepass: Option<Secret>,
    /// `user` lines in file order. Where `requirepass` is stricter than `user default` the rules
    /// here are already the stricter ones (spec: holes H30).
    pub users: Vec<UserLine>,
    /// File with the users instead of `user` lines.
    pub acl_file: Option<PathBuf>,
    /// Longest ACL log.
    pub acl_log_max_len: u64,
    /// Channel rules of new users.
    pub acl_pubsub_default: ChannelDefault,
    /// Output buffer limits of ordinary clients.
    pub output_buffer_normal: BufferLimit,
    /// Output buffer limits of replicas; no effect in Sentinel mode, kept for completeness.
    pub output_buffer_replica: BufferLimit,
    /// Output buffer limits of subscribers.
    pub output_buffer_pubsub: BufferLimit,
    /// Largest query buffer in bytes.
    pub client_query_buffer_limit: u64,
    /// Largest bulk of a request in bytes.
    pub proto_max_bulk_len: u64,
    /// TLS as the file has it.
    pub tls: TlsSettings,
    /// Show the logo also when standard output is no terminal.
    pub always_show_logo: bool,
    /// Set the process title.
    pub set_proc_title: bool,
    /// Its template.
    pub proc_title_template: String,
    /// `rename-command` of this Sentinel itself: old name, new name; an empty new name removes.
    pub renames: Vec<(String, String)>,
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindAddress {
    /// Address or `*`.
    pub address: String,
    /// A leading `-`: it is no error if the address is not available.
    pub optional: bool,
}

/// One `user` line.
#[derive(Clone, PartialEq, Eq)]
pub struct UserLine {
    /// The user.
    pub name: Vec<u8>,
    /// Its rules, unquoted, not checked. They may hold passwords.
    pub rules: Vec<Vec<u8>>,
    /// Where it stands.
    pub origin: Origin,
    /// On which line.
    pub number: usize,
    /// The line itself.
    pub(crate) text: Vec<u8>,
}

/// Rules are not shown: they may hold passwords.
impl fmt::Debug for UserLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, place) = (String::from_utf8_lossy(&self.name), self.origin.place(self.number));
        write!(f, "user {name} *** ({place})")
    }
}

impl UserLine {
    /// The fatal error of a rule that the access control does not know: `index` counts the rules
    /// from 0. The word it names is the reference's: two before the bad one.
    #[must_use]
    pub fn bad_rule(&self, index: usize, reason: &str) -> ConfigError {
        let named = match index {
            0 => b"user".to_vec(),
            1 => self.name.clone(),
            _ => self.rules.get(index - 2).map(|rule| without_password(rule)).unwrap_or_default(),
        };
        ConfigError::Line(BadLine {
            origin: self.origin.clone(),
            number: self.number,
            text: self
                .text
                .split(|byte| *byte == b' ')
                .map(without_password)
                .collect::<Vec<_>>()
                .join(&b' '),
            message: format!(
                "Error in user declaration '{}': {reason}",
                String::from_utf8_lossy(&named)
            ),
        })
    }
}

/// A word of a `user` line as messages may show it.
fn without_password(word: &[u8]) -> Vec<u8> {
    let quotes = word.iter().take_while(|byte| b"\"'(".contains(byte)).count();
    match word.get(quotes) {
        Some(b'>' | b'<') => [&word[..=quotes], b"***"].concat(),
        Some(_) | None => word.to_vec(),
    }
}

/// Limits of an output buffer; zeros are no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferLimit {
    /// Bytes at which the client is closed at once.
    pub hard_bytes: u64,
    /// Bytes at which the client is closed if it stays above.
    pub soft_bytes: u64,
    /// Seconds above the soft limit.
    pub soft_secs: u64,
}

/// The system log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syslog {
    /// Whether it is used.
    pub enabled: bool,
    /// Name of the program in it; none is the reference's default.
    pub ident: Option<String>,
    /// `user` or `local0` to `local7`.
    pub facility: String,
}

/// TLS directives, paths not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// TLS port; 0 listens on none.
    pub port: u16,
    /// Certificate of the listener.
    pub cert_file: Option<PathBuf>,
    /// Its key.
    pub key_file: Option<PathBuf>,
    /// Password of the key.
    pub key_file_pass: Option<Secret>,
    /// Certificate of outgoing links; none is the listener's.
    pub client_cert_file: Option<PathBuf>,
    /// Its key.
    pub client_key_file: Option<PathBuf>,
    /// Password of that key.
    pub client_key_file_pass: Option<Secret>,
    /// Trusted authorities, one file.
    pub ca_cert_file: Option<PathBuf>,
    /// Trusted authorities, a folder.
    pub ca_cert_dir: Option<PathBuf>,
    /// Client certificates.
    pub auth_clients: TlsClientAuth,
    /// All outgoing links use TLS, and hellos announce the TLS port.
    pub replication: bool,
    /// A Sentinel is in no cluster; but the reference reads the certificates for it.
    pub cluster: bool,
    /// Allowed versions, as written.
    pub protocols: Option<String>,
    /// Allowed ciphers up to TLS 1.2, as written.
    pub ciphers: Option<String>,
    /// Allowed cipher suites of TLS 1.3, as written.
    pub ciphersuites: Option<String>,
    /// Diffie-Hellman parameters.
    pub dh_params_file: Option<PathBuf>,
    /// The server's order of ciphers decides.
    pub prefer_server_ciphers: bool,
    /// Sessions can be resumed.
    pub session_caching: bool,
    /// How many.
    pub session_cache_size: u32,
    /// For how many seconds.
    pub session_cache_timeout_secs: u32,
}

macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// The value for a word of the file, already checked and in lower case.
            pub(crate) fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

choices! {
    /// Who supervises the process.
    Supervision {
        /// Upstart.
        Upstart = "upstart",
        /// systemd: readiness is reported to it.
        Systemd = "systemd",
        /// Whoever the environment shows.
        Auto = "auto",
        /// Nobody.
        No = "no",
    }
}

choices! {
    /// Whether clients must show certificates.
    TlsClientAuth {
        /// They need none.
        No = "no",
        /// They must.
        Yes = "yes",
        /// They may.
        Optional = "optional",
    }
}

choices! {
    /// Channels of new users.
    ChannelDefault {
        /// All of them.
        AllChannels = "allchannels",
        /// None.
        ResetChannels = "resetchannels",
    }
}

choices! {
    /// Form of log lines.
    LogFormat {
        /// The classic one.
        Legacy = "legacy",
        /// `key=value` pairs.
        Logfmt = "logfmt",
        /// JSON objects.
        Json = "json",
    }
}

choices! {
    /// Time in log lines.
    LogTimestamps {
        /// The classic one.
        Legacy = "legacy",
        /// ISO 8601.
        Iso8601 = "iso8601",
        /// Milliseconds since 1970.
        Milliseconds = "milliseconds",
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        let any = |address: &str, optional| BindAddress { address: address.into(), optional };
        Self {
            port: 26379,
            bind: vec![any("*", false), any("::*", true)],
            bind_source_addr: None,
            protected_mode: false,
            unix_socket: None,
            unix_socket_perm: 0,
            unix_socket_group: None,
            greets_as_redis: false,
            tcp_backlog: 511,
            timeout_secs: 0,
            tcp_keepalive_secs: 300,
            maxclients: 10_000,
            daemonize: false,
            pidfile: None,
            log_file: None,
            log_format: LogFormat::Legacy,
            log_timestamps: LogTimestamps::Legacy,
            hide_user_data_from_log: None,
            syslog: Syslog { enabled: false, ident: None, facility: "local0".into() },
            supervised: Supervision::No,
            dir: None,
            requirepass: None,
            users: Vec::new(),
            acl_file: None,
            acl_log_max_len: 128,
            acl_pubsub_default: ChannelDefault::ResetChannels,
            output_buffer_normal: BufferLimit::default(),
            output_buffer_replica: BufferLimit::new(256 << 20, 64 << 20, 60),
            output_buffer_pubsub: BufferLimit::new(32 << 20, 8 << 20, 60),
            client_query_buffer_limit: 1 << 30,
            proto_max_bulk_len: 512 << 20,
            tls: TlsSettings::default(),
            always_show_logo: false,
            set_proc_title: true,
            proc_title_template: "{title} {listen-addr} {server-mode}".into(),
            renames: Vec::new(),
        }
    }
}

impl BufferLimit {
    const fn new(hard_bytes: u64, soft_bytes: u64, soft_secs: u64) -> Self {
        Self { hard_bytes, soft_bytes, soft_secs }
    }
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            port: 0,
            cert_file: None,
            key_file: None,
            key_file_pass: None,
            client_cert_file: None,
            client_key_file: None,
            client_key_file_pass: None,
            ca_cert_file: None,
            ca_cert_dir: None,
            auth_clients: TlsClientAuth::Yes,
            replication: false,
            cluster: false,
            protocols: None,
            ciphers: None,
            ciphersuites: None,
            dh_params_file: None,
            prefer_server_ciphers: false,
            session_caching: true,
            session_cache_size: 20_480,
            session_cache_timeout_secs: 300,
        }
    }
}
