//! One round of a client thread: letters, snapshot, every connection that has something to do, then
//! a slice of the events that subscribers wait for.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use foldhash::{HashMap, HashSet};
use vedette_core::{Input, Now, Ticket};
use vedette_wire::accounts::Accounts;
use vedette_wire::client::{Action, ClientId};
use vedette_wire::{Client, HelloMemory, Snapshot};

use super::census::{Census, Wanted};
use super::connection::Connection;
use super::deliveries::{Deliveries, Slice};
use super::listen::Newcomer;
use super::thread::{ClientThread, TICK};
use super::view::{TicketMint, View};
use super::{ClientLetter, House};
use crate::board::Announcement;

/// Bytes of replies that may wait until all connections of a round were read, and of events until a
/// subscriber has all that waits for it. Longer ones are written while they are still in the
/// processor's cache, and before a subscriber that reads them could exceed the output limit.
const REPLIES_HELD: usize = 16 * 1024;

/// What a thread's connections share.
pub(super) struct Desk {
    pub(super) house: Arc<House>,
    pub(super) snapshot: Arc<Snapshot>,
    /// The present, looked up once for each visit to a connection.
    now: Now,
    /// The users as the last connection saw them.
    accounts: Arc<Accounts>,
    /// The version of the users that all connections were told of.
    followed: u64,
    /// Clients with commands that a pause holds back.
    pub(super) held: HashSet<u64>,
    /// Clients whose output the system did not take yet.
    pub(super) backlogged: HashSet<u64>,
    /// Events that subscribers have not got yet.
    pub(super) deliveries: Deliveries<Arc<Announcement>>,
    /// Who waits for which answer.
    tickets: HashMap<Ticket, u64>,
    /// Of fellow Sentinels.
    hellos: HelloMemory,
    mint: TicketMint,
    number: usize,
}

impl ClientThread {
    /// Works through everything that is there.
    pub(super) fn round(&mut self) {
        self.desk.now = self.desk.house.clock.now();
        self.take_letters_and_snapshot();
        self.follow_users();
        let mut letters = std::mem::take(&mut self.letters);
        letters.drain(..).for_each(|letter| self.answer(letter));
        self.letters = letters;
        self.look_at_the_time();
        self.ready.take(&mut self.touched);
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        let slice = Slice::beside(touched.len());
        touched.retain(|key| self.visit(*key));
        // Small replies go out together: those who asked wake up once, not between two replies.
        touched.drain(..).for_each(|key| self.finish(key));
        touched.append(&mut self.touched);
        self.touched = touched;
        self.deliver(slice);
    }

    /// Afterwards every event up to the snapshot's number is among the deliveries, and no other
    /// letter is newer than the snapshot.
    fn take_letters_and_snapshot(&mut self) {
        let board = self.desk.house.board.clone();
        loop {
            self.inbox.letters.take(&mut self.letters);
            self.inbox.announcements.take(&mut self.announced);
            if board.seq() == self.desk.snapshot.seq() {
                break;
            }
            self.desk.snapshot = board.snapshot();
        }
        let seq = self.desk.snapshot.seq();
        let visible = self.announced.partition_point(|announced| announced.seq() <= seq);
        self.announced.drain(..visible).for_each(|news| self.desk.deliveries.add(news));
    }

    /// Before anything is delivered: whoever lost the right to listen hears nothing any more.
    fn follow_users(&mut self) {
        if !self.desk.must_follow_users() {
            return;
        }
        let accounts = self.desk.house.accounts.present();
        self.desk.followed = accounts.version();
        for (key, connection) in &mut self.connections {
            connection.client.follow_users(&accounts);
            self.touched.push(*key);
        }
    }

    fn answer(&mut self, letter: ClientLetter) {
        match letter {
            ClientLetter::Accepted(newcomer) => self.admit(newcomer),
            ClientLetter::Responded { ticket, response } => {
                self.hand_over(ticket, |client| client.respond(ticket, &response));
            }
            ClientLetter::Counted { ticket, answer } => {
                self.hand_over(ticket, |client| client.complete(ticket, &answer));
            }
            ClientLetter::AclFileDone { ticket, outcome } => {
                self.hand_over(ticket, |client| client.complete_acl_file(ticket, &outcome));
            }
            ClientLetter::Asked(census) => self.ask_all(&census),
            ClientLetter::PauseChanged => self.touched.extend(&self.desk.held),
            ClientLetter::Overweight(ClientId(key)) => {
                if let Some(connection) = self.connections.get_mut(&key) {
                    connection.client.close_for_query_budget();
                    self.touched.push(key);
                }
            }
        }
    }

