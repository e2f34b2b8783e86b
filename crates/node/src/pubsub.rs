//! Who listens to what.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use vedette_resp::Frame;

use crate::connection::Connection;
use crate::{ConnId, Node, glob};

/// Subscriptions by channel and by pattern.
#[derive(Debug, Default)]
pub(crate) struct Pubsub {
    pub(crate) channels: BTreeMap<Bytes, BTreeSet<ConnId>>,
    pub(crate) patterns: BTreeMap<Bytes, BTreeSet<ConnId>>,
}

/// Adds a listener.
pub(crate) fn listen(map: &mut BTreeMap<Bytes, BTreeSet<ConnId>>, name: Bytes, conn: ConnId) {
    map.entry(name).or_default().insert(conn);
}

/// Removes a listener, and the entry with the last one.
pub(crate) fn unlisten(map: &mut BTreeMap<Bytes, BTreeSet<ConnId>>, name: &Bytes, conn: ConnId) {
    if let Some(listeners) = map.get_mut(name) {
        listeners.remove(&conn);
        if listeners.is_empty() {
            map.remove(name);
        }
    }
}

impl Pubsub {
    pub(crate) fn forget(&mut self, conn: ConnId, connection: &Connection) {
        for channel in &connection.channels {
            unlisten(&mut self.channels, channel, conn);
        }
        for pattern in &connection.patterns {
            unlisten(&mut self.patterns, pattern, conn);
        }
    }
}

impl Node {
    /// Delivers a message; says to how many.
    pub(crate) fn deliver(&mut self, channel: &Bytes, message: &Bytes) -> usize {
        let bulk = |bytes: &Bytes| Frame::Bulk(bytes.clone());
        let mut deliveries: Vec<(ConnId, Frame)> = Vec::new();
        if let Some(listeners) = self.pubsub.channels.get(channel) {
            let frame = Frame::Push(vec![Frame::bulk("message"), bulk(channel), bulk(message)]);
            deliveries.extend(listeners.iter().map(|conn| (*conn, frame.clone())));
        }
        for (pattern, listeners) in &self.pubsub.patterns {
            if glob::matches(pattern, channel) {
                let kind = Frame::bulk("pmessage");
                let frame = Frame::Push(vec![kind, bulk(pattern), bulk(channel), bulk(message)]);
                deliveries.extend(listeners.iter().map(|conn| (*conn, frame.clone())));
            }
        }
        for (conn, frame) in &deliveries {
            self.write(*conn, frame);
        }
        deliveries.len()
    }
}
