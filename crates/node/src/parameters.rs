//! CONFIG parameters: those a Sentinel, an operator or a test of one touches.

use std::collections::BTreeMap;

use crate::glob;

/// What values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Flag,
    Number {
        min: i64,
        max: i64,
    },
    /// A number of bytes, with units when set.
    Memory,
    Text,
    OneOf(&'static [&'static str]),
    /// Not settable at run time.
    Fixed,
}

/// One parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// The other spelling, if there is one.
    pub(crate) alias: &'static str,
    pub(crate) default: &'static str,
    pub(crate) kind: Kind,
}

const INT: Kind = Kind::Number { min: 0, max: i32::MAX as i64 };
const POSITIVE: Kind = Kind::Number { min: 1, max: i32::MAX as i64 };
const POLICIES: Kind = Kind::OneOf(&[
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "noeviction",
]);

const fn plain(name: &'static str, default: &'static str, kind: Kind) -> Parameter {
    Parameter { name, alias: "", default, kind }
}

const fn aliased(
    name: &'static str,
    alias: &'static str,
    default: &'static str,
    kind: Kind,
) -> Parameter {
    Parameter { name, alias, default, kind }
}

/// All known parameters.
pub(crate) const PARAMETERS: &[Parameter] = &[
    plain("appendfsync", "everysec", Kind::OneOf(&["everysec", "always", "no"])),
    plain("appendonly", "no", Kind::Flag),
    plain("bind", "* -::*", Kind::Text),
    plain("databases", "16", Kind::Fixed),
    plain("dbfilename", "dump.rdb", Kind::Text),
    plain("dir", "/var/lib/redis", Kind::Text),
    plain("hz", "10", INT),
    plain("loglevel", "notice", Kind::OneOf(&["debug", "verbose", "notice", "warning"])),
    plain("masterauth", "", Kind::Text),
    plain("masteruser", "", Kind::Text),
    plain("maxclients", "10000", POSITIVE),
    plain("maxmemory", "0", Kind::Memory),
    plain("maxmemory-policy", "noeviction", POLICIES),
    aliased("min-replicas-max-lag", "min-slaves-max-lag", "10", INT),
    aliased("min-replicas-to-write", "min-slaves-to-write", "0", INT),
    plain("port", "6379", INT),
    plain("protected-mode", "yes", Kind::Flag),
    plain("repl-backlog-size", "1048576", Kind::Memory),
    plain("repl-backlog-ttl", "3600", INT),
    plain("repl-diskless-sync", "yes", Kind::Flag),
    plain("repl-diskless-sync-delay", "5", INT),
    aliased("repl-ping-replica-period", "repl-ping-slave-period", "10", POSITIVE),
    plain("repl-timeout", "60", POSITIVE),
    aliased("replica-announce-ip", "slave-announce-ip", "", Kind::Text),
    aliased(
        "replica-announce-port",
        "slave-announce-port",
        "0",
        Kind::Number { min: 0, max: 65535 },
    ),
    plain("replica-announced", "yes", Kind::Flag),
    aliased("replica-priority", "slave-priority", "100", INT),
    aliased("replica-read-only", "slave-read-only", "yes", Kind::Flag),
    aliased("replica-serve-stale-data", "slave-serve-stale-data", "yes", Kind::Flag),
    plain("requirepass", "", Kind::Text),
    plain("save", "3600 1 300 100 60 10000", Kind::Text),
    plain("tcp-backlog", "511", Kind::Fixed),
    plain("tcp-keepalive", "300", INT),
    plain("timeout", "0", INT),
];

/// The values that differ from the defaults.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters {
    set: BTreeMap<&'static str, String>,
}

impl Parameters {
    /// Unknown names and bad values are ignored.
    pub(crate) fn new(values: &[(String, String)]) -> Self {
        let mut parameters = Self::default();
        for (name, value) in values {
            if let Some(parameter) = find(name) {
                parameters.set.insert(parameter.name, value.clone());
            }
        }
        parameters
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        match self.set.get(name) {
            Some(value) => value,
            None => find(name).map_or("", |parameter| parameter.default),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.text(name) == "yes"
    }

    pub(crate) fn size(&self, name: &str) -> usize {
        self.text(name).parse().unwrap_or(0)
    }

    pub(crate) fn password(&self) -> &str {
        self.text("requirepass")
    }

    pub(crate) fn set(&mut self, parameter: &'static Parameter, value: String) {
        self.set.insert(parameter.name, value);
    }

    /// Names, in each spelling, and values that match a pattern. A name that is no pattern comes
    /// back as it was typed.
    pub(crate) fn matching(&self, pattern: &str) -> Vec<(String, &str)> {
        let lower = pattern.to_ascii_lowercase();
        if let Some(parameter) = find(&lower) {
            return vec![(pattern.to_owned(), self.text(parameter.name))];
        }
        let spellings = PARAMETERS.iter().flat_map(|parameter| {
            let value = self.text(parameter.name);
            [(parameter.alias, value), (parameter.name, value)]
        });
        spellings
            .filter(|(name, _)| {
                !name.is_empty() && glob::matches(lower.as_bytes(), name.as_bytes())
            })
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

/// A parameter by either spelling, in lower case.
pub(crate) fn find(name: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.name == name || parameter.alias == name)
}

impl Kind {
    /// The value in its stored form, or why it is refused.
    pub(crate) fn read(self, value: &str) -> Result<String, String> {
        let lower = value.to_ascii_lowercase();
        match self {
            Kind::Fixed => Err("can't set immutable config".to_owned()),
            Kind::Flag if lower == "yes" || lower == "no" => Ok(lower),
            Kind::Flag => Err("argument must be 'yes' or 'no'".to_owned()),
            Kind::Text => Ok(value.to_owned()),
            Kind::OneOf(values) if values.contains(&lower.as_str()) => Ok(lower),
            Kind::OneOf(values) => {
                let values = values.join(", ");
                Err(format!("argument(s) must be one of the following: {values}"))
            }
            Kind::Number { min, max } => match vedette_resp::parse_integer(value.as_bytes()) {
                None => Err("argument couldn't be parsed into an integer".to_owned()),
                Some(number) if !(min..=max).contains(&number) => {
                    Err(format!("argument must be between {min} and {max} inclusive"))
                }
                Some(number) => Ok(number.to_string()),
            },
            Kind::Memory => {
                memory(&lower).ok_or_else(|| "argument must be a memory value".to_owned())
            }
        }
    }
}

/// Bytes with an optional unit (spec: interface 8.1).
fn memory(value: &str) -> Option<String> {
    let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = value.split_at(digits);
    let factor: u64 = match unit {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).map(|bytes| bytes.to_string())
}