    fn admit(&mut self, newcomer: Newcomer) {
        let id = newcomer.id;
        // Registering fails only for want of memory in the system; the client sees a close.
        let Ok((stream, facts)) = newcomer.settle(&self.desk.house) else {
            return self.desk.house.roll.leave();
        };
        let limits = self.desk.house.rules.limits;
        let client = Client::new(id, facts, limits, &self.desk.view());
        let connection = Connection::new(client, stream, self.ready.waker(id.0));
        self.connections.insert(id.0, connection);
        self.touched.push(id.0);
    }

    fn hand_over(&mut self, ticket: Ticket, give: impl FnOnce(&mut Client)) {
        let Some(key) = self.desk.tickets.remove(&ticket) else { return };
        if let Some(connection) = self.connections.get_mut(&key) {
            connection.waiting -= 1;
            give(&mut connection.client);
            self.touched.push(key);
        }
    }

    fn ask_all(&mut self, census: &Census) {
        let now = self.desk.now;
        let mut found = Vec::new();
        for (key, connection) in &mut self.connections {
            if !connection.client.matches(&census.filter, now) {
                continue;
            }
            let line = match census.wanted {
                Wanted::Lines => connection.client.info_line(now),
                Wanted::Deaths => {
                    connection.client.kill();
                    self.touched.push(*key);
                    String::new()
                }
            };
            found.push((connection.client.id(), line));
        }
        census.add(&self.desk.house, found);
    }

    /// The coarse tick, and the end of a pause.
    fn look_at_the_time(&mut self) {
        let now = self.desk.now;
        let timeout_secs = self.desk.house.rules.timeout_secs;
        if self.ticked_at + TICK <= now.mono {
            self.ticked_at = now.mono;
            for (key, connection) in &mut self.connections {
                if timeout_secs > 0 || self.desk.backlogged.contains(key) {
                    connection.client.check_time(now, timeout_secs.into());
                    self.touched.push(*key);
                }
            }
        }
        if !self.desk.held.is_empty() && self.desk.house.pause(now.mono).is_none() {
            self.touched.extend(&self.desk.held);
        }
    }

    /// Lets a connection work; whether it is yet to be finished.
    fn visit(&mut self, key: u64) -> bool {
        let Some(connection) = self.connections.get_mut(&key) else { return false };
        self.desk.serve(connection, &mut self.scratch);
        let is_large = connection.client.output().len() > REPLIES_HELD;
        if is_large {
            self.finish(key);
        }
        !is_large
    }

    /// Delivers events until the slice is used up or everybody has everything.
    fn deliver(&mut self, mut slice: Slice) {
        // Perhaps by one of those who were just answered: the next round looks after it first.
        if self.desk.must_follow_users() {
            return;
        }
        while let Some(key) = self.desk.deliveries.next(&slice) {
            match self.connections.get_mut(&key) {
                Some(connection) => {
                    let events = self.desk.catch_up(connection);
                    slice.spend(events);
                    if events > 0 {
                        self.desk.advance(connection);
                        self.finish(key);
                    }
                }
                None => self.desk.forget(key),
            }
        }
    }

    fn finish(&mut self, key: u64) {
        let Some(connection) = self.connections.get_mut(&key) else { return };
        self.desk.send(connection);
        if connection.is_over() {
            connection.leave(&self.desk.house, self.desk.number);
            self.connections.remove(&key);
            self.desk.forget(key);
        }
    }
}

impl Desk {
    pub(super) fn new(number: usize, house: Arc<House>) -> Self {
        Self {
            snapshot: house.board.snapshot(),
            accounts: house.accounts.present(),
            followed: house.accounts.look().version(),
            now: house.clock.now(),
            house,
            held: HashSet::default(),
            backlogged: HashSet::default(),
            deliveries: Deliveries::new(),
            tickets: HashMap::default(),
            hellos: HelloMemory::default(),
            mint: TicketMint::of_thread(number),
            number,
        }
    }

