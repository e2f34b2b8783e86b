//! Connections to data nodes and fellow Sentinels: queries become commands, replies become
//! answers (spec: behaviour 4 to 10, interface 12).

mod answer;
mod command;
mod heard;
mod room;

pub use heard::HelloMemory;
pub use room::SpareRoom;

use core::fmt;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::BytesMut;
use thiserror::Error;
use vedette_core::{
    Answer, ConnId, Input, Purpose, Query, Renames, TransactionCommand, TransactionOutcome,
};
use vedette_resp::{DecodeError, Frame, ReplyDecoder};

/// Why a connection is of no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    /// Bytes that are no reply.
    #[error("the other side does not speak RESP: {0}")]
    NotResp(#[from] DecodeError),
    /// A reply that nothing was asked for, for example a refusal to be connected.
    #[error("a reply came that nothing was asked for")]
    Unexpected,
}

/// One connection to a data node or a fellow Sentinel.
pub struct NodeLink {
    conn: ConnId,
    purpose: Purpose,
    renames: Arc<Renames>,
    output: BytesMut,
    /// While a reply is not whole: links have none for most of the time.
    decoder: Option<Box<ReplyDecoder>>,
    /// What the next replies belong to, oldest first.
    expected: VecDeque<Expected>,
}

/// What one or several replies belong to.
#[derive(Debug)]
enum Expected {
    /// `AUTH`, `CLIENT SETNAME`, `SCRIPT KILL`, `FAILOVER ABORT`.
    Ignored,
    Ping,
    Info,
    Subscription,
    Hello,
    Opinion,
    HandOver,
    /// `REPLCONF GETACK`: only a refusal is told.
    NothingOrRefusal,
    /// Boxed: it is rare, and every link keeps room for some of these.
    Transaction(Box<Transaction>),
}

/// A SLAVEOF transaction whose replies are coming in (spec: behaviour 10.7).
#[derive(Debug)]
struct Transaction {
    /// Commands between `MULTI` and `EXEC`.
    commands: Vec<TransactionCommand>,
    /// Replies so far: first that of `MULTI`, then those of queueing, last that of `EXEC`.
    replies: usize,
    multi_refused: bool,
    refused: BTreeSet<TransactionCommand>,
}

/// Without the bytes: there may be passwords among them.
impl fmt::Debug for NodeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeLink")
            .field("conn", &self.conn)
            .field("purpose", &self.purpose)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

impl NodeLink {
    /// A link for a connection that was just ordered.
    #[must_use]
    pub fn new(conn: ConnId, purpose: Purpose, renames: Arc<Renames>) -> Self {
        Self {
            conn,
            purpose,
            renames,
            output: BytesMut::new(),
            decoder: None,
            expected: VecDeque::new(),
        }
    }

    /// The connection's number.
    #[must_use]
    pub fn conn(&self) -> ConnId {
        self.conn
    }

    /// What the connection is for.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Uses other names for commands from now on.
    pub fn set_renames(&mut self, renames: Arc<Renames>) {
        self.renames = renames;
    }

    /// Appends the commands of a query to the output, and expects their replies.
    pub fn send(&mut self, query: &Query) {
        if self.output.capacity() == 0 {
            self.output.reserve(room::FIRST);
        }
        command::write(&mut self.output, query, &self.renames);
        self.expected.push_back(match query {
            Query::Auth { .. }
            | Query::SetName { .. }
            | Query::ScriptKill
            | Query::RecallHandOver
            | Query::RewriteConfig => Expected::Ignored,
            Query::HandOver { .. } => Expected::HandOver,
            Query::TellOffset => Expected::NothingOrRefusal,
            Query::Ping => Expected::Ping,
            Query::Info => Expected::Info,
            Query::Subscribe => Expected::Subscription,
            Query::Hello(_) => Expected::Hello,
            Query::AskDown { .. } => Expected::Opinion,
            Query::Replicate { without, .. } => {
                let commands = command::transaction(without);
                Expected::Transaction(Box::new(Transaction::new(commands)))
            }
        });
    }

    /// Before something is sent: takes room that another link used.
    pub fn take_room(&mut self, spare: &mut SpareRoom) {
        if self.output.capacity() == 0 {
            self.output = spare.take();
        }
    }

    /// Bytes to write; the caller takes them out.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// When everything was written: gives back the room that it took.
    pub fn release_output(&mut self, spare: &mut SpareRoom) {
        if self.output.is_empty() {
            spare.give(std::mem::take(&mut self.output));
        }
    }

