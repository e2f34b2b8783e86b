//! SUBSCRIBE and its relatives (spec: interface 1.8, 4.8).

use bytes::{Bytes, BytesMut};
use vedette_resp::{Protocol, encode_bulk, encode_push_len};

use crate::accounts::User;
use crate::events::RenderedEvent;
use crate::glob::{Case, matches};
use crate::reply::{Reply, count, word};

/// Channels and patterns of a connection, in the order of subscription.
#[derive(Default)]
pub(super) struct Subscriptions {
    channels: Vec<Bytes>,
    patterns: Vec<Bytes>,
}

/// Channels or patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// By exact name.
    Channel,
    /// By glob; case matters.
    Pattern,
}

impl Subscriptions {
    /// How many channels.
    pub(super) fn channels(&self) -> usize {
        self.channels.len()
    }

    /// How many patterns.
    pub(super) fn patterns(&self) -> usize {
        self.patterns.len()
    }

    /// Channels and patterns together: what confirmations tell.
    pub(super) fn total(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// Adds a name; false if it was there.
    pub(super) fn add(&mut self, kind: Kind, name: &Bytes) -> bool {
        let names = self.names(kind);
        let new = !names.contains(name);
        if new {
            names.push(name.clone());
        }
        new
    }

    /// Removes a name; false if it was not there.
    pub(super) fn remove(&mut self, kind: Kind, name: &Bytes) -> bool {
        let names = self.names(kind);
        let place = names.iter().position(|known| known == name);
        place.map(|place| names.remove(place)).is_some()
    }

    /// All names of a kind.
    pub(super) fn all(&self, kind: Kind) -> Vec<Bytes> {
        match kind {
            Kind::Channel => self.channels.clone(),
            Kind::Pattern => self.patterns.clone(),
        }
    }

    /// Whether this user may listen to everything here.
    pub(super) fn are_allowed(&self, user: &User) -> bool {
        self.channels.iter().all(|name| user.may_listen(name, false))
            && self.patterns.iter().all(|name| user.may_listen(name, true))
    }

    /// Writes the messages that an event makes: one for the channel, one for each pattern that
    /// matches.
    pub(super) fn tell(&self, event: &RenderedEvent, protocol: Protocol, out: &mut BytesMut) {
        let channel = event.channel().as_bytes();
        if self.channels.iter().any(|name| *name == channel) {
            encode_push_len(out, 3, protocol);
            encode_bulk(out, b"message");
            out.extend_from_slice(event.tail());
        }
        let fits = |name: &&Bytes| matches(name, channel, Case::Sensitive);
        for pattern in self.patterns.iter().filter(fits) {
            encode_push_len(out, 4, protocol);
            encode_bulk(out, b"pmessage");
            encode_bulk(out, pattern);
            out.extend_from_slice(event.tail());
        }
    }

    /// A confirmation: what was done, to which name, and the new total.
    pub(super) fn confirmation(&self, done: &'static str, name: Option<&Bytes>) -> Reply {
        let name = name.map_or(Reply::Null, |name| Reply::Bulk(name.clone()));
        Reply::Push(vec![word(done), name, count(self.total())])
    }

    fn names(&mut self, kind: Kind) -> &mut Vec<Bytes> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
        }
    }
}
