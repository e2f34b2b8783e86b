//! Accepted connections: the threads that own them, and what they share.
//!
//! Each thread runs one task over all its connections. A connection is `wire`'s pure
//! [`vedette_wire::Client`]; a thread moves its bytes, carries out its actions, and hands it the
//! events and responses that come as letters.

mod budget;
mod census;
mod connection;
mod counters;
mod deliveries;
mod facts;
mod listen;
mod rounds;
mod thread;
mod view;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::Pid;
use vedette_core::{Response, Ticket, Time};
use vedette_wire::Dialect;
use vedette_wire::accounts::Accounts;
use vedette_wire::client::{
    AclFileTask, ClientId, ClientLimits, ClientsAnswer, Pause, ProcessFacts, Told,
};
use vedette_wire::commands::CommandNames;

use crate::accounts::AccountsBoard;
use crate::board::{Announcement, Board};
use crate::clock::{Clock, Heartbeat};
use crate::control::ControlMailbox;
use crate::doorbell::{Doorbell, Mailbox};
use crate::log::Log;
use crate::process::ExitRequest;

pub(crate) use listen::Listeners;
pub(crate) use thread::spawn;

use census::Census;
use listen::Newcomer;

/// Most client threads: with four, ten thousand clients reconnect in well under a second.
pub(crate) const MAX_THREADS: usize = 4;

/// Where other threads leave things for a client thread.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) letters: Mailbox<ClientLetter>,
    /// Events, to be delivered once their snapshot is the present one.
    pub(crate) announcements: Mailbox<Arc<Announcement>>,
    pub(crate) bell: Arc<Doorbell>,
}

impl Inbox {
    pub(crate) fn new() -> Arc<Self> {
        let bell = Arc::new(Doorbell::default());
        let (letters, announcements) = (Mailbox::new(bell.clone()), Mailbox::new(bell.clone()));
        Arc::new(Self { letters, announcements, bell })
    }

    fn is_empty(&self) -> bool {
        self.letters.is_empty() && self.announcements.is_empty()
    }
}

/// A letter to a client thread.
#[derive(Debug)]
pub(crate) enum ClientLetter {
    /// A connection was accepted; it is yours.
    Accepted(Newcomer),
    /// The core answered.
    Responded { ticket: Ticket, response: Response },
    /// Ask your clients.
    Asked(Arc<Census>),
    /// All threads have asked theirs.
    Counted { ticket: Ticket, answer: ClientsAnswer },
    /// The `aclfile` was read or written, or not.
    AclFileDone { ticket: Ticket, outcome: Result<(), String> },
    /// `CLIENT UNPAUSE`, or a pause began that ends some time.
    PauseChanged,
    /// Close this client: its query buffer is the largest of too many.
    Overweight(ClientId),
}

/// What all client threads share.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) dialect: Dialect,
    pub(crate) clock: Clock,
    pub(crate) heart: Arc<Heartbeat>,
    pub(crate) board: Arc<Board>,
    pub(crate) control: Arc<ControlMailbox>,
    pub(crate) log: Log,
    pub(crate) accounts: Arc<AccountsBoard>,
    pub(crate) rules: Rules,
    /// What does not change of what INFO shows.
    pub(crate) facts: ProcessFacts,
    pub(crate) control_thread: Pid,
    pub(crate) exit: ExitRequest,
    /// Of every client thread, by its number.
    pub(crate) threads: Vec<Arc<Inbox>>,
    pub(crate) counters: counters::Counters,
    pub(crate) budget: budget::QueryBudget,
    pub(crate) roll: Roll,
    pub(crate) pause: Mutex<Option<Pause>>,
}

/// What the configuration says about clients.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) limits: ClientLimits,
    /// `timeout`, 0 is never.
    pub(crate) timeout_secs: u32,
    /// `tcp-keepalive`, 0 is none.
    pub(crate) keepalive_secs: u32,
    pub(crate) maxclients: u64,
    pub(crate) protected_mode: bool,
    /// `extended-redis-compatibility`.
    pub(crate) greets_as_redis: bool,
    /// `hide-user-data-from-log`.
    pub(crate) told: Told,
    /// `rename-command` of this Sentinel itself.
    pub(crate) names: Arc<CommandNames>,
}

/// How many clients there are and were.
#[derive(Debug, Default)]
pub(crate) struct Roll {
    last_id: AtomicU64,
    connected: AtomicUsize,
}

impl Roll {
    /// Admits a client if there is room.
    fn admit(&self, maxclients: u64) -> Option<ClientId> {
        let room = |present: usize| (present as u64) < maxclients;
        let admitted =
            self.connected.fetch_update(Ordering::AcqRel, Ordering::Acquire, |present| {
                room(present).then_some(present + 1)
            });
        admitted.ok()?;
        Some(ClientId(self.last_id.fetch_add(1, Ordering::Relaxed) + 1))
    }

    fn leave(&self) {
        self.connected.fetch_sub(1, Ordering::AcqRel);
    }

    fn connected(&self) -> u64 {
        self.connected.load(Ordering::Acquire) as u64
    }
}

impl House {
    /// Changes the users; every thread looks after its connections before it does anything else.
    fn change_accounts(&self, change: &mut dyn FnMut(&Accounts) -> Option<Accounts>) {
        if self.accounts.change(change) {
            self.accounts_changed();
        }
    }

    fn accounts_changed(&self) {
        self.threads.iter().for_each(|thread| thread.bell.ring());
    }

    /// Reads or writes the `aclfile` on a thread of its own: a slow disk holds up nobody else.
    fn acl_file(self: &Arc<Self>, ticket: Ticket, task: AclFileTask) {
        let house = self.clone();
        let work = move || {
            let outcome = match task {
                AclFileTask::Load => house.accounts.load(&house.log),
                AclFileTask::Save => house.accounts.save(&house.log),
            };
            house.accounts_changed();
            house.acl_file_done(ticket, outcome);
        };
        if let Err(error) = std::thread::Builder::new().name("aclfile".into()).spawn(work) {
            self.acl_file_done(ticket, Err(error.to_string()));
        }
    }

    fn acl_file_done(&self, ticket: Ticket, outcome: Result<(), String>) {
        let letter = ClientLetter::AclFileDone { ticket, outcome };
        self.threads[thread_of(ticket)].letters.post(letter);
    }

    /// The pause in force.
    fn pause(&self, now: Time) -> Option<Pause> {
        self.pause_slot().filter(|pause| pause.until > now)
    }

    /// When the last pause ends or ended.
    fn pause_end(&self) -> Option<Time> {
        self.pause_slot().map(|pause| pause.until)
    }

    fn pause_slot(&self) -> MutexGuard<'_, Option<Pause>> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts, prolongs or ends a pause, and lets every thread know.
    fn set_pause(&self, pause: Option<Pause>, now: Time) {
        let in_force = self.pause(now);
        *self.pause_slot() = match (pause, in_force) {
            (Some(new), Some(old)) => Some(old.join(new)),
            (new, _) => new,
        };
        self.threads.iter().for_each(|thread| thread.letters.post(ClientLetter::PauseChanged));
    }
}

/// Tickets carry the number of the thread that minted them.
const TICKET_STRIDE: u64 = MAX_THREADS as u64;

/// The thread whose client waits for this ticket.
pub(crate) fn thread_of(ticket: Ticket) -> usize {
    usize::try_from(ticket.0 % TICKET_STRIDE).unwrap_or_default()
}
