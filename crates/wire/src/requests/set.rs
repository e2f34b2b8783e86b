//! `SENTINEL SET` (spec: interface 2.13, holes H24, H32, H38).

use std::sync::Arc;

use bytes::Bytes;
use vedette_core::{MasterName, Request, Secret, SetItem, SetOption, Settings, Span};
use vedette_resp::parse_integer;

use super::{MASKED, Parsed, is_saveable_password, saveable};
use crate::reply::{Reply, error, error_with};

/// What the options are checked against.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The process-wide settings.
    pub settings: &'a Settings,
    /// Whether a file exists and may be executed.
    pub is_executable: &'a dyn Fn(&str) -> bool,
}

/// The options of a master that exists, all of them or none.
///
/// # Errors
/// The reference's complaint about the first option that is wrong.
pub fn parse(name: MasterName, words: &[Bytes], context: Context<'_>) -> Parsed {
    let mut options = Vec::new();
    let mut rest = words;
    while let [option, values @ ..] = rest {
        let (item, used) = item(option, values, context)?;
        options.push(item);
        rest = &values[used..];
    }
    Ok(Request::Set { name, options })
}

/// One option, and how many values it took.
fn item(option: &Bytes, values: &[Bytes], context: Context<'_>) -> Result<(SetItem, usize), Reply> {
    let lower = option.to_ascii_lowercase();
    let parsed = match (lower.as_slice(), values) {
        (b"rename-command", [from, to, ..]) => rename(option, from, to)?,
        (b"rename-command", _) | (_, []) => return Err(unknown(option)),
        (b"auth-pass", [value, ..]) => auth_pass(option, value)?,
        (lower, [value, ..]) => plain(lower, option, value, context)?,
    };
    let mut shown = String::from_utf8_lossy(option).into_owned();
    let used = match &parsed {
        SetOption::RenameCommand { .. } => 2,
        SetOption::AuthPass(_)
        | SetOption::DownAfter(_)
        | SetOption::FailoverTimeout(_)
        | SetOption::ParallelSyncs(_)
        | SetOption::Quorum(_)
        | SetOption::NotificationScript(_)
        | SetOption::ClientReconfigScript(_)
        | SetOption::AuthUser(_)
        | SetOption::RebootDownAfter(_) => 1,
    };
    let masked = matches!(parsed, SetOption::AuthPass(_));
    for value in &values[..used] {
        shown.push(' ');
        shown.push_str(if masked { MASKED } else { core::str::from_utf8(value).unwrap_or("") });
    }
    Ok((SetItem { option: parsed, shown: shown.into() }, used))
}

/// The options with one value that is shown.
fn plain(
    lower: &[u8],
    option: &[u8],
    value: &[u8],
    context: Context<'_>,
) -> Result<SetOption, Reply> {
    let above_zero = || parse_integer(value).filter(|n| *n > 0).ok_or(());
    let invalid = |()| invalid(option, value);
    let millis = || above_zero().map(|n| Span(n.unsigned_abs())).map_err(invalid);
    let small = || above_zero().and_then(|n| u32::try_from(n).map_err(|_| ())).map_err(invalid);
    let script = |complaint| script(option, value, context, complaint);
    Ok(match lower {
        b"down-after-milliseconds" => SetOption::DownAfter(millis()?),
        b"failover-timeout" => SetOption::FailoverTimeout(millis()?),
        b"parallel-syncs" => SetOption::ParallelSyncs(small()?),
        b"quorum" => SetOption::Quorum(small()?),
        b"notification-script" => SetOption::NotificationScript(script(
            "ERR Notification script seems non existing or non executable",
        )?),
        b"client-reconfig-script" => SetOption::ClientReconfigScript(script(
            "ERR Client reconfiguration script seems non existing or non executable",
        )?),
        b"auth-user" => SetOption::AuthUser(text(option, value)?),
        b"master-reboot-down-after-period" | b"primary-reboot-down-after-period" => {
            let period = parse_integer(value).and_then(|n| u64::try_from(n).ok());
            SetOption::RebootDownAfter(Span(period.ok_or(()).map_err(invalid)?))
        }
        _ => return Err(unknown(option)),
    })
}

fn script(
    option: &[u8],
    value: &[u8],
    context: Context<'_>,
    complaint: &'static str,
) -> Result<Option<Arc<str>>, Reply> {
    if context.settings.deny_scripts_reconfig {
        return Err(error(
            "ERR Reconfiguration of scripts path is denied for security reasons. Check the \
             deny-scripts-reconfig configuration directive in your Sentinel configuration",
        ));
    }
    let path = text(option, value)?;
    match path.as_deref().is_none_or(context.is_executable) {
        true => Ok(path),
        false => Err(error(complaint)),
    }
}

fn auth_pass(option: &[u8], value: &Bytes) -> Result<SetOption, Reply> {
    if !is_saveable_password(value) {
        return Err(unsaveable(option, MASKED.as_bytes()));
    }
    Ok(SetOption::AuthPass((!value.is_empty()).then(|| Secret::new(value.to_vec()))))
}

fn rename(option: &[u8], from: &[u8], to: &[u8]) -> Result<SetOption, Reply> {
    let name = |value: &[u8]| match text(option, value)? {
        Some(name) => Ok(name),
        None => Err(invalid(option, value)),
    };
    let (from, to) = (name(from)?, name(to)?);
    Ok(SetOption::RenameCommand { from: from.to_ascii_uppercase().into(), to })
}

/// A text that can be saved; none if it is empty.
fn text(option: &[u8], value: &[u8]) -> Result<Option<Arc<str>>, Reply> {
    let text = saveable(value).ok_or_else(|| unsaveable(option, value))?;
    Ok((!text.is_empty()).then(|| text.into()))
}

fn unknown(option: &[u8]) -> Reply {
    error_with(&[b"ERR Unknown option or number of arguments for SENTINEL SET '", option, b"'"])
}

fn invalid(option: &[u8], value: &[u8]) -> Reply {
    error_with(&[b"ERR Invalid argument '", value, b"' for SENTINEL SET '", option, b"'"])
}

fn unsaveable(option: &[u8], value: &[u8]) -> Reply {
    error_with(&[
        b"ERR Invalid argument '",
        value,
        b"' for SENTINEL SET '",
        option,
        b"': control characters cannot be saved",
    ])
}
