//! Replies as answers, each kind on its own.

use std::sync::Arc;

use vedette_core::{HandOverReply, InfoAnswer, Opinion, PingReply, SentinelId};
use vedette_resp::Frame;

use crate::hello::epoch;
use crate::info::parse_info;

/// Only simple strings and errors count; what they begin with decides (spec: behaviour 8.1).
pub(super) fn ping(frame: &Frame) -> PingReply {
    let text = match frame {
        Frame::Simple(text) | Frame::Error(text) => text,
        _ => return PingReply::Other,
    };
    if text.starts_with(b"PONG") {
        PingReply::Pong
    } else if text.starts_with(b"LOADING") || text.starts_with(b"MASTERDOWN") {
        PingReply::Loading
    } else if text.starts_with(b"BUSY") {
        PingReply::Busy
    } else {
        PingReply::Other
    }
}

/// Only a bulk or verbatim string is read (spec: behaviour 7.1).
pub(super) fn info(frame: &Frame) -> InfoAnswer {
    let report = match frame {
        Frame::Error(_) | Frame::BlobError(_) => return InfoAnswer::Refused,
        Frame::Bulk(text) => parse_info(text),
        Frame::Verbatim(verbatim) => parse_info(&verbatim.text),
        _ => None,
    };
    report.map_or(InfoAnswer::Garbage, |report| InfoAnswer::Report(Arc::new(report)))
}

/// `[integer, string, integer]`; an id that is none counts as no vote (spec: behaviour 9.4).
pub(super) fn opinion(frame: &Frame) -> Option<Opinion> {
    match frame {
        Frame::Array(items) => match items.as_slice() {
            [Frame::Integer(down), Frame::Bulk(leader), Frame::Integer(number)] => Some(Opinion {
                down: *down == 1,
                leader: core::str::from_utf8(leader).ok().and_then(SentinelId::parse),
                leader_epoch: epoch(&number.to_string())?,
            }),
            _ => None,
        },
        _ => None,
    }
}

/// Longest refusal that is passed on, in bytes.
const REFUSAL_MAX: usize = 200;

/// The answer to `FAILOVER TO`: anything but an error begins it.
pub(super) fn hand_over(frame: &Frame) -> HandOverReply {
    if !frame.is_error() {
        return HandOverReply::Begun;
    }
    let text = frame.text().map(|text| &text[..text.len().min(REFUSAL_MAX)]);
    let text = String::from_utf8_lossy(text.unwrap_or_default());
    let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
    HandOverReply::Refused(text.into())
}

/// An error that names this command: it is unknown or forbidden.
pub(super) fn is_refusal_of(frame: &Frame, command: &str) -> bool {
    let text = frame.text().filter(|_| frame.is_error());
    let text = text.map(|text| String::from_utf8_lossy(text).to_ascii_lowercase());
    text.is_some_and(|text| text.contains(&format!("'{command}'")))
}

/// The confirmation of a subscription.
pub(super) fn is_subscription(frame: &Frame) -> bool {
    match frame.items() {
        Some([kind, _, _]) => kind.text().is_some_and(|kind| kind == "subscribe"),
        Some(_) | None => false,
    }
}

/// The payload of a published message.
pub(super) fn message(frame: &Frame) -> Option<&[u8]> {
    match frame.items()? {
        [Frame::Bulk(kind), Frame::Bulk(_), Frame::Bulk(payload)] if kind == "message" => {
            Some(payload)
        }
        _ => None,
    }
}
