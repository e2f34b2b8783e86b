//! `CLIENT LIST` and `CLIENT KILL` over all threads: every thread asks its own clients, the last
//! one hands the answer to the thread that wanted to know.

use std::sync::{Mutex, PoisonError};

use vedette_core::Ticket;
use vedette_wire::client::{ClientFilter, ClientId, ClientsAnswer};

use super::{ClientLetter, House, thread_of};

/// What is asked of the clients that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Their lines.
    Lines,
    /// Their end.
    Deaths,
}

/// A question to all clients, on its way through the threads.
#[derive(Debug)]
pub(crate) struct Census {
    pub(super) filter: ClientFilter,
    pub(super) wanted: Wanted,
    ticket: Ticket,
    tally: Mutex<Tally>,
}

#[derive(Debug)]
struct Tally {
    threads_left: usize,
    found: Vec<(ClientId, String)>,
}

impl Census {
    /// Starts a census: every thread gets a letter.
    pub(super) fn start(house: &House, ticket: Ticket, filter: ClientFilter, wanted: Wanted) {
        let tally = Tally { threads_left: house.threads.len(), found: Vec::new() };
        let census = Self { filter, wanted, ticket, tally: tally.into() };
        let census = std::sync::Arc::new(census);
        house
            .threads
            .iter()
            .for_each(|thread| thread.letters.post(ClientLetter::Asked(census.clone())));
    }

    /// Adds what one thread found. The last one closes the census.
    pub(super) fn add(&self, house: &House, found: Vec<(ClientId, String)>) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.found.extend(found);
        tally.threads_left -= 1;
        if tally.threads_left == 0 {
            let answer = self.answer(std::mem::take(&mut tally.found));
            let letter = ClientLetter::Counted { ticket: self.ticket, answer };
            house.threads[thread_of(self.ticket)].letters.post(letter);
        }
    }

    fn answer(&self, mut found: Vec<(ClientId, String)>) -> ClientsAnswer {
        found.sort_unstable_by_key(|(id, _)| *id);
        match self.wanted {
            Wanted::Lines => {
                ClientsAnswer::Lines(found.into_iter().map(|(_, line)| line).collect())
            }
            Wanted::Deaths => ClientsAnswer::Killed(found.len() as u64),
        }
    }
}
