//! A client's connection as a pure machine: protocol, order of checks, authentication,
//! subscriptions, replies in order (spec: interface 1, 4).

mod action;
mod facts;
mod listing;
mod surroundings;

use bytes::BytesMut;
use vedette_core::{Now, Response, Ticket};

pub use action::{Action, CloseReason, Closing, Pause, SubscriptionChange};
pub use facts::{
    ClientId, ClientLimits, ClientsFacts, ConnectionFacts, Counts, CpuFacts, Ends, OutputLimit,
    ProcessFacts, ServerFacts, StatsFacts,
};
pub use listing::{ClientFilter, ClientKind, ClientsAnswer};
pub use surroundings::Surroundings;

use crate::events::RenderedEvent;

/// A client's connection.
///
/// The host feeds it with [`Client::receive`], lets it work with [`Client::advance`], carries out
/// what [`Client::poll_action`] gives, and writes what [`Client::output`] holds.
#[derive(Debug)]
pub struct Client {
    id: ClientId,
    output: BytesMut,
}

#[expect(unused_variables, reason = "skeleton")]
impl Client {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(
        id: ClientId,
        facts: ConnectionFacts,
        limits: ClientLimits,
        surroundings: &dyn Surroundings,
    ) -> Self {
        Self { id, output: BytesMut::new() }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// Takes bytes as they came. May order the connection to be closed.
    pub fn receive(&mut self, bytes: &[u8], now: Now) {}

    /// Executes as many requests as may be executed now. Call it after `receive`, after `respond`
    /// and `complete`, after the output was written, and when a pause ended.
    pub fn advance(&mut self, surroundings: &mut dyn Surroundings) {}

    /// Bytes to write; the host takes them out.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// The oldest order that was not taken yet.
    pub fn poll_action(&mut self) -> Option<Action> {
        None
    }

    /// The core's response to an [`Action::Submit`].
    pub fn respond(&mut self, ticket: Ticket, response: &Response) {}

    /// The host's answer to an [`Action::ListClients`] or [`Action::KillClients`].
    pub fn complete(&mut self, ticket: Ticket, answer: &ClientsAnswer) {}

    /// Hands over an event. Only what the client subscribed to reaches its output.
    pub fn deliver(&mut self, event: &RenderedEvent, now: Now) {}

    /// Whether there is a subscription at all.
    #[must_use]
    pub fn wants_events(&self) -> bool {
        false
    }

    /// Whether no more bytes should be read for now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        false
    }

    /// Whether a command is held by `CLIENT PAUSE`.
    #[must_use]
    pub fn is_held(&self) -> bool {
        false
    }

    /// When the host should call [`Client::check_time`] next: soft output limit (spec: interface
    /// 1.4).
    pub fn check_time(&mut self, now: Now, timeout_secs: u64) {}

    /// Whether `CLIENT LIST` or `CLIENT KILL` means this client.
    #[must_use]
    pub fn matches(&self, filter: &ClientFilter, now: Now) -> bool {
        false
    }

    /// Its line in `CLIENT LIST`, without a line end.
    #[must_use]
    pub fn info_line(&self, now: Now) -> String {
        String::new()
    }

    /// Ends it by `CLIENT KILL`. If it is the one that asked, its reply is written first.
    pub fn kill(&mut self) {}

    /// Memory held for bytes that are no complete request yet, for the budget of all clients.
    #[must_use]
    pub fn query_bytes(&self) -> usize {
        0
    }

    /// Ends it for exceeding the budget of all query buffers.
    pub fn close_for_query_budget(&mut self) {}

    /// What it counted since the last call.
    pub fn take_counts(&mut self) -> Counts {
        Counts::default()
    }
}
