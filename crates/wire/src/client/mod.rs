//! A client's connection as a pure machine (spec: interface 1, 4).
//!
//! In the order in which a request passes: [`Client::receive`] takes bytes; `advance` takes
//! requests out of them; `gate` checks them; `execute` finds who carries them out: `handshake`
//! (HELLO, AUTH), `connection` and `tracking` (CLIENT), `pubsub` (SUBSCRIBE and its relatives),
//! `sentinel`, `acl`, `introspection` (COMMAND); `outbox` keeps the replies in order.

mod action;
mod facts;
mod filter;
mod limits;
mod surroundings;

mod advance;
mod gate;

mod execute;

mod acl;
mod connection;
mod handshake;
mod introspection;
mod pubsub;
mod sentinel;

mod line;
mod outbox;
mod protocol_error;
mod session;
mod subscriptions;
mod tracking;

#[cfg(test)]
mod tests;

use core::fmt;
use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use vedette_core::{LogLevel, Now, Response, Ticket, Time};
use vedette_resp::{RequestDecoder, RequestLimits};

pub use action::{AclFileTask, Action, CloseReason, Closing, Pause, SubscriptionChange};
pub use facts::{
    ClientId, ClientLimits, ClientsFacts, ConnectionFacts, Counts, CpuFacts, Ends, OutputLimit,
    PauseFacts, ProcessFacts, ServerFacts, StatsFacts, Told,
};
pub use filter::{ClientFilter, ClientKind, ClientsAnswer, Condition, Test};
pub use surroundings::Surroundings;

use crate::accounts::Accounts;
use crate::commands::Command;
use crate::dialect::Dialect;
use crate::events::RenderedEvent;
use outbox::Outbox;
use session::{Followed, Session};
use subscriptions::Subscriptions;

/// A client's connection.
///
/// The host feeds it with [`Client::receive`], lets it work with [`Client::advance`], carries out
/// what [`Client::poll_action`] gives, and writes what [`Client::output`] holds.
pub struct Client {
    id: ClientId,
    facts: ConnectionFacts,
    limits: ClientLimits,
    state: State,
    decoder: RequestDecoder,
    /// A request that a pause holds.
    held: Option<Vec<Bytes>>,
    /// A pause that this connection ordered since the last [`Client::advance`]: the host may not
    /// have heard of it yet.
    ordered_pause: Option<Pause>,
    /// Whose answer all later requests wait for.
    barrier: Option<Ticket>,
    session: Session,
    subscriptions: Subscriptions,
    outbox: Outbox,
    actions: VecDeque<Action>,
    counts: Counts,
    /// Bytes read and commands executed so far.
    so_far: (u64, u64),
    created_at: Time,
    active_at: Time,
    last_command: Option<&'static Command>,
    /// Bytes of the arguments of the command being executed.
    argument_bytes: usize,
}

/// Whether the connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// No more requests, and no reason to close: the references close after the error that tells of
    /// bad bytes, and `CLIENT REPLY` swallowed that.
    Deaf,
    /// No more requests; closes when no reply is owed any more.
    Draining(CloseReason),
    /// The host was told to close it.
    Closed,
}