    /// Whether the users changed since all connections were told of them.
    pub(super) fn must_follow_users(&self) -> bool {
        self.house.accounts.look().version() != self.followed
    }

    pub(super) fn view(&mut self) -> View<'_> {
        // Who was told that a user changed sees it on every thread.
        let present = self.house.accounts.look();
        if !Arc::ptr_eq(&present, &self.accounts) {
            self.accounts = Arc::clone(&present);
        }
        View {
            house: &self.house,
            snapshot: &self.snapshot,
            now: self.now,
            accounts: &mut self.accounts,
            hellos: &mut self.hellos,
            mint: &mut self.mint,
        }
    }

    /// Delivers everything that waits for a connection; how many events that was. To be called
    /// before anything else is said to it: nobody sees a reply that is newer than an event which it
    /// has not got.
    fn catch_up(&mut self, connection: &mut Connection) -> usize {
        let mut events = 0;
        self.deliveries.hand_over(connection.client.id().0, |announcement| {
            events += connection.deliver(announcement, self.now);
            if connection.client.output().len() > REPLIES_HELD {
                connection.write(&self.house.counters);
            }
        });
        events
    }

    /// Lets a connection do everything that it can do now but write.
    fn serve(&mut self, connection: &mut Connection, scratch: &mut [u8]) {
        let house = self.house.clone();
        self.now = house.clock.now();
        self.catch_up(connection);
        self.advance(connection);
        connection.read(&house, self.now, scratch, |connection| self.advance(connection));
    }

    /// Writes, and keeps account of what became of the connection.
    fn send(&mut self, connection: &mut Connection) {
        let house = self.house.clone();
        // Room in the output may let the machine go on.
        while connection.write(&house.counters) {
            self.advance(connection);
        }
        connection.settle_accounts(&house, self.number);
        let key = connection.client.id().0;
        note(&mut self.held, key, connection.client.is_held());
        note(&mut self.backlogged, key, !connection.client.output().is_empty());
        self.count_subscriber(key, connection.client.wants_events());
    }

    fn advance(&mut self, connection: &mut Connection) {
        connection.client.advance(&mut self.view());
        while let Some(action) = connection.client.poll_action() {
            self.carry_out(action, connection);
        }
    }

    fn carry_out(&mut self, action: Action, connection: &mut Connection) {
        let now = self.now.mono;
        match action {
            Action::Submit { ticket, request } => {
                self.expect(ticket, connection);
                self.house.heart.owe(now);
                self.house.control.post(Input::Requested { ticket, request });
            }
            Action::ListClients { ticket, filter } => {
                self.expect(ticket, connection);
                Census::start(&self.house, ticket, filter, Wanted::Lines);
            }
            Action::KillClients { ticket, filter } => {
                self.expect(ticket, connection);
                Census::start(&self.house, ticket, filter, Wanted::Deaths);
            }
            Action::AclFile { ticket, task } => {
                self.expect(ticket, connection);
                self.house.acl_file(ticket, task);
            }
            Action::Pause(pause) => self.house.set_pause(Some(pause), now),
            Action::Unpause => self.house.set_pause(None, now),
            Action::Shutdown => self.house.exit.request(connection.client.log_names()),
            Action::SubscriptionChanged(change) => {
                connection.subscription_changed(&change, &self.house);
            }
            Action::Log { level, text } => self.house.log.line(level, &text),
            Action::Close(closing) => connection.close(closing, &self.house),
        }
    }

    fn expect(&mut self, ticket: Ticket, connection: &mut Connection) {
        connection.waiting += 1;
        self.tickets.insert(ticket, connection.client.id().0);
    }

    fn count_subscriber(&mut self, key: u64, is: bool) {
        let subscribers = &self.house.counters.subscribers;
        match (self.deliveries.set_subscriber(key, is), is) {
            (true, true) => subscribers.fetch_add(1, Relaxed),
            (true, false) => subscribers.fetch_sub(1, Relaxed),
            (false, _) => return,
        };
    }

    fn forget(&mut self, key: u64) {
        self.held.remove(&key);
        self.backlogged.remove(&key);
        self.count_subscriber(key, false);
    }
}

/// Notes whether `key` belongs to `set`. True if that changed.
fn note(set: &mut HashSet<u64>, key: u64, is: bool) -> bool {
    if is { set.insert(key) } else { set.remove(&key) }
}
