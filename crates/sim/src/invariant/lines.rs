//! The connections of all Sentinels as their orders and inputs show them: what several checks need.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use vedette_core::{Answer, ConnId, Effect, Input, Purpose};

use crate::sentinel_host::SentinelIndex;
use crate::witness::Seen;

/// A connection that a Sentinel ordered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) to: SocketAddr,
    pub(super) purpose: Purpose,
    pub(super) is_established: bool,
    /// Since when its subscription is confirmed.
    pub(super) subscribed_ms: Option<u64>,
}

/// Connections by owner and number.
#[derive(Default)]
pub(super) struct Lines(BTreeMap<(SentinelIndex, ConnId), Line>);

impl Lines {
    pub(super) fn see(&mut self, at_ms: u64, who: SentinelIndex, seen: &Seen<'_>) {
        match seen {
            Seen::Ordered(Effect::Connect { conn, purpose, to, .. }) => {
                let (to, purpose) = (*to, *purpose);
                let line = Line { to, purpose, is_established: false, subscribed_ms: None };
                self.0.insert((who, *conn), line);
            }
            Seen::Took(Input::Connected { conn, .. }) => {
                if let Some(line) = self.0.get_mut(&(who, *conn)) {
                    line.is_established = true;
                }
            }
            Seen::Took(Input::Answered { conn, answer: Answer::Subscribed { accepted } }) => {
                if let Some(line) = self.0.get_mut(&(who, *conn)) {
                    line.subscribed_ms = accepted.then_some(at_ms);
                }
            }
            Seen::Took(Input::Disconnected { conn } | Input::ConnectFailed { conn, .. })
            | Seen::Ordered(Effect::Close { conn }) => {
                self.0.remove(&(who, *conn));
            }
            Seen::Started(_) | Seen::Ended => self.0.retain(|(owner, _), _| *owner != who),
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => {}
        }
    }

    pub(super) fn get(&self, who: SentinelIndex, conn: ConnId) -> Option<&Line> {
        self.0.get(&(who, conn))
    }

    /// All connections of a Sentinel.
    pub(super) fn of(&self, who: SentinelIndex) -> impl Iterator<Item = (ConnId, &Line)> {
        let from = (who, ConnId(0))..=(who, ConnId(u64::MAX));
        self.0.range(from).map(|((_, conn), line)| (*conn, line))
    }
}
