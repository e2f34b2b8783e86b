//! What fellow Sentinels send: questions, vote requests, hellos (spec: interface 2.7, 4.7).

use bytes::Bytes;
use vedette_core::{Endpoint, Epoch, Request, SentinelId, Wants};
use vedette_resp::parse_integer;

use super::Parsed;
use crate::hello::HELLO_CHANNEL;
use crate::link::HelloMemory;
use crate::reply::{error, not_an_integer};

/// `<ip> <port> <epoch> <runid>`. A port that no address has, or a host that is no text, matches
/// no master; the core then answers `:0`.
///
/// # Errors
/// A port or epoch that is no integer, and an epoch below zero (spec: holes H17).
pub fn is_master_down(args: &[Bytes; 4]) -> Parsed {
    let [host, port, epoch, id] = args;
    let port = parse_integer(port).ok_or_else(not_an_integer)?;
    let epoch = parse_integer(epoch)
        .and_then(|epoch| u64::try_from(epoch).ok())
        .and_then(Epoch::new)
        .ok_or_else(not_an_integer)?;
    let wants = match core::str::from_utf8(id) {
        Ok("*") => Wants::Opinion,
        Ok(id) => SentinelId::parse(id).map_or(Wants::VoteForStranger, Wants::VoteFor),
        Err(_) => Wants::VoteForStranger,
    };
    let host = String::from_utf8_lossy(host);
    let address = Endpoint::new(&host, u16::try_from(port).unwrap_or(0));
    Ok(Request::IsMasterDown { address, epoch, wants })
}

/// `PUBLISH`: only the hello channel exists.
///
/// # Errors
/// Another channel.
pub fn publish(channel: &[u8], payload: &[u8], heard: &mut HelloMemory) -> Parsed {
    if channel != HELLO_CHANNEL.as_bytes() {
        return Err(error("ERR Only HELLO messages are accepted by Sentinel instances."));
    }
    Ok(Request::Hello(heard.read(payload)))
}
