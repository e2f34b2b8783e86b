//! What INFO counts about clients, over all threads.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use vedette_core::Time;
use vedette_wire::client::{CloseReason, Counts, StatsFacts, SubscriptionChange};

/// Rates are averages over at least this long.
const MIN_RATE_MS: u64 = 1000;

/// Counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(super) connections_received: AtomicU64,
    pub(super) rejected_connections: AtomicU64,
    pub(super) output_bytes: AtomicU64,
    pub(super) reads: AtomicU64,
    pub(super) writes: AtomicU64,
    pub(super) subscribers: AtomicU64,
    /// How many connections track.
    pub(super) tracking: AtomicU64,
    pub(super) recent_max_input: AtomicU64,
    pub(super) recent_max_output: AtomicU64,
    commands: AtomicU64,
    error_replies: AtomicU64,
    input_bytes: AtomicU64,
    denied_auth: AtomicU64,
    denied_command: AtomicU64,
    denied_channel: AtomicU64,
    query_buffer_disconnections: AtomicU64,
    pub(super) output_buffer_disconnections: AtomicU64,
    topics: Mutex<Topics>,
    rates: Mutex<Rates>,
}

/// How many connections subscribe to each channel and pattern, and track each prefix.
#[derive(Debug, Default)]
struct Topics {
    channels: HashMap<Bytes, usize>,
    patterns: HashMap<Bytes, usize>,
    prefixes: HashMap<Bytes, usize>,
}

/// Two readings of the counters give the rates. There is no timer behind them: a reading is taken
/// when INFO is asked for and the last one is old enough.
#[derive(Debug, Default)]
struct Rates {
    at: Time,
    commands: u64,
    input_bytes: u64,
    output_bytes: u64,
    shown: Shown,
}

#[derive(Clone, Copy, Debug, Default)]
struct Shown {
    ops_per_sec: u64,
    input_kbps: f64,
    output_kbps: f64,
}

impl Counters {
    /// Adds what one connection counted.
    pub(super) fn add(&self, counts: Counts) {
        let Counts {
            commands,
            error_replies,
            input_bytes,
            denied_auth,
            denied_command,
            denied_channel,
        } = counts;
        for (total, count) in [
            (&self.commands, commands),
            (&self.error_replies, error_replies),
            (&self.input_bytes, input_bytes),
            (&self.denied_auth, denied_auth),
            (&self.denied_command, denied_command),
            (&self.denied_channel, denied_channel),
        ] {
            if count > 0 {
                total.fetch_add(count, Relaxed);
            }
        }
    }

    /// Notes why a connection was closed.
    pub(super) fn closed(&self, reason: CloseReason) {
        match reason {
            CloseReason::QueryBufferFull => &self.query_buffer_disconnections,
            CloseReason::OutputBufferFull => &self.output_buffer_disconnections,
            CloseReason::Quit
            | CloseReason::Killed
            | CloseReason::ProtocolError
            | CloseReason::CrossProtocol
            | CloseReason::Idle => return,
        }
        .fetch_add(1, Relaxed);
    }

    /// Notes a subscription that came or went.
    pub(super) fn subscription(&self, change: &SubscriptionChange) {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let Topics { channels, patterns, prefixes } = &mut *topics;
        match change {
            SubscriptionChange::ChannelAdded(name) => added(channels, name),
            SubscriptionChange::ChannelRemoved(name) => removed(channels, name),
            SubscriptionChange::PatternAdded(name) => added(patterns, name),
            SubscriptionChange::PatternRemoved(name) => removed(patterns, name),
            SubscriptionChange::TrackingStarted => {
                self.tracking.fetch_add(1, Relaxed);
            }
            SubscriptionChange::TrackingStopped => {
                self.tracking.fetch_sub(1, Relaxed);
            }
            SubscriptionChange::PrefixAdded(name) => added(prefixes, name),
            SubscriptionChange::PrefixRemoved(name) => removed(prefixes, name),
        }
    }

    /// The section Stats.
    pub(super) fn stats(&self, now: Time) -> StatsFacts {
        let Shown { ops_per_sec, input_kbps, output_kbps } = self.rates(now);
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        StatsFacts {
            connections_received: self.connections_received.load(Relaxed),
            commands_processed: self.commands.load(Relaxed),
            ops_per_sec,
            net_input_bytes: self.input_bytes.load(Relaxed),
            net_output_bytes: self.output_bytes.load(Relaxed),
            input_kbps,
            output_kbps,
            rejected_connections: self.rejected_connections.load(Relaxed),
            pubsub_channels: topics.channels.len() as u64,
            pubsub_patterns: topics.patterns.len() as u64,
            tracking_prefixes: topics.prefixes.len() as u64,
            error_replies: self.error_replies.load(Relaxed),
            reads_processed: self.reads.load(Relaxed),
            writes_processed: self.writes.load(Relaxed),
            query_buffer_disconnections: self.query_buffer_disconnections.load(Relaxed),
            output_buffer_disconnections: self.output_buffer_disconnections.load(Relaxed),
            denied_auth: self.denied_auth.load(Relaxed),
            denied_command: self.denied_command.load(Relaxed),
            denied_channel: self.denied_channel.load(Relaxed),
        }
    }

    fn rates(&self, now: Time) -> Shown {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed_ms = now.since(rates.at).0;
        if elapsed_ms >= MIN_RATE_MS {
            let commands = self.commands.load(Relaxed);
            let input_bytes = self.input_bytes.load(Relaxed);
            let output_bytes = self.output_bytes.load(Relaxed);
            let kbps = |bytes: u64| bytes as f64 / 1024.0 / (elapsed_ms as f64 / 1000.0);
            let shown = Shown {
                ops_per_sec: (commands - rates.commands) * 1000 / elapsed_ms,
                input_kbps: kbps(input_bytes - rates.input_bytes),
                output_kbps: kbps(output_bytes - rates.output_bytes),
            };
            *rates = Rates { at: now, commands, input_bytes, output_bytes, shown };
        }
        rates.shown
    }
}

fn added(topics: &mut HashMap<Bytes, usize>, name: &Bytes) {
    *topics.entry(name.clone()).or_default() += 1;
}

fn removed(topics: &mut HashMap<Bytes, usize>, name: &Bytes) {
    if let Some(count) = topics.get_mut(name) {
        *count -= 1;
        if *count == 0 {
            topics.remove(name);
        }
    }
}
