//! `SENTINEL CONFIG GET` and `SENTINEL DEBUG` without arguments (spec: interface 2.14, 2.19).

use vedette_core::{LogLevel, ProcessView, Settings, Tunable};

use crate::glob::{Case, matches};
use crate::reply::{Reply, bulk, number, word};

/// How a setting is shown; `exact` says that it was asked for by its exact name.
type Show = fn(&Settings, exact: bool) -> Reply;

/// The process-wide settings, in the order in which they are listed.
const SETTINGS: [(&str, Show); 7] = [
    ("resolve-hostnames", |settings, _| yes_no(settings.resolve_hostnames)),
    ("announce-hostnames", |settings, _| yes_no(settings.announce_hostnames)),
    ("announce-ip", |settings, _| text(settings.announce_ip.as_deref())),
    ("announce-port", |settings, _| number(settings.announce_port.unwrap_or(0))),
    ("sentinel-user", |settings, _| text(settings.sentinel_user.as_deref())),
    ("sentinel-pass", password),
    ("loglevel", |settings, _| word(level_name(settings.log_level))),
];

/// `SENTINEL CONFIG GET <pattern>…`: each name once, where the first pattern matches it. A pattern
/// hides the password; its exact name shows it (spec: holes H39).
#[must_use]
pub fn config<T: AsRef<[u8]>>(process: Option<&ProcessView>, patterns: &[T]) -> Reply {
    let Some(process) = process else { return Reply::Map(Vec::new()) };
    let mut pairs = Vec::new();
    let mut shown = [false; SETTINGS.len()];
    for pattern in patterns.iter().map(AsRef::as_ref) {
        for ((name, show), shown) in SETTINGS.iter().zip(&mut shown) {
            if !*shown && matches(pattern, name.as_bytes(), Case::Insensitive) {
                *shown = true;
                let exact = pattern.eq_ignore_ascii_case(name.as_bytes());
                pairs.push((word(name), show(&process.settings, exact)));
            }
        }
    }
    Reply::Map(pairs)
}

fn password(settings: &Settings, exact: bool) -> Reply {
    match &settings.sentinel_pass {
        Some(password) if exact => bulk(password.expose()),
        Some(_) => word("******"),
        None => word(""),
    }
}

fn text(text: Option<&str>) -> Reply {
    bulk(text.unwrap_or_default())
}

fn yes_no(value: bool) -> Reply {
    word(if value { "yes" } else { "no" })
}

/// A log level as `loglevel` spells it.
#[must_use]
pub const fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Verbose => "verbose",
        LogLevel::Notice => "notice",
        LogLevel::Warning => "warning",
        LogLevel::Nothing => "nothing",
    }
}

/// `SENTINEL DEBUG`: every tunable in milliseconds.
#[must_use]
pub fn tunables(process: Option<&ProcessView>) -> Reply {
    let value = |tunable: Tunable, default| {
        process.map_or(default, |process| process.tunables.get(tunable).0)
    };
    let pairs = Tunable::ALL.iter().map(|(tunable, default)| {
        (word(tunable_name(*tunable)), number(value(*tunable, *default)))
    });
    Reply::Map(pairs.collect())
}

/// A tunable's name, upper-case.
#[must_use]
pub const fn tunable_name(tunable: Tunable) -> &'static str {
    match tunable {
        Tunable::InfoPeriod => "INFO-PERIOD",
        Tunable::PingPeriod => "PING-PERIOD",
        Tunable::AskPeriod => "ASK-PERIOD",
        Tunable::PublishPeriod => "PUBLISH-PERIOD",
        Tunable::DefaultDownAfter => "DEFAULT-DOWN-AFTER",
        Tunable::DefaultFailoverTimeout => "DEFAULT-FAILOVER-TIMEOUT",
        Tunable::TiltTrigger => "TILT-TRIGGER",
        Tunable::TiltPeriod => "TILT-PERIOD",
        Tunable::SlaveReconfTimeout => "SLAVE-RECONF-TIMEOUT",
        Tunable::MinLinkReconnectPeriod => "MIN-LINK-RECONNECT-PERIOD",
        Tunable::ElectionTimeout => "ELECTION-TIMEOUT",
        Tunable::ScriptMaxRuntime => "SCRIPT-MAX-RUNTIME",
        Tunable::ScriptRetryDelay => "SCRIPT-RETRY-DELAY",
    }
}