/// Without the bytes: there may be passwords among them.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("facts", &self.facts)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(
        id: ClientId,
        facts: ConnectionFacts,
        limits: ClientLimits,
        surroundings: &dyn Surroundings,
    ) -> Self {
        let session = Session::new(surroundings.accounts());
        let query_limits = RequestLimits {
            max_bulk_len: limits.bulk_len,
            max_query_bytes: limits.query_buffer,
            wants_line_ends: facts.dialect == Dialect::Valkey,
            ..RequestLimits::default()
        };
        let now = surroundings.now().mono;
        let authenticated = session.is_authenticated(surroundings.accounts());
        Self {
            id,
            facts,
            limits,
            state: State::Open,
            decoder: RequestDecoder::new(query_limits, authenticated),
            held: None,
            ordered_pause: None,
            barrier: None,
            session,
            subscriptions: Subscriptions::default(),
            outbox: Outbox::default(),
            actions: VecDeque::new(),
            counts: Counts::default(),
            so_far: (0, 0),
            created_at: now,
            active_at: now,
            last_command: None,
            argument_bytes: 0,
        }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// Takes bytes as they came. May order the connection to be closed.
    pub fn receive(&mut self, bytes: &[u8], now: Now) {
        if self.state == State::Deaf {
            self.active_at = now.mono;
        }
        if self.state != State::Open {
            return;
        }
        self.active_at = now.mono;
        self.counts.input_bytes += bytes.len() as u64;
        self.so_far.0 += bytes.len() as u64;
        self.decoder.feed(bytes);
        if self.decoder.buffered() > self.limits.query_buffer {
            self.close_for_query_buffer(now);
        }
    }

    /// Bytes to write; the host takes them out.
    pub fn output(&mut self) -> &mut BytesMut {
        self.outbox.output()
    }

    /// The oldest order that was not taken yet.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The core's response to an [`Action::Submit`].
    pub fn respond(&mut self, ticket: Ticket, response: &Response) {
        self.settle_response(ticket, response);
        self.after_settling(ticket);
    }

    /// The host's answer to an [`Action::ListClients`] or [`Action::KillClients`].
    pub fn complete(&mut self, ticket: Ticket, answer: &ClientsAnswer) {
        self.settle_clients(ticket, answer);
        self.after_settling(ticket);
    }

    /// The host's answer to an [`Action::AclFile`].
    pub fn complete_acl_file(&mut self, ticket: Ticket, outcome: &Result<(), String>) {
        self.settle_acl_file(ticket, outcome);
        self.after_settling(ticket);
    }

    /// The users changed: ends the connection if its user is gone, or may not listen any more to
    /// what it subscribed to (spec: interface 4.12).
    pub fn follow_users(&mut self, accounts: &Accounts) {
        if self.state == State::Open && self.must_go(accounts) {
            self.close_now(CloseReason::Killed);
        }
    }

    fn must_go(&mut self, accounts: &Accounts) -> bool {
        match self.session.follow(accounts) {
            Followed::Unchanged => false,
            Followed::LostChannels => !self.subscriptions.are_allowed(&self.session.user),
            Followed::Gone => true,
        }
    }

    /// Hands over an event. Only what the client subscribed to reaches its output.
    pub fn deliver(&mut self, event: &RenderedEvent, now: Now) {
        if self.state != State::Open {
            return;
        }
        let (subscriptions, protocol) = (&self.subscriptions, self.session.protocol);
        self.outbox.append_with(|out| subscriptions.tell(event, protocol, out));
        self.check_output(now);
    }

    /// Whether there is a subscription at all.
    #[must_use]
    pub fn wants_events(&self) -> bool {
        self.state == State::Open && self.subscriptions.total() > 0
    }

    /// Whether no more bytes should be read for now: too many replies are owed, or too much waits
    /// behind one.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let stuck = self.barrier.is_some() || self.held.is_some();
        !self.is_there()
            || self.outbox.owed() >= limits::WAITING_MAX
            || (stuck && self.decoder.buffered() > limits::PARKED_QUERY_MAX)
    }

    /// Whether a command is held by `CLIENT PAUSE`: advance it when the pause ends.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Closes the connection if it is idle for longer than `timeout` seconds (0 is never), or if
    /// its output has been above the soft limit for too long. To be called about once a second.
    pub fn check_time(&mut self, now: Now, timeout_secs: u64) {
        if !self.is_there() {
            return;
        }
        let idle_secs = now.mono.since(self.active_at).0 / 1000;
        // Subscribers may listen in silence (spec: interface 1.4).
        if timeout_secs > 0 && idle_secs > timeout_secs && self.subscriptions.total() == 0 {
            self.close_now(CloseReason::Idle);
            return;
        }
        self.check_output(now);
    }

    /// Ends it by `CLIENT KILL`. If it is the one that asked, its reply is written first.
    pub fn kill(&mut self) {
        match self.outbox.owes_kill_count() {
            true => self.drain(CloseReason::Killed),
            false => self.close_now(CloseReason::Killed),
        }
    }

    /// Memory held for bytes that are no complete request yet, for the budget of all clients.
    #[must_use]
    pub fn query_bytes(&self) -> usize {
        self.decoder.buffered()
    }

    /// Ends it for being the largest when all query buffers together exceed their budget.
    pub fn close_for_query_budget(&mut self) {
        let now = Now { mono: self.active_at, ..Now::default() };
        self.close_for_query_buffer(now);
    }

    /// What it counted since the last call.
    pub fn take_counts(&mut self) -> Counts {
        core::mem::take(&mut self.counts)
    }

    fn close_for_query_buffer(&mut self, now: Now) {
        let line = self.log_line(now);
        self.warn(format!("Closing client that reached max query buffer length: {line}"));
        self.close_now(CloseReason::QueryBufferFull);
    }

    fn check_output(&mut self, now: Now) {
        let limit = match self.subscriptions.total() {
            0 => self.limits.normal,
            _ => self.limits.pubsub,
        };
        if self.state == State::Open && self.outbox.exceeds(limit, now.mono) {
            let line = self.log_line(now);
            self.warn(format!(
                "Client {line} scheduled to be closed ASAP for overcoming of output buffer limits."
            ));
            self.close_now(CloseReason::OutputBufferFull);
        }
    }

    fn warn(&mut self, text: String) {
        self.log(LogLevel::Warning, text);
    }

    fn log(&mut self, level: LogLevel, text: String) {
        self.actions.push_back(Action::Log { level, text });
    }

    /// Closes at once; replies that were not written are lost.
    fn close_now(&mut self, reason: CloseReason) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        self.outbox.clear();
        self.drop_subscriptions();
        self.actions.push_back(Action::Close(Closing::Now(reason)));
    }

    /// The process ends: nothing more is done, and nothing more answered.
    fn stop(&mut self) {
        self.state = State::Closed;
        self.actions.push_back(Action::Shutdown);
    }

    /// Takes no more requests, and closes when every reply was written.
    fn drain(&mut self, reason: CloseReason) {
        if self.state == State::Open {
            self.state = State::Draining(reason);
            self.drop_subscriptions();
            self.close_when_drained();
        }
    }

    /// Whether nobody has ended it yet.
    fn is_there(&self) -> bool {
        match self.state {
            State::Open | State::Deaf => true,
            State::Draining(_) | State::Closed => false,
        }
    }

    /// Ends it after a protocol error: once that is told, or never if nothing is to be written.
    fn end_for_bad_bytes(&mut self) {
        let is_silent = self.outbox.len() == 0 && self.outbox.owed() == 0;
        if self.session.replies.are_muted() && is_silent {
            self.state = State::Deaf;
            self.drop_subscriptions();
        } else {
            self.drain(CloseReason::ProtocolError);
        }
    }

    fn close_when_drained(&mut self) {
        if let State::Draining(reason) = self.state
            && self.outbox.owed() == 0
        {
            self.state = State::Closed;
            self.actions.push_back(Action::Close(Closing::AfterFlush(reason)));
        }
    }

    /// A reply is no longer owed: those who waited for it may go on.
    fn after_settling(&mut self, ticket: Ticket) {
        if self.barrier == Some(ticket) {
            self.barrier = None;
        }
        self.close_when_drained();
    }
}
