//! CLIENT, except KILL.

use std::fmt::Write;

use bytes::Bytes;
use vedette_resp::{Frame, Protocol, parse_integer};

use super::connection::is_plain;
use crate::connection::{ClientClass, Connection, ReplyMode};
use crate::dispatch::Call;
use crate::fault::{Pause, PauseMode};
use crate::reply::{self, Reply, error, literal, shown};
use crate::{ConnId, Node};

pub(crate) fn id(node: &mut Node, call: &Call<'_>) -> Reply {
    match node.caller(call) {
        Some((_, connection)) => {
            Frame::Integer(i64::try_from(connection.client_id).unwrap_or(i64::MAX)).into()
        }
        None => Reply::None,
    }
}

pub(crate) fn getname(node: &mut Node, call: &Call<'_>) -> Reply {
    match node.caller(call) {
        Some((_, connection)) if !connection.name.is_empty() => {
            Frame::Bulk(connection.name.clone()).into()
        }
        _ => Frame::Null.into(),
    }
}

pub(crate) fn setname(node: &mut Node, call: &Call<'_>) -> Reply {
    let name = &call.args[2];
    if !is_plain(name) {
        return reply::BAD_CLIENT_NAME.into();
    }
    if let Some((_, connection)) = node.caller(call) {
        connection.name = name.clone();
    }
    Frame::OK.into()
}

/// Accepted and forgotten; Redis has it from 7.2 on.
pub(crate) fn setinfo(_: &mut Node, call: &Call<'_>) -> Reply {
    let attribute = &call.args[2];
    let known = [&b"lib-name"[..], b"lib-ver"];
    if !known.iter().any(|name| attribute.eq_ignore_ascii_case(name)) {
        return error(format!("ERR Unrecognized option '{}'", shown(attribute))).into();
    }
    if !is_plain(&call.args[3]) {
        let attribute = shown(attribute);
        return error(format!(
            "ERR {attribute} cannot contain spaces, newlines or special characters."
        ))
        .into();
    }
    Frame::OK.into()
}

pub(crate) fn no_evict(node: &mut Node, call: &Call<'_>) -> Reply {
    let word = &call.args[2];
    let wanted = match word.to_ascii_lowercase().as_slice() {
        b"on" => true,
        b"off" => false,
        _ => return reply::SYNTAX.into(),
    };
    if let Some((_, connection)) = node.caller(call) {
        connection.no_evict = wanted;
    }
    Frame::OK.into()
}

pub(crate) fn reply(node: &mut Node, call: &Call<'_>) -> Reply {
    let Some((_, connection)) = node.caller(call) else { return Reply::None };
    match call.args[2].to_ascii_lowercase().as_slice() {
        b"on" => {
            connection.reply_mode = ReplyMode::On;
            Frame::OK.into()
        }
        b"off" => {
            connection.reply_mode = ReplyMode::Off;
            Reply::None
        }
        b"skip" => {
            if connection.reply_mode != ReplyMode::Off {
                connection.reply_mode = ReplyMode::SkipNext;
            }
            Reply::None
        }
        _ => reply::SYNTAX.into(),
    }
}

pub(crate) fn pause(node: &mut Node, call: &Call<'_>) -> Reply {
    let mode = match call.args.get(3).map(|word| word.to_ascii_lowercase()) {
        None => PauseMode::All,
        Some(word) if word == b"all" => PauseMode::All,
        Some(word) if word == b"write" => PauseMode::Write,
        Some(_) => return literal("ERR CLIENT PAUSE mode must be WRITE or ALL").into(),
    };
    if call.args.len() > 4 {
        return reply::SYNTAX.into();
    }
    let Some(timeout) = parse_integer(&call.args[2]) else {
        return literal("ERR timeout is not an integer or out of range").into();
    };
    let Ok(timeout) = u64::try_from(timeout) else {
        return literal("ERR timeout is negative").into();
    };
    let mut wanted = Pause { until: node.now.saturating_add(timeout), mode };
    if let Some(current) = &node.condition.pause {
        // A pause is only ever extended, and a stronger one stays.
        wanted.until = wanted.until.max(current.until);
        if current.mode == PauseMode::All {
            wanted.mode = PauseMode::All;
        }
    }
    node.condition.pause = Some(wanted);
    Frame::OK.into()
}

