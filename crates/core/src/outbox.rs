//! What a turn has produced so far. Within a turn, links are served first, then the picture for
//! clients, then the answers, so that nobody is answered from an older picture than the one shown.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::effect::Effect;
use crate::event::Event;
use crate::ident::{MasterId, Ticket};
use crate::request::Response;

/// The effects of a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outbox {
    effects: VecDeque<Effect>,
    responses: VecDeque<Effect>,
    pub(crate) events: Vec<Event>,
    /// Masters whose picture changed.
    pub(crate) changed: BTreeSet<MasterId>,
    pub(crate) listing_changed: bool,
    pub(crate) process_changed: bool,
    seq: u64,
}

impl Outbox {
    pub(crate) fn order(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    /// The process ends by an operator's wish, once clients were shown what came before.
    pub(crate) fn crash(&mut self) {
        self.responses.push_front(Effect::Crash);
    }

    /// The process ends with this turn.
    pub(crate) fn is_crashing(&self) -> bool {
        self.responses.front() == Some(&Effect::Crash)
    }

    pub(crate) fn respond(&mut self, ticket: Ticket, response: Response) {
        self.responses.push_back(Effect::Respond { ticket, response });
    }

    pub(crate) fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub(crate) fn next_response(&mut self) -> Option<Effect> {
        self.responses.pop_front()
    }

    /// Everything that was not taken yet.
    pub(crate) fn len(&self) -> usize {
        self.effects.len() + self.responses.len() + self.events.len()
    }

    /// Whether clients must be shown something new.
    pub(crate) fn has_news(&self) -> bool {
        !self.changed.is_empty()
            || !self.events.is_empty()
            || self.listing_changed
            || self.process_changed
    }

    pub(crate) fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }
}
