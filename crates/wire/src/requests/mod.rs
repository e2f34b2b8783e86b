//! Commands that need the core: from words to [`Request`]s, with the reference's checks in the
//! reference's order. Nothing is submitted unless everything is right (spec: holes H38).

pub mod config_set;
pub mod debug;
pub mod failover;
pub mod monitor;
pub mod peer;
pub mod reset;
pub mod set;
pub mod simulate_failure;

use std::sync::Arc;

use bytes::Bytes;
use vedette_core::{MasterName, Request};

use crate::Dialect;
use crate::reply::{Reply, error, no_such_master};

/// A request, or the error that answers the command at once.
pub type Parsed = Result<Request, Reply>;

/// A master's name; one that is no text names no master.
///
/// # Errors
/// The reply for an unknown master.
pub fn master_name(name: &[u8]) -> Result<MasterName, Reply> {
    core::str::from_utf8(name).map(Arc::from).map_err(|_| no_such_master())
}

/// A text that can be saved in the file: UTF-8 without control characters (spec: holes H24).
fn saveable(value: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(value).ok()?;
    (!text.chars().any(char::is_control)).then_some(text)
}

/// Whether a password can be saved in the file: any bytes but control characters.
fn is_saveable_password(value: &[u8]) -> bool {
    !value.iter().any(u8::is_ascii_control)
}

/// Valkey's refusal of control characters in the words of `command`, of which the first is the one
/// of this number in the whole request; Redis has none.
///
/// # Errors
/// The complaint about the first such word.
pub fn refuse_control_characters(
    words: &[Bytes],
    first: usize,
    command: &str,
    dialect: Dialect,
) -> Result<(), Reply> {
    let is_bad = |word: &Bytes| word.iter().any(u8::is_ascii_control);
    match (dialect, words.iter().position(is_bad)) {
        (Dialect::Valkey, Some(place)) => Err(error(format!(
            "ERR Invalid argument at index {} for SENTINEL {command}: control characters are not \
             allowed",
            first + place
        ))),
        (Dialect::Valkey, None) | (Dialect::Redis, _) => Ok(()),
    }
}

/// How a password is shown.
const MASKED: &str = "******";

#[cfg(test)]
mod tests;
