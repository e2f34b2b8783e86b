//! What a connection sees of the process around it, for one round of its thread.

use std::sync::Arc;

use vedette_core::{Now, Ticket};
use vedette_wire::accounts::{Accounts, AclLog};
use vedette_wire::client::{Pause, ServerFacts};
use vedette_wire::{HelloMemory, Snapshot, Surroundings};

use super::{House, TICKET_STRIDE};

/// The surroundings of a thread's connections.
pub(super) struct View<'a> {
    pub(super) house: &'a House,
    pub(super) snapshot: &'a Snapshot,
    pub(super) now: Now,
    pub(super) accounts: &'a mut Arc<Accounts>,
    pub(super) hellos: &'a mut HelloMemory,
    pub(super) mint: &'a mut TicketMint,
}

/// Mints tickets that no other thread mints.
#[derive(Debug)]
pub(super) struct TicketMint(u64);

impl TicketMint {
    pub(super) fn of_thread(number: usize) -> Self {
        Self(number as u64)
    }

    fn next(&mut self) -> Ticket {
        self.0 += TICKET_STRIDE;
        Ticket(self.0)
    }
}

impl Surroundings for View<'_> {
    fn now(&self) -> Now {
        self.now
    }

    fn snapshot(&self) -> &Snapshot {
        self.snapshot
    }

    fn accounts(&self) -> &Accounts {
        self.accounts
    }

    fn change_accounts(&mut self, change: &mut dyn FnMut(&Accounts) -> Option<Accounts>) {
        self.house.change_accounts(change);
        *self.accounts = self.house.accounts.present();
    }

    fn with_acl_log(&mut self, look: &mut dyn FnMut(&mut AclLog)) {
        look(&mut self.house.accounts.refused());
    }

    fn server_facts(&self) -> ServerFacts {
        self.house.server_facts()
    }

    fn pause(&self) -> Option<Pause> {
        self.house.pause(self.now.mono)
    }

    fn is_executable(&self, path: &str) -> bool {
        crate::store::may_run(path.as_ref())
    }

    fn hellos(&mut self) -> &mut HelloMemory {
        self.hellos
    }

    fn next_ticket(&mut self) -> Ticket {
        self.mint.next()
    }

    fn fill_random(&mut self, bytes: &mut [u8]) {
        crate::random::fill(bytes);
    }
}
