//! TIME, LASTSAVE, DEBUG, SCRIPT, SHUTDOWN, COMMAND.

use bytes::Bytes;
use vedette_resp::Frame;

use crate::dispatch::{Call, Origin};
use crate::reply::{self, Reply, error, literal, shown};
use crate::table::{self, COMMANDS, CommandSpec};
use crate::{CloseKind, Node};

/// A container without a subcommand never gets past its arity.
pub(crate) fn nothing(_: &mut Node, _: &Call<'_>) -> Reply {
    Reply::None
}

pub(crate) fn time(node: &mut Node, _: &Call<'_>) -> Reply {
    let wall_ms = node.config.wall_clock_ms + node.now;
    Frame::Array(vec![
        Frame::bulk((wall_ms / 1000).to_string()),
        Frame::bulk((wall_ms % 1000 * 1000).to_string()),
    ])
    .into()
}

/// The start of the process: nothing is ever saved.
pub(crate) fn lastsave(node: &mut Node, _: &Call<'_>) -> Reply {
    let seconds = (node.config.wall_clock_ms + node.started_at) / 1000;
    Frame::Integer(i64::try_from(seconds).unwrap_or(i64::MAX)).into()
}

/// Only `DEBUG SLEEP seconds`: the whole node sleeps.
pub(crate) fn debug(node: &mut Node, call: &Call<'_>) -> Reply {
    let (Origin::Client(conn), [_, word, seconds]) = (call.origin, call.args) else {
        return unknown_debug(&call.args[1]);
    };
    let seconds: Option<f64> = shown(seconds).parse().ok();
    match seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0) {
        Some(seconds) if word.eq_ignore_ascii_case(b"sleep") => {
            if let Some(connection) = node.connections.get_mut(&conn) {
                connection.blocked = true;
            }
            let until = node.now.saturating_add((seconds * 1000.0) as u64);
            node.halt(Some(until), Some(conn));
            Reply::None
        }
        _ => unknown_debug(word),
    }
}

fn unknown_debug(word: &Bytes) -> Reply {
    let word = shown(word);
    error(format!(
        "ERR Unknown subcommand or wrong number of arguments for '{word}'. Try DEBUG HELP."
    ))
    .into()
}

pub(crate) fn script_kill(node: &mut Node, _: &Call<'_>) -> Reply {
    match node.condition.script {
        None => reply::NOTBUSY.into(),
        Some(script) if script.has_written => reply::UNKILLABLE.into(),
        Some(_) => {
            node.condition.script = None;
            Frame::OK.into()
        }
    }
}

pub(crate) fn script_flush(_: &mut Node, _: &Call<'_>) -> Reply {
    Frame::OK.into()
}

/// `SHUTDOWN [NOSAVE|SAVE] [NOW] [FORCE]`: no answer, the process ends.
pub(crate) fn shutdown(node: &mut Node, call: &Call<'_>) -> Reply {
    let words: Vec<Vec<u8>> = call.args[1..].iter().map(|word| word.to_ascii_lowercase()).collect();
    let has = |word: &[u8]| words.iter().any(|given| given == word);
    let known = [&b"nosave"[..], b"save", b"now", b"force", b"abort"];
    let all_known = words.iter().all(|word| known.contains(&&word[..]));
    if !all_known || (has(b"save") && has(b"nosave")) || (has(b"abort") && words.len() > 1) {
        return reply::SYNTAX.into();
    }
    if has(b"abort") {
        return literal("ERR No shutdown in progress.").into();
    }
    node.die(CloseKind::Graceful);
    Reply::None
}

fn described(spec: &CommandSpec) -> Frame {
    let children = spec.children.iter().map(described).collect();
    Frame::Array(vec![
        Frame::bulk(spec.name),
        Frame::Integer(i64::from(spec.arity)),
        Frame::Set(vec![]),
        Frame::Integer(0),
        Frame::Integer(0),
        Frame::Integer(0),
        Frame::Set(vec![]),
        Frame::Array(vec![]),
        Frame::Array(vec![]),
        Frame::Array(children),
    ])
}

pub(crate) fn command(_: &mut Node, _: &Call<'_>) -> Reply {
    Frame::Array(COMMANDS.iter().map(described).collect()).into()
}

pub(crate) fn command_info(_: &mut Node, call: &Call<'_>) -> Reply {
    let one =
        |name: &Bytes| table::find(&name.to_ascii_lowercase()).map_or(Frame::NullArray, described);
    Frame::Array(call.args[2..].iter().map(one).collect()).into()
}

pub(crate) fn command_count(_: &mut Node, _: &Call<'_>) -> Reply {
    Frame::Integer(i64::try_from(COMMANDS.len()).unwrap_or(i64::MAX)).into()
}

/// No documentation here; command-line clients do without.
pub(crate) fn command_docs(_: &mut Node, _: &Call<'_>) -> Reply {
    Frame::Map(vec![]).into()
}

pub(crate) fn command_list(_: &mut Node, _: &Call<'_>) -> Reply {
    Frame::Array(COMMANDS.iter().map(|spec| Frame::bulk(spec.name)).collect()).into()
}
