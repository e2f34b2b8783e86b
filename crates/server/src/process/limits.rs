//! `maxclients` against the limit of open files (spec: interface 10.1).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::log::{Log, os_words};

/// Descriptors beside those of clients, as the reference reckons.
const RESERVED_FDS: u64 = 32;
/// Below this there is no point in starting.
const MIN_FDS: u64 = 2 * RESERVED_FDS;

/// The limit leaves no room for clients. The display is the log line.
#[derive(Debug, thiserror::Error)]
#[error(
    "Your current 'ulimit -n' of {limit} is not enough for the server to start. Please increase \
     your open file limit to at least {wanted}. Exiting."
)]
pub(crate) struct TooFewDescriptors {
    limit: u64,
    wanted: u64,
}

/// Raises the limit of open files so that `maxclients` fit; returns how many do.
///
/// # Errors
/// If hardly any would.
pub(crate) fn fit_maxclients(maxclients: u64, log: &Log) -> Result<u64, TooFewDescriptors> {
    let wanted = maxclients + RESERVED_FDS;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(current) = current.filter(|current| *current < wanted) else { return Ok(maxclients) };
    let raised = Rlimit { current: Some(wanted), maximum: maximum.map(|max| max.max(wanted)) };
    let Err(error) = setrlimit(Resource::Nofile, raised) else { return Ok(maxclients) };
    let best = maximum.unwrap_or(wanted).min(wanted).max(current);
    let at_most = Rlimit { current: Some(best), maximum };
    let limit = if setrlimit(Resource::Nofile, at_most).is_ok() { best } else { current };
    if limit < MIN_FDS {
        return Err(TooFewDescriptors { limit, wanted });
    }
    let fitting = limit - RESERVED_FDS;
    log.warning(&format!(
        "You requested maxclients of {maxclients} requiring at least {wanted} max file descriptors."
    ));
    log.warning(&format!(
        "Server can't set maximum open files to {wanted} because of OS error: {}.",
        os_words(&error.into())
    ));
    log.warning(&format!(
        "Current maximum open files is {limit}. maxclients has been reduced to {fitting} to \
         compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'."
    ));
    Ok(fitting)
}
