//! What a turn of the core ordered, as a number.

use serde::{Deserialize, Serialize};
use vedette_core::{Effect, Query, Time};

/// The end of a turn: what its orders add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// How many orders.
    pub effects: u32,
    /// A hash over what they were.
    pub digest: u32,
    /// When the core wants to be woken: a short summary of everything that it waits for.
    pub deadline: Option<Time>,
}

/// The orders of the present turn.
///
/// The hash holds the kind of each order, what it is about, and the kinds of the events that it
/// publishes. That is cheap enough for every order, and histories that differ soon differ in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TurnDigest {
    effects: u32,
    hash: u64,
}

impl TurnDigest {
    /// The core gave an order.
    pub fn note(&mut self, effect: &Effect) {
        self.effects = self.effects.wrapping_add(1);
        match effect {
            Effect::Connect { conn, to, .. } => self.mix(1, conn.0 << 16 ^ u64::from(to.port())),
            Effect::Close { conn } => self.mix(2, conn.0),
            Effect::Send { conn, query } => self.mix(3, conn.0 << 4 ^ kind(query)),
            Effect::Rename { conn, renames } => self.mix(4, conn.0 << 8 ^ count(renames.len())),
            Effect::Resolve { host } => self.mix(5, count(host.len())),
            Effect::Persist { generation, changes } => {
                self.mix(6, generation.0 << 16 ^ count(changes.len()));
            }
            Effect::Publish(publication) => {
                self.mix(7, publication.seq << 16 ^ count(publication.masters.len()));
                for event in &publication.events {
                    self.mix(8, event.kind as u64);
                }
            }
            Effect::Respond { ticket, .. } => self.mix(9, ticket.0),
            Effect::RunScript { job, .. } => self.mix(10, job.0),
            Effect::KillScript { job } => self.mix(11, job.0),
            Effect::Log(_) => self.mix(12, 0),
            Effect::Crash => self.mix(13, 0),
        }
    }

    /// The core has no further order: the turn ends, and the next one begins.
    pub fn end(&mut self, deadline: Option<Time>) -> Turn {
        let Self { effects, hash } = std::mem::take(self);
        let digest = u32::try_from(hash >> 32).unwrap_or_default();
        Turn { effects, digest, deadline }
    }

    fn mix(&mut self, what: u64, number: u64) {
        /// An odd number without a pattern, as in other multiplicative hashes.
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        self.hash = (self.hash.rotate_left(5) ^ number ^ what << 59).wrapping_mul(FACTOR);
    }
}

fn kind(query: &Query) -> u64 {
    match query {
        Query::Auth { .. } => 0,
        Query::SetName { .. } => 1,
        Query::Ping => 2,
        Query::Info => 3,
        Query::Subscribe => 4,
        Query::Hello(_) => 5,
        Query::AskDown { vote_for: None, .. } => 6,
        Query::AskDown { vote_for: Some(_), .. } => 7,
        Query::Replicate { .. } => 8,
        Query::ScriptKill => 9,
        Query::HandOver { .. } => 10,
        Query::RecallHandOver => 11,
        Query::TellOffset => 12,
        Query::RewriteConfig => 13,
    }
}

fn count(things: usize) -> u64 {
    things as u64
}

#[cfg(test)]
mod tests {
    use vedette_core::ConnId;

    use super::*;

    fn digest(effects: &[Effect]) -> Turn {
        let mut turn = TurnDigest::default();
        effects.iter().for_each(|effect| turn.note(effect));
        turn.end(None)
    }

    #[test]
    fn another_order_is_another_digest() {
        let close = |conn| Effect::Close { conn: ConnId(conn) };
        let send = |query| Effect::Send { conn: ConnId(1), query };
        assert_eq!(digest(&[close(1), close(2)]), digest(&[close(1), close(2)]));
        assert_ne!(digest(&[close(1), close(2)]), digest(&[close(2), close(1)]));
        assert_ne!(digest(&[send(Query::Ping)]), digest(&[send(Query::Info)]));
        assert_ne!(digest(&[close(1)]), digest(&[close(1), close(1)]));
    }

    #[test]
    fn a_turn_begins_anew() {
        let mut turn = TurnDigest::default();
        turn.note(&Effect::Crash);
        let first = turn.end(None);
        turn.note(&Effect::Crash);
        assert_eq!(first, turn.end(None));
        assert_eq!(turn.end(None).effects, 0);
    }
}