pub(crate) fn unpause(node: &mut Node, _: &Call<'_>) -> Reply {
    // Held requests go on when this input's deadlines are looked at.
    if let Some(pause) = &mut node.condition.pause {
        pause.until = node.now;
    }
    Frame::OK.into()
}

pub(crate) fn info(node: &mut Node, call: &Call<'_>) -> Reply {
    let Some((conn, connection)) = node.caller(call) else { return Reply::None };
    let protocol = connection.protocol;
    text_reply(node.client_line(conn), protocol)
}

fn text_reply(text: String, protocol: Protocol) -> Reply {
    match protocol {
        Protocol::Resp2 => Frame::bulk(text).into(),
        Protocol::Resp3 => Frame::verbatim(text).into(),
    }
}

pub(crate) fn list(node: &mut Node, call: &Call<'_>) -> Reply {
    let wanted = match read_filter(&call.args[2..]) {
        Ok(wanted) => wanted,
        Err(frame) => return frame.into(),
    };
    let mut lines = String::new();
    let mut connections: Vec<(&ConnId, &Connection)> = node.connections.iter().collect();
    connections.sort_by_key(|(_, connection)| connection.client_id);
    for (conn, connection) in connections {
        let fits = match &wanted {
            Filter::All => true,
            Filter::Class(class) => connection.class() == *class,
            Filter::Ids(ids) => ids.contains(&connection.client_id),
        };
        if fits {
            lines.push_str(&node.client_line(*conn));
        }
    }
    let protocol = node.caller(call).map(|(_, connection)| connection.protocol);
    text_reply(lines, protocol.unwrap_or_default())
}

enum Filter {
    All,
    Class(ClientClass),
    Ids(Vec<u64>),
}

fn read_filter(words: &[Bytes]) -> Result<Filter, Frame> {
    match words {
        [] => Ok(Filter::All),
        [option, class] if option.eq_ignore_ascii_case(b"type") => {
            match ClientClass::parse(class) {
                Some(class) => Ok(Filter::Class(class)),
                None => Err(error(format!("ERR Unknown client type '{}'", shown(class)))),
            }
        }
        [option, ids @ ..] if option.eq_ignore_ascii_case(b"id") && !ids.is_empty() => {
            let id = |word: &Bytes| parse_integer(word).and_then(|id| u64::try_from(id).ok());
            let ids: Option<Vec<u64>> = ids.iter().map(id).collect();
            ids.map(Filter::Ids).ok_or(literal("ERR Invalid client ID"))
        }
        _ => Err(reply::SYNTAX),
    }
}

impl Node {
    /// One line of CLIENT LIST (spec: interface 4.9). Memory figures are zero.
    fn client_line(&self, conn: ConnId) -> String {
        let Some(connection) = self.connections.get(&conn) else { return String::new() };
        let mut flags = String::new();
        let marks = [
            (connection.replica.is_some(), 'S'),
            (connection.subscriptions() > 0, 'P'),
            (connection.transaction.is_some(), 'x'),
            (connection.blocked, 'b'),
            (connection.no_evict, 'e'),
        ];
        flags.extend(marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark));
        if flags.is_empty() {
            flags.push('N');
        }
        let multi = match &connection.transaction {
            Some(transaction) => transaction.queued.len().to_string(),
            None => "-1".to_owned(),
        };
        let mut line = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(
            line,
            "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={flags} db=0 sub={} psub={} \
             ssub=0 multi={multi} qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 \
             omem=0 tot-mem=0 events=r cmd={} user={} redir=-1 resp={}",
            connection.client_id,
            connection.peer,
            connection.local,
            8 + conn.0,
            shown(&connection.name),
            (self.now - connection.opened_at) / 1000,
            (self.now - connection.active_at) / 1000,
            connection.channels.len(),
            connection.patterns.len(),
            connection.last_command,
            connection.user.as_deref().unwrap_or("default"),
            if connection.protocol == Protocol::Resp3 { 3 } else { 2 },
        );
        line
    }
}
