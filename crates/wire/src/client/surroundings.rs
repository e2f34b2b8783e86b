//! What a client connection can see of the process around it.

use vedette_core::{Now, Ticket};

use super::action::Pause;
use super::facts::ServerFacts;
use crate::accounts::{Accounts, AclLog};
use crate::link::HelloMemory;
use crate::snapshot::Snapshot;

/// The process around a connection; the server implements it, and the simulator.
pub trait Surroundings {
    /// The present.
    fn now(&self) -> Now;
    /// The picture that reads are answered from. Events up to its number must have been delivered
    /// to this client before [`super::Client::advance`] is called with it.
    fn snapshot(&self) -> &Snapshot;
    /// The users.
    fn accounts(&self) -> &Accounts;
    /// Changes the users: `change` makes a new picture of the latest one, or leaves it. When this
    /// returns every connection of the process sees the new one.
    fn change_accounts(&mut self, change: &mut dyn FnMut(&Accounts) -> Option<Accounts>);
    /// Reads the log of what was refused, or adds to it.
    fn with_acl_log(&mut self, look: &mut dyn FnMut(&mut AclLog));
    /// The facts that only INFO shows.
    fn server_facts(&self) -> ServerFacts;
    /// The pause in force, if any; one that has ended is none.
    fn pause(&self) -> Option<Pause>;
    /// Whether a file exists and may be executed (spec: behaviour 11.4).
    fn is_executable(&self, path: &str) -> bool;
    /// What this thread heard from fellow Sentinels before.
    fn hellos(&mut self) -> &mut HelloMemory;
    /// A number that no other request of the process has.
    fn next_ticket(&mut self) -> Ticket;
    /// Random bytes that nobody can guess (`ACL GENPASS`).
    fn fill_random(&mut self, bytes: &mut [u8]);
}
