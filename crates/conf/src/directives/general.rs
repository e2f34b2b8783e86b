//! The general directives with an effect in Sentinel mode (spec: interface 8.4).

use std::path::PathBuf;

use vedette_core::{LogLevel, Secret, Settings};

use super::ignored::IGNORED;
use super::syntax::{INT_MAX, MEMORY_MAX, Syntax, Value};
use crate::settings::{
    ChannelDefault, LogFormat, LogTimestamps, ServerSettings, Supervision, TlsClientAuth,
};

/// What a general directive is.
#[derive(Clone, Copy)]
pub(crate) enum General {
    /// One value that goes to one place.
    Plain(Syntax, Target),
    /// Accepted without effect.
    Ignored(Syntax),
    /// Needs more than its own words.
    Special(Special),
}

/// Directives that need more than a value and a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    Bind,
    BufferLimit,
    Dir,
    Include,
    LoadModule,
    ProcTitleTemplate,
    RenameCommand,
    User,
}

type Server<T> = fn(&mut ServerSettings) -> &mut T;

/// Where a value goes.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    Flag(Server<bool>),
    MaybeFlag(Server<Option<bool>>),
    Port(Server<u16>),
    Number(Server<u32>),
    Large(Server<u64>),
    Text(Server<Option<String>>),
    Path(Server<Option<PathBuf>>),
    Secret(Server<Option<Secret>>),
    Choice(fn(&mut ServerSettings, &'static str)),
    LogLevel,
}

impl Target {
    /// Stores a value that the syntax accepted.
    pub(crate) fn store(
        self,
        value: Value<'_>,
        server: &mut ServerSettings,
        settings: &mut Settings,
    ) {
        // The syntax of each row bounds its numbers to the target's type.
        match (self, value) {
            (Self::Flag(place), Value::Flag(flag)) => *place(server) = flag,
            (Self::MaybeFlag(place), Value::Flag(flag)) => *place(server) = Some(flag),
            (Self::Port(place), Value::Number(n)) => *place(server) = u16::try_from(n).unwrap_or(0),
            (Self::Number(place), Value::Number(n)) => {
                *place(server) = u32::try_from(n).unwrap_or(0)
            }
            (Self::Large(place), Value::Number(n)) => *place(server) = n.unsigned_abs(),
            (Self::Large(place), Value::Bytes(bytes)) => *place(server) = bytes,
            (Self::Text(place), Value::Text(text)) => *place(server) = non_empty(text),
            (Self::Path(place), Value::Text(text)) => *place(server) = path(text),
            (Self::Secret(place), Value::Text(text)) => {
                *place(server) = (!text.is_empty()).then(|| Secret::new(text));
            }
            (Self::Choice(store), Value::Choice(word)) => store(server, word),
            (Self::LogLevel, Value::Choice(word)) => settings.log_level = log_level(word),
            // No row of the table combines anything else.
            _ => {}
        }
    }
}

fn non_empty(text: &[u8]) -> Option<String> {
    (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
}

fn path(text: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    (!text.is_empty()).then(|| PathBuf::from(std::ffi::OsStr::from_bytes(text)))
}

fn log_level(word: &str) -> LogLevel {
    match word {
        "debug" => LogLevel::Debug,
        "verbose" => LogLevel::Verbose,
        "warning" => LogLevel::Warning,
        "nothing" => LogLevel::Nothing,
        _ => LogLevel::Notice,
    }
}

macro_rules! tls_directives {
    ($($variant:ident, $name:literal;)*) => {
        /// A directive of TLS that can be refused when its files and values are looked at.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is named after its directive")]
        pub enum TlsDirective {
            $($variant,)*
        }

        impl TlsDirective {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in the file.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

tls_directives! {
    CertFile, "tls-cert-file";
    KeyFile, "tls-key-file";
    KeyFilePass, "tls-key-file-pass";
    ClientCertFile, "tls-client-cert-file";
    ClientKeyFile, "tls-client-key-file";
    ClientKeyFilePass, "tls-client-key-file-pass";
    CaCertFile, "tls-ca-cert-file";
    CaCertDir, "tls-ca-cert-dir";
    Protocols, "tls-protocols";
    Ciphers, "tls-ciphers";
    Ciphersuites, "tls-ciphersuites";
    DhParamsFile, "tls-dh-params-file";
}

/// The directive of a name in lower case.
pub(crate) fn general(name: &str) -> Option<General> {
    if let Some((_, directive)) = TABLE.iter().find(|(known, _)| *known == name) {
        return Some(*directive);
    }
    let ignored =
        IGNORED.iter().find(|(_, names)| names.split_whitespace().any(|known| known == name));
    ignored.map(|(syntax, _)| General::Ignored(*syntax))
}

const fn flag(place: Server<bool>) -> General {
    General::Plain(Syntax::YesNo, Target::Flag(place))
}

const fn port(place: Server<u16>) -> General {
    General::Plain(Syntax::Integer(0, u16::MAX as i64), Target::Port(place))
}

const fn number(min: i64, max: i64, place: Server<u32>) -> General {
    General::Plain(Syntax::Integer(min, max), Target::Number(place))
}

const fn memory(min: u64, place: Server<u64>) -> General {
    General::Plain(Syntax::Memory(min, MEMORY_MAX), Target::Large(place))
}

const fn text(place: Server<Option<String>>) -> General {
    General::Plain(Syntax::Text, Target::Text(place))
}

const fn file(place: Server<Option<PathBuf>>) -> General {
    General::Plain(Syntax::Text, Target::Path(place))
}

const fn secret(place: Server<Option<Secret>>) -> General {
    General::Plain(Syntax::Text, Target::Secret(place))
}

const fn choice(
    words: &'static [&'static str],
    store: fn(&mut ServerSettings, &'static str),
) -> General {
    General::Plain(Syntax::Choice(words), Target::Choice(store))
}

const MIB: u64 = 1 << 20;
const LOG_LEVELS: &[&str] = &["debug", "verbose", "notice", "warning", "nothing"];
const FACILITIES: &[&str] =
    &["user", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"];

const TABLE: &[(&str, General)] = &[
    ("bind", General::Special(Special::Bind)),
    ("client-output-buffer-limit", General::Special(Special::BufferLimit)),
    ("dir", General::Special(Special::Dir)),
    ("include", General::Special(Special::Include)),
    ("loadmodule", General::Special(Special::LoadModule)),
    ("proc-title-template", General::Special(Special::ProcTitleTemplate)),
    ("rename-command", General::Special(Special::RenameCommand)),
    ("user", General::Special(Special::User)),
    ("loglevel", General::Plain(Syntax::Choice(LOG_LEVELS), Target::LogLevel)),
    ("port", port(|s| &mut s.port)),
    ("bind-source-addr", text(|s| &mut s.bind_source_addr)),
    ("protected-mode", flag(|s| &mut s.protected_mode)),
    ("unixsocket", file(|s| &mut s.unix_socket)),
    ("unixsocketperm", General::Plain(Syntax::Octal, Target::Number(|s| &mut s.unix_socket_perm))),
    ("unixsocketgroup", text(|s| &mut s.unix_socket_group)),
    ("extended-redis-compatibility", flag(|s| &mut s.greets_as_redis)),
    ("tcp-backlog", number(0, INT_MAX, |s| &mut s.tcp_backlog)),
    ("timeout", number(0, INT_MAX, |s| &mut s.timeout_secs)),
    ("tcp-keepalive", number(0, INT_MAX, |s| &mut s.tcp_keepalive_secs)),
    ("maxclients", number(1, u32::MAX as i64, |s| &mut s.maxclients)),
    ("daemonize", flag(|s| &mut s.daemonize)),
    ("pidfile", file(|s| &mut s.pidfile)),
    ("logfile", file(|s| &mut s.log_file)),
    (
        "log-format",
        choice(&["legacy", "logfmt", "json"], |s, word| {
            s.log_format = LogFormat::from_word(word).unwrap_or(s.log_format);
        }),
    ),
    (
        "log-timestamp-format",
        choice(&["legacy", "iso8601", "milliseconds"], |s, word| {
            s.log_timestamps = LogTimestamps::from_word(word).unwrap_or(s.log_timestamps);
        }),
    ),
    (
        "hide-user-data-from-log",
        General::Plain(Syntax::YesNo, Target::MaybeFlag(|s| &mut s.hide_user_data_from_log)),
    ),
    ("syslog-enabled", flag(|s| &mut s.syslog.enabled)),
    ("syslog-ident", text(|s| &mut s.syslog.ident)),
    ("syslog-facility", choice(FACILITIES, |s, word| s.syslog.facility = word.into())),
    (
        "supervised",
        choice(&["upstart", "systemd", "auto", "no"], |s, word| {
            s.supervised = Supervision::from_word(word).unwrap_or(s.supervised);
        }),
    ),
    ("requirepass", secret(|s| &mut s.requirepass)),
    ("aclfile", file(|s| &mut s.acl_file)),
    (
        "acllog-max-len",
        General::Plain(Syntax::Integer(0, i64::MAX), Target::Large(|s| &mut s.acl_log_max_len)),
    ),
    (
        "acl-pubsub-default",
        choice(&["allchannels", "resetchannels"], |s, word| {
            s.acl_pubsub_default = ChannelDefault::from_word(word).unwrap_or(s.acl_pubsub_default);
        }),
    ),
    ("client-query-buffer-limit", memory(MIB, |s| &mut s.client_query_buffer_limit)),
    ("proto-max-bulk-len", memory(MIB, |s| &mut s.proto_max_bulk_len)),
    ("always-show-logo", flag(|s| &mut s.always_show_logo)),
    ("set-proc-title", flag(|s| &mut s.set_proc_title)),
    ("tls-port", port(|s| &mut s.tls.port)),
    ("tls-cert-file", file(|s| &mut s.tls.cert_file)),
    ("tls-key-file", file(|s| &mut s.tls.key_file)),
    ("tls-key-file-pass", secret(|s| &mut s.tls.key_file_pass)),
    ("tls-client-cert-file", file(|s| &mut s.tls.client_cert_file)),
    ("tls-client-key-file", file(|s| &mut s.tls.client_key_file)),
    ("tls-client-key-file-pass", secret(|s| &mut s.tls.client_key_file_pass)),
    ("tls-ca-cert-file", file(|s| &mut s.tls.ca_cert_file)),
    ("tls-ca-cert-dir", file(|s| &mut s.tls.ca_cert_dir)),
    (
        "tls-auth-clients",
        choice(&["no", "yes", "optional"], |s, word| {
            s.tls.auth_clients = TlsClientAuth::from_word(word).unwrap_or(s.tls.auth_clients);
        }),
    ),
    ("tls-replication", flag(|s| &mut s.tls.replication)),
    ("tls-cluster", flag(|s| &mut s.tls.cluster)),
    ("tls-protocols", text(|s| &mut s.tls.protocols)),
    ("tls-ciphers", text(|s| &mut s.tls.ciphers)),
    ("tls-ciphersuites", text(|s| &mut s.tls.ciphersuites)),
    ("tls-dh-params-file", file(|s| &mut s.tls.dh_params_file)),
    ("tls-prefer-server-ciphers", flag(|s| &mut s.tls.prefer_server_ciphers)),
    ("tls-session-caching", flag(|s| &mut s.tls.session_caching)),
    ("tls-session-cache-size", number(0, INT_MAX, |s| &mut s.tls.session_cache_size)),
    ("tls-session-cache-timeout", number(0, INT_MAX, |s| &mut s.tls.session_cache_timeout_secs)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_of_tls_are_in_the_table() {
        for directive in TlsDirective::ALL {
            assert!(matches!(general(directive.name()), Some(General::Plain(..))), "{directive:?}");
        }
    }
}
