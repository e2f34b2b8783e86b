//! One accepted connection: its socket, its machine, and what is outstanding between the two.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::ReadBuf;
use vedette_core::{LogLevel, Now};
use vedette_wire::Client;
use vedette_wire::client::{CloseReason, Closing, SubscriptionChange};

use super::counters::Counters;
use super::{House, budget};
use crate::board::Announcement;
use crate::channels::Channels;
use crate::log::os_words;
use crate::stream::Stream;

/// Bytes of output whose memory is given back once they are written: a client that asked for a
/// long listing may stay for months and never ask again.
pub(super) const OUTPUT_KEPT: usize = 4 * 1024;

/// Reads from one connection before the others have their turn.
const READS_PER_VISIT: usize = 4;

/// A connection.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) waker: Waker,
    /// Requests on their way to the core or the other threads.
    pub(super) waiting: usize,
    /// What INFO's totals count of it.
    topics: BTreeSet<Topic>,
    /// Where it may hear something. What it left stays in it until it has left everything: the
    /// machine knows what it still wants.
    channels: Channels,
    stream: Stream,
    state: State,
    query_bytes: usize,
    /// The output's memory is more than is kept.
    is_bloated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Requests are read.
    Open,
    /// The client said all it had to say; it may still read.
    HalfClosed,
    /// Closed once the output is written.
    Closing(CloseReason),
    /// Over.
    Closed,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    Channel(Bytes),
    Pattern(Bytes),
    Prefix(Bytes),
    Tracking,
}

impl Connection {
    pub(super) fn new(client: Client, stream: Stream, waker: Waker) -> Self {
        Self {
            client,
            waker,
            waiting: 0,
            topics: BTreeSet::new(),
            channels: Channels::default(),
            stream,
            state: State::Open,
            query_bytes: 0,
            is_bloated: false,
        }
    }

    /// Reads until nothing is readable, the machine wants no more, or others have waited enough;
    /// `advance` lets the machine work after each read.
    pub(super) fn read(
        &mut self,
        house: &House,
        now: Now,
        scratch: &mut [u8],
        mut advance: impl FnMut(&mut Self),
    ) {
        for _ in 0..READS_PER_VISIT {
            if self.state != State::Open || self.client.is_full() {
                return;
            }
            match self.read_once(scratch) {
                Poll::Pending => return,
                Poll::Ready(Ok(0)) => {
                    if house.log.takes(LogLevel::Verbose) {
                        let line = self.client.log_line(now);
                        house.log.verbose(&format!("Client closed connection {line}"));
                    }
                    self.state = State::HalfClosed;
                }
                Poll::Ready(Ok(read)) => {
                    house.counters.reads.fetch_add(1, Relaxed);
                    self.client.receive(&scratch[..read], now);
                    advance(self);
                }
                Poll::Ready(Err(error)) => {
                    house.log.verbose(&format!("Reading from client: {}", os_words(&error)));
                    self.state = State::Closed;
                }
            }
        }
        self.waker.wake_by_ref();
    }

    /// Writes as much as the system takes. True if the output became empty by it.
    pub(super) fn write(&mut self, counters: &Counters) -> bool {
        let mut cx = Context::from_waker(&self.waker);
        if let Poll::Ready(Err(_)) = self.stream.poll_flush(&mut cx) {
            self.state = State::Closed;
        }
        let output = self.client.output();
        if output.is_empty() || self.state == State::Closed {
            return false;
        }
        counters.recent_max_output.fetch_max(output.len() as u64, Relaxed);
        self.is_bloated |= output.len() > OUTPUT_KEPT;
        while !output.is_empty() {
            match self.stream.poll_write(&mut cx, output) {
                Poll::Ready(Ok(written)) if written > 0 => {
                    counters.writes.fetch_add(1, Relaxed);
                    counters.output_bytes.fetch_add(written as u64, Relaxed);
                    output.advance(written);
                }
                Poll::Ready(_) => {
                    self.state = State::Closed;
                    return false;
                }
                Poll::Pending => return false,
            }
        }
        if std::mem::take(&mut self.is_bloated) {
            *output = BytesMut::new();
        }
        true
    }

