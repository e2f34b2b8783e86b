//! `SENTINEL CONFIG SET` (spec: interface 2.15).

use bytes::Bytes;
use vedette_core::{ConfigOption, LogLevel, Request, Secret};
use vedette_resp::parse_integer;

use super::{MASKED, Parsed, is_saveable_password, saveable};
use crate::reply::{Reply, error_with};

/// `<name> <value> …`; all pairs are checked before any is submitted.
///
/// # Errors
/// The complaint about the first pair that is wrong: unknown, repeated, without a value, or with
/// one that does not fit.
pub fn parse(words: &[Bytes]) -> Parsed {
    let mut options: Vec<ConfigOption> = Vec::new();
    for pair in words.chunks(2) {
        let name = &pair[0];
        let setting = Setting::find(name)
            .ok_or_else(|| error_with(&[b"ERR Invalid argument '", name, b"' to ", COMMAND]))?;
        if options.iter().any(|option| Setting::of(option) == setting) {
            return Err(error_with(&[b"ERR Duplicate argument '", name, b"' to ", COMMAND]));
        }
        let [_, value] = pair else {
            return Err(error_with(&[b"ERR Missing argument '", name, b"' value"]));
        };
        options.push(setting.parse(value).ok_or_else(|| invalid(setting, name, value))?);
    }
    Ok(Request::ConfigSet(options))
}

const COMMAND: &[u8] = b"SENTINEL CONFIG SET";

fn invalid(setting: Setting, name: &[u8], value: &[u8]) -> Reply {
    let value = if setting == Setting::SentinelPass { MASKED.as_bytes() } else { value };
    error_with(&[b"ERR Invalid value '", value, b"' to ", COMMAND, b" '", name, b"'"])
}

/// What can be set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Setting {
    ResolveHostnames,
    AnnounceHostnames,
    AnnounceIp,
    AnnouncePort,
    SentinelUser,
    SentinelPass,
    LogLevel,
}

impl Setting {
    fn find(name: &[u8]) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_slice() {
            b"resolve-hostnames" => Self::ResolveHostnames,
            b"announce-hostnames" => Self::AnnounceHostnames,
            b"announce-ip" => Self::AnnounceIp,
            b"announce-port" => Self::AnnouncePort,
            b"sentinel-user" => Self::SentinelUser,
            b"sentinel-pass" => Self::SentinelPass,
            b"loglevel" => Self::LogLevel,
            _ => return None,
        })
    }

    fn of(option: &ConfigOption) -> Self {
        match option {
            ConfigOption::ResolveHostnames(_) => Self::ResolveHostnames,
            ConfigOption::AnnounceHostnames(_) => Self::AnnounceHostnames,
            ConfigOption::AnnounceIp(_) => Self::AnnounceIp,
            ConfigOption::AnnouncePort(_) => Self::AnnouncePort,
            ConfigOption::SentinelUser(_) => Self::SentinelUser,
            ConfigOption::SentinelPass(_) => Self::SentinelPass,
            ConfigOption::LogLevel(_) => Self::LogLevel,
        }
    }

    /// An empty text, and port 0, unset.
    fn parse(self, value: &[u8]) -> Option<ConfigOption> {
        let text = || saveable(value).map(|text| (!text.is_empty()).then(|| text.into()));
        Some(match self {
            Self::ResolveHostnames => ConfigOption::ResolveHostnames(yes_no(value)?),
            Self::AnnounceHostnames => ConfigOption::AnnounceHostnames(yes_no(value)?),
            Self::AnnounceIp => ConfigOption::AnnounceIp(text()?),
            Self::AnnouncePort => {
                let port = u16::try_from(parse_integer(value)?).ok()?;
                ConfigOption::AnnouncePort((port != 0).then_some(port))
            }
            Self::SentinelUser => ConfigOption::SentinelUser(text()?),
            Self::SentinelPass => {
                is_saveable_password(value).then_some(())?;
                let password = (!value.is_empty()).then(|| Secret::new(value));
                ConfigOption::SentinelPass(password)
            }
            Self::LogLevel => ConfigOption::LogLevel(log_level(value)?),
        })
    }
}

fn yes_no(value: &[u8]) -> Option<bool> {
    match value.to_ascii_lowercase().as_slice() {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}

fn log_level(value: &[u8]) -> Option<LogLevel> {
    Some(match value.to_ascii_lowercase().as_slice() {
        b"debug" => LogLevel::Debug,
        b"verbose" => LogLevel::Verbose,
        b"notice" => LogLevel::Notice,
        b"warning" => LogLevel::Warning,
        b"nothing" => LogLevel::Nothing,
        _ => return None,
    })
}