    /// Takes bytes as they came, and tells what they are.
    ///
    /// # Errors
    /// The connection must be closed. What came before the error was told.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        memory: &mut HelloMemory,
        inputs: &mut impl Extend<Input>,
    ) -> Result<(), LinkError> {
        let bytes = self.receive_short(bytes, memory, inputs);
        if bytes.is_empty() {
            return Ok(());
        }
        let mut decoder = self.decoder.take().unwrap_or_default();
        decoder.feed(bytes);
        let outcome = self.take_all(&mut decoder, memory, inputs);
        if outcome.is_err() || decoder.buffered() > 0 {
            self.decoder = Some(decoder);
        }
        outcome
    }

    fn take_all(
        &mut self,
        decoder: &mut ReplyDecoder,
        memory: &mut HelloMemory,
        inputs: &mut impl Extend<Input>,
    ) -> Result<(), LinkError> {
        while let Some(frame) = decoder.next()? {
            inputs.extend(self.take(&frame, memory)?);
        }
        Ok(())
    }

    /// The most frequent cases, without a detour through the decoder; what is left of the bytes.
    fn receive_short<'a>(
        &mut self,
        mut bytes: &'a [u8],
        memory: &mut HelloMemory,
        inputs: &mut impl Extend<Input>,
    ) -> &'a [u8] {
        if self.decoder.is_some() {
            return bytes;
        }
        let conn = self.conn;
        if self.purpose == Purpose::Subscription {
            while let Some((payload, after)) = heard::message(bytes) {
                inputs.extend([Input::MessageReceived { conn, hello: memory.read(payload) }]);
                bytes = after;
            }
        }
        loop {
            let short = match self.expected.front() {
                Some(Expected::Ping) => {
                    let after = bytes.strip_prefix(b"+PONG\r\n");
                    after.map(|after| (after, Answer::Ping(vedette_core::PingReply::Pong)))
                }
                Some(Expected::Hello) => {
                    let after = heard::integer(bytes);
                    after.map(|after| (after, Answer::Hello { accepted: true }))
                }
                Some(_) | None => None,
            };
            let Some((after, answer)) = short else { return bytes };
            self.expected.pop_front();
            inputs.extend([Input::Answered { conn, answer }]);
            bytes = after;
        }
    }

    /// What a frame tells; none if it is part of something, or nobody needs to know.
    fn take(
        &mut self,
        frame: &Frame,
        memory: &mut HelloMemory,
    ) -> Result<Option<Input>, LinkError> {
        let conn = self.conn;
        if self.purpose == Purpose::Subscription
            && let Some(payload) = answer::message(frame)
        {
            return Ok(Some(Input::MessageReceived { conn, hello: memory.read(payload) }));
        }
        while matches!(self.expected.front(), Some(Expected::NothingOrRefusal)) {
            self.expected.pop_front();
            if answer::is_refusal_of(frame, "replconf") {
                return Ok(None);
            }
        }
        let answer = match self.expected.front_mut().ok_or(LinkError::Unexpected)? {
            Expected::Ignored => Answer::Ignored,
            Expected::Ping => Answer::Ping(answer::ping(frame)),
            Expected::Info => Answer::Info(answer::info(frame)),
            Expected::Subscription => {
                Answer::Subscribed { accepted: answer::is_subscription(frame) }
            }
            Expected::Hello => Answer::Hello { accepted: !frame.is_error() },
            Expected::HandOver => Answer::HandOver(answer::hand_over(frame)),
            Expected::Opinion => Answer::Opinion(answer::opinion(frame)),
            Expected::NothingOrRefusal => return Ok(None),
            Expected::Transaction(transaction) => match transaction.take(frame) {
                Some(outcome) => Answer::Replicate(outcome),
                None => return Ok(None),
            },
        };
        self.expected.pop_front();
        Ok(Some(Input::Answered { conn, answer }))
    }
}

impl Transaction {
    fn new(commands: Vec<TransactionCommand>) -> Self {
        Self { commands, replies: 0, multi_refused: false, refused: BTreeSet::new() }
    }

    /// One more reply; the last one gives the outcome.
    fn take(&mut self, frame: &Frame) -> Option<TransactionOutcome> {
        let place = self.replies;
        self.replies += 1;
        if place == 0 {
            self.multi_refused = frame.is_error();
            return None;
        }
        match self.commands.get(place - 1) {
            Some(command) => {
                if frame.is_error() {
                    self.refused.insert(*command);
                }
                None
            }
            None => Some(self.outcome(frame)),
        }
    }

    /// What `EXEC` answered. Without `MULTI` the commands ran one by one, and `EXEC` is an error.
    fn outcome(&mut self, exec: &Frame) -> TransactionOutcome {
        if self.multi_refused {
            return TransactionOutcome::Refused;
        }
        if let Some(results) = exec.items() {
            let accepted = results.first().is_some_and(|slaveof| !slaveof.is_error());
            return match accepted {
                true => TransactionOutcome::Done,
                false => TransactionOutcome::SlaveOfFailed,
            };
        }
        let aborted = exec.is_error()
            && exec.text().is_some_and(|text| text.starts_with(b"EXECABORT"))
            && !self.refused.is_empty();
        match aborted {
            true => TransactionOutcome::Aborted(core::mem::take(&mut self.refused)),
            false => TransactionOutcome::Refused,
        }
    }
}

#[cfg(test)]
mod tests;