    /// Ends the connection as the machine wants it.
    pub(super) fn close(&mut self, closing: Closing, house: &House) {
        let (state, reason) = match closing {
            Closing::Now(reason) => (State::Closed, reason),
            Closing::AfterFlush(reason) => (State::Closing(reason), reason),
        };
        if reason == CloseReason::Idle {
            house.log.verbose("Closing idle client");
        }
        house.counters.closed(reason);
        self.state = state;
    }

    /// Whether it is over: closed, or nothing is left to tell to a client that said good-bye.
    pub(super) fn is_over(&mut self) -> bool {
        let is_told = self.client.output().is_empty() && self.stream.is_flushed();
        match self.state {
            State::Open => false,
            State::HalfClosed => self.waiting == 0 && !self.client.is_held() && is_told,
            State::Closing(_) => is_told,
            State::Closed => true,
        }
    }

    /// Hands over what it may want to hear of these events; how many that were.
    pub(super) fn deliver(&mut self, announcement: &Announcement, now: Now) -> usize {
        let wanted = announcement.events(self.channels);
        wanted.map(|event| self.client.deliver(event, now)).count()
    }

    /// Keeps INFO's totals, and where it listens.
    pub(super) fn subscription_changed(&mut self, change: &SubscriptionChange, house: &House) {
        match change {
            SubscriptionChange::ChannelAdded(name) => {
                self.channels = self.channels.and(Channels::named(name));
                self.topics.insert(Topic::Channel(name.clone()));
            }
            SubscriptionChange::ChannelRemoved(name) => {
                self.topics.remove(&Topic::Channel(name.clone()));
            }
            SubscriptionChange::PatternAdded(name) => {
                self.channels = self.channels.and(Channels::matching(name));
                self.topics.insert(Topic::Pattern(name.clone()));
            }
            SubscriptionChange::PatternRemoved(name) => {
                self.topics.remove(&Topic::Pattern(name.clone()));
            }
            SubscriptionChange::TrackingStarted => {
                self.topics.insert(Topic::Tracking);
            }
            SubscriptionChange::TrackingStopped => {
                self.topics.remove(&Topic::Tracking);
            }
            SubscriptionChange::PrefixAdded(name) => {
                self.topics.insert(Topic::Prefix(name.clone()));
            }
            SubscriptionChange::PrefixRemoved(name) => {
                self.topics.remove(&Topic::Prefix(name.clone()));
            }
        }
        if self.topics.is_empty() {
            self.channels = Channels::default();
        }
        house.counters.subscription(change);
    }

    /// Keeps the totals over all clients after the machine has worked.
    pub(super) fn settle_accounts(&mut self, house: &House, thread: usize) {
        house.counters.add(self.client.take_counts());
        self.hold_query_bytes(self.client.query_bytes(), house, thread);
    }

    /// Takes it out of all totals.
    pub(super) fn leave(&mut self, house: &House, thread: usize) {
        self.stream.say_good_bye(&mut Context::from_waker(&self.waker));
        house.counters.add(self.client.take_counts());
        self.hold_query_bytes(0, house, thread);
        for topic in std::mem::take(&mut self.topics) {
            house.counters.subscription(&match topic {
                Topic::Channel(name) => SubscriptionChange::ChannelRemoved(name),
                Topic::Pattern(name) => SubscriptionChange::PatternRemoved(name),
                Topic::Prefix(name) => SubscriptionChange::PrefixRemoved(name),
                Topic::Tracking => SubscriptionChange::TrackingStopped,
            });
        }
        house.roll.leave();
    }

    fn hold_query_bytes(&mut self, bytes: usize, house: &House, thread: usize) {
        let before = std::mem::replace(&mut self.query_bytes, bytes);
        house.counters.recent_max_input.fetch_max(bytes as u64, Relaxed);
        if budget::matters(before, bytes)
            && let Some(offender) = house.budget.note(self.client.id(), thread, bytes)
        {
            let letter = super::ClientLetter::Overweight(offender.client);
            house.threads[offender.thread].letters.post(letter);
        }
    }

    fn read_once(&mut self, scratch: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(scratch);
        let mut cx = Context::from_waker(&self.waker);
        let read = self.stream.poll_read(&mut cx, &mut buffer);
        read.map(|read| read.map(|()| buffer.filled().len()))
    }
}
