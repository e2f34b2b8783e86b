//! `SENTINEL FAILOVER <name> [COORDINATED]` (spec: interface 2.9).

use bytes::Bytes;
use vedette_core::{Manner, Request};

use super::{Parsed, master_name};
use crate::Dialect;
use crate::reply::error;

/// Redis knows no word after the name, but ours does in both dialects.
/// Parses what follows `SENTINEL FAILOVER`.
///
/// # Errors
/// The reply for other words.
pub fn parse(words: &[Bytes], dialect: Dialect) -> Parsed {
    let (name, manner) = match words {
        [name] => (name, Manner::Forced),
        [name, word] if word.eq_ignore_ascii_case(b"coordinated") => (name, Manner::Coordinated),
        [_, _] if dialect == Dialect::Valkey => {
            return Err(error("ERR Unknown failover option specified"));
        }
        [] | [_, ..] => {
            return Err(error("ERR wrong number of arguments for 'sentinel|failover' command"));
        }
    };
    Ok(Request::Failover(master_name(name)?, manner))
}
