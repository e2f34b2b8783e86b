//! Replies in order. A reply that the core or the host still owes keeps its place; what comes
//! after it waits behind it.

use std::collections::VecDeque;

use bytes::BytesMut;
use vedette_core::{Span, Ticket, Time};
use vedette_resp::{Protocol, encode_frame};

use super::facts::OutputLimit;
use super::tracking::Choice;
use crate::reply::Reply;

/// What goes out, oldest first.
#[derive(Default)]
pub(super) struct Outbox {
    /// Ready to be written.
    output: BytesMut,
    /// Owed replies, each with what follows it.
    waiting: VecDeque<Slot>,
    /// Bytes in `waiting`.
    parked: usize,
    /// Bytes of all replies ever.
    total: u64,
    /// Since when the soft limit has been exceeded.
    soft_since: Option<Time>,
}

/// The place of an owed reply.
struct Slot {
    ticket: Ticket,
    owed: Owed,
    protocol: Protocol,
    /// By `CLIENT REPLY`: nothing will be written.
    muted: bool,
    answered: bool,
    /// The reply, once it is there, and what follows it.
    bytes: BytesMut,
    /// Replies that were written after this place was taken, until it is answered.
    after: BytesMut,
}

/// What an owed reply will look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owed {
    /// The core's response; this one if it says `Done`.
    Response {
        /// `+OK`, but for `SIMULATE-FAILURE help` and what was right only in part.
        done: Reply,
    },
    /// `CLIENT LIST`
    ClientLines,
    /// `CLIENT KILL <addr>`
    KilledOne,
    /// `CLIENT KILL <filter> <value>…`
    KilledCount,
    /// `ACL LOAD`, `ACL SAVE`
    AclFile,
    /// `CLIENT TRACKING` with REDIRECT: what becomes of it if there is such a client.
    Tracking(Box<Choice>),
}

impl Outbox {
    /// What can be written now.
    pub(super) fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// Everything that is not written yet, in bytes.
    pub(super) fn len(&self) -> usize {
        self.output.len() + self.parked
    }

    /// Bytes of all replies so far.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// How many replies are owed.
    pub(super) fn owed(&self) -> usize {
        self.waiting.len()
    }

    /// Whether the answer to a `CLIENT KILL` is owed.
    pub(super) fn owes_kill_count(&self) -> bool {
        self.waiting.iter().any(|slot| matches!(slot.owed, Owed::KilledOne | Owed::KilledCount))
    }

    /// Appends a reply after everything that came before.
    pub(super) fn write(&mut self, reply: &Reply, protocol: Protocol) {
        self.append_with(|out| encode_frame(out, reply, protocol));
    }

    /// Appends what is written there after everything that came before.
    pub(super) fn append_with(&mut self, write: impl FnOnce(&mut BytesMut)) {
        let (out, parked) = match self.waiting.back_mut() {
            None => (&mut self.output, None),
            Some(slot) => (&mut slot.after, Some(&mut self.parked)),
        };
        let before = out.len();
        write(out);
        let written = out.len() - before;
        self.total += written as u64;
        if let Some(parked) = parked {
            *parked += written;
        }
    }

    /// Appends a reply that is spelled already.
    pub(super) fn append(&mut self, bytes: BytesMut) {
        self.total += bytes.len() as u64;
        match self.waiting.back_mut() {
            None => self.output.unsplit(bytes),
            Some(slot) => {
                self.parked += bytes.len();
                slot.after.unsplit(bytes);
            }
        }
    }

    /// Keeps a place for a reply that is owed.
    pub(super) fn owe(&mut self, ticket: Ticket, owed: Owed, protocol: Protocol, muted: bool) {
        let (bytes, after) = (BytesMut::new(), BytesMut::new());
        self.waiting.push_back(Slot {
            ticket,
            owed,
            protocol,
            muted,
            answered: false,
            bytes,
            after,
        });
    }

    /// Fills the place of an owed reply; whether it was still owed. `spell` gets what was promised
    /// there.
    pub(super) fn settle(
        &mut self,
        ticket: Ticket,
        spell: impl FnOnce(&Owed, Protocol) -> Option<Reply>,
    ) -> bool {
        let is = |slot: &&mut Slot| slot.ticket == ticket && !slot.answered;
        let Some(slot) = self.waiting.iter_mut().find(is) else { return false };
        let Some(reply) = spell(&slot.owed, slot.protocol) else { return false };
        slot.answered = true;
        if !slot.muted {
            encode_frame(&mut slot.bytes, &reply, slot.protocol);
            self.parked += slot.bytes.len();
            self.total += slot.bytes.len() as u64;
        }
        while self.waiting.front().is_some_and(|slot| slot.answered) {
            let Some(slot) = self.waiting.pop_front() else { break };
            self.parked -= slot.bytes.len() + slot.after.len();
            self.output.extend_from_slice(&slot.bytes);
            self.output.extend_from_slice(&slot.after);
        }
        true
    }

    /// Whether a limit is exceeded: the hard one, or the soft one for too long
    /// (spec: interface 1.4).
    pub(super) fn exceeds(&mut self, limit: OutputLimit, now: Time) -> bool {
        let len = self.len();
        if limit.hard != 0 && len >= limit.hard {
            return true;
        }
        if limit.soft == 0 || len < limit.soft {
            self.soft_since = None;
            return false;
        }
        let since = *self.soft_since.get_or_insert(now);
        now.since(since) > Span::from_secs(limit.soft_secs)
    }

    /// Throws everything away.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
