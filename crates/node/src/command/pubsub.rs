//! SUBSCRIBE, PSUBSCRIBE, UNSUBSCRIBE, PUNSUBSCRIBE, PUBLISH.

use bytes::Bytes;
use vedette_resp::Frame;

use crate::connection::Connection;
use crate::dispatch::{Call, Origin};
use crate::pubsub::{listen, unlisten};
use crate::reply::Reply;
use crate::{ConnId, Node, Role};

pub(crate) fn subscribe(node: &mut Node, call: &Call<'_>) -> Reply {
    for_each_name(node, call, "subscribe", |node, conn, name| {
        listen(&mut node.pubsub.channels, name.clone(), conn);
        if let Some(connection) = node.connections.get_mut(&conn) {
            connection.channels.insert(name.clone());
        }
    })
}

pub(crate) fn psubscribe(node: &mut Node, call: &Call<'_>) -> Reply {
    for_each_name(node, call, "psubscribe", |node, conn, name| {
        listen(&mut node.pubsub.patterns, name.clone(), conn);
        if let Some(connection) = node.connections.get_mut(&conn) {
            connection.patterns.insert(name.clone());
        }
    })
}

pub(crate) fn unsubscribe(node: &mut Node, call: &Call<'_>) -> Reply {
    unsubscribe_from(node, call, "unsubscribe", |connection| &connection.channels, leave_channel)
}

pub(crate) fn punsubscribe(node: &mut Node, call: &Call<'_>) -> Reply {
    unsubscribe_from(node, call, "punsubscribe", |connection| &connection.patterns, leave_pattern)
}

fn leave_channel(node: &mut Node, conn: ConnId, name: &Bytes) {
    unlisten(&mut node.pubsub.channels, name, conn);
    if let Some(connection) = node.connections.get_mut(&conn) {
        connection.channels.remove(name);
    }
}

fn leave_pattern(node: &mut Node, conn: ConnId, name: &Bytes) {
    unlisten(&mut node.pubsub.patterns, name, conn);
    if let Some(connection) = node.connections.get_mut(&conn) {
        connection.patterns.remove(name);
    }
}

/// Without names, leaves all; one confirmation with a null name if there are none.
fn unsubscribe_from(
    node: &mut Node,
    call: &Call<'_>,
    kind: &'static str,
    subscribed: fn(&Connection) -> &std::collections::BTreeSet<Bytes>,
    leave: fn(&mut Node, ConnId, &Bytes),
) -> Reply {
    if call.args.len() > 1 {
        return for_each_name(node, call, kind, leave);
    }
    let Some((conn, connection)) = node.caller(call) else { return Reply::None };
    let names: Vec<Bytes> = subscribed(connection).iter().cloned().collect();
    if names.is_empty() {
        let total = connection.subscriptions();
        return Reply::Many(vec![confirmation(kind, Frame::Null, total)]);
    }
    let args: Vec<Bytes> =
        std::iter::once(Bytes::from_static(kind.as_bytes())).chain(names).collect();
    for_each_name(node, &Call { origin: Origin::Client(conn), args: &args }, kind, leave)
}

fn for_each_name(
    node: &mut Node,
    call: &Call<'_>,
    kind: &'static str,
    change: impl Fn(&mut Node, ConnId, &Bytes),
) -> Reply {
    let Origin::Client(conn) = call.origin else { return Reply::None };
    let mut confirmations = Vec::new();
    for name in &call.args[1..] {
        change(node, conn, name);
        let total = node.connections.get(&conn).map_or(0, Connection::subscriptions);
        confirmations.push(confirmation(kind, Frame::Bulk(name.clone()), total));
    }
    Reply::Many(confirmations)
}

fn confirmation(kind: &'static str, name: Frame, total: usize) -> Frame {
    let total = Frame::Integer(i64::try_from(total).unwrap_or(i64::MAX));
    Frame::Push(vec![Frame::bulk(kind), name, total])
}

/// A master passes every message to its replicas, whose subscribers hear it too.
pub(crate) fn publish(node: &mut Node, call: &Call<'_>) -> Reply {
    let receivers = node.deliver(&call.args[1], &call.args[2]);
    if node.role() == Role::Master && call.origin != Origin::Master {
        node.propagate(call.args);
    }
    Frame::Integer(i64::try_from(receivers).unwrap_or(i64::MAX)).into()
}

impl Node {
    pub(crate) fn drop_subscriptions(&mut self, conn: ConnId) {
        if let Some(mut connection) = self.connections.remove(&conn) {
            self.pubsub.forget(conn, &connection);
            connection.channels.clear();
            connection.patterns.clear();
            self.connections.insert(conn, connection);
        }
    }
}
