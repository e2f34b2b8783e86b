//! MULTI, EXEC, DISCARD, WATCH, UNWATCH.

use bytes::Bytes;
use vedette_resp::Frame;

use crate::connection::Transaction;
use crate::dispatch::{Call, Origin};
use crate::pubsub::{listen, unlisten};
use crate::reply::{self, Reply, error, literal, shown};
use crate::{ConnId, Node};

pub(crate) fn multi(node: &mut Node, call: &Call<'_>) -> Reply {
    match node.caller(call) {
        Some((_, connection)) if connection.transaction.is_none() => {
            connection.transaction = Some(Box::default());
            Frame::OK.into()
        }
        Some(_) => literal("ERR MULTI calls can not be nested").into(),
        None => Reply::None,
    }
}

pub(crate) fn discard(node: &mut Node, call: &Call<'_>) -> Reply {
    let Some((conn, connection)) = node.caller(call) else { return Reply::None };
    if connection.transaction.take().is_none() {
        return literal("ERR DISCARD without MULTI").into();
    }
    node.unwatch_all(conn);
    Frame::OK.into()
}

pub(crate) fn exec(node: &mut Node, call: &Call<'_>) -> Reply {
    let Some((conn, connection)) = node.caller(call) else { return Reply::None };
    let Some(transaction) = connection.transaction.take() else {
        return literal("ERR EXEC without MULTI").into();
    };
    let watch_broken = connection.watch_broken;
    node.unwatch_all(conn);
    if transaction.broken {
        return reply::EXECABORT.into();
    }
    if watch_broken {
        return Frame::NullArray.into();
    }
    if let Some(refusal) = refusal(node, &transaction) {
        return refusal.into();
    }
    Frame::Array(run_all(node, conn, &transaction)).into()
}

/// A transaction whose EXEC is refused is gone, and the error says why.
fn execabort(why: &Frame) -> Frame {
    let why = why.text().map(|text| shown(text)).unwrap_or_default();
    let why = why.strip_prefix("ERR ").unwrap_or(&why);
    error(format!("EXECABORT Transaction discarded because of: {why}"))
}

/// What was a master when the commands were queued may be a replica by now.
fn refusal(node: &Node, transaction: &Transaction) -> Option<Frame> {
    let writes = |args: &Vec<Bytes>| {
        node.look_up(args).is_ok_and(|spec| spec.flags.has(crate::table::Flags::WRITE))
    };
    let is_replica = node.role() == crate::Role::Replica;
    let blocked = is_replica && node.parameters.flag("replica-read-only");
    if blocked && transaction.queued.iter().any(writes) {
        return Some(execabort(&reply::READONLY));
    }
    None
}

fn run_all(node: &mut Node, conn: ConnId, transaction: &Transaction) -> Vec<Frame> {
    let mut replies = Vec::new();
    for args in &transaction.queued {
        let call = Call { origin: Origin::Client(conn), args };
        match node.look_up(args) {
            Err(frame) => replies.push(frame),
            Ok(spec) => match (spec.run)(node, &call) {
                Reply::None => {}
                Reply::One(frame) => replies.push(frame),
                Reply::Many(frames) => replies.extend(frames),
            },
        }
    }
    replies
}

pub(crate) fn watch(node: &mut Node, call: &Call<'_>) -> Reply {
    let Some((conn, connection)) = node.caller(call) else { return Reply::None };
    if connection.transaction.is_some() {
        return literal("ERR WATCH inside MULTI is not allowed").into();
    }
    connection.watched.extend(call.args[1..].iter().cloned());
    for key in &call.args[1..] {
        listen(&mut node.watchers, key.clone(), conn);
    }
    Frame::OK.into()
}

pub(crate) fn unwatch(node: &mut Node, call: &Call<'_>) -> Reply {
    if let Origin::Client(conn) = call.origin {
        node.unwatch_all(conn);
    }
    Frame::OK.into()
}

impl Node {
    /// EXEC itself did not get through the gates.
    pub(crate) fn refuse_exec(&mut self, conn: ConnId, why: &Frame) -> Frame {
        if let Some(connection) = self.connections.get_mut(&conn) {
            connection.transaction = None;
        }
        self.unwatch_all(conn);
        execabort(why)
    }

    pub(crate) fn unwatch(&mut self, conn: ConnId, key: &Bytes) {
        unlisten(&mut self.watchers, key, conn);
    }

    pub(crate) fn unwatch_all(&mut self, conn: ConnId) {
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        connection.watch_broken = false;
        for key in std::mem::take(&mut connection.watched) {
            self.unwatch(conn, &key);
        }
    }

    /// A key has changed: transactions that watch it fail.
    pub(crate) fn break_watches(&mut self, key: &Bytes) {
        for conn in self.watchers.get(key).cloned().unwrap_or_default() {
            if let Some(connection) = self.connections.get_mut(&conn) {
                connection.watch_broken = true;
            }
        }
    }
}
