//! One connection of a client, a Sentinel or a replica.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use vedette_resp::{Frame, Protocol, Request, RequestDecoder, RequestLimits, encode_frame};

use crate::CloseKind;
use crate::replication::Attached;

/// Everything a node knows of a connection. Idle ones own no buffers.
#[derive(Debug)]
pub(crate) struct Connection {
    /// What CLIENT ID shows.
    pub(crate) client_id: u64,
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) opened_at: u64,
    pub(crate) active_at: u64,
    /// The last PING.
    pub(crate) pinged_at: Option<u64>,
    pub(crate) decoder: RequestDecoder,
    pub(crate) protocol: Protocol,
    /// The user, once authenticated.
    pub(crate) user: Option<String>,
    pub(crate) name: Bytes,
    pub(crate) last_command: &'static str,
    pub(crate) no_evict: bool,
    pub(crate) channels: BTreeSet<Bytes>,
    pub(crate) patterns: BTreeSet<Bytes>,
    pub(crate) transaction: Option<Box<Transaction>>,
    pub(crate) watched: BTreeSet<Bytes>,
    /// A watched key has changed.
    pub(crate) watch_broken: bool,
    pub(crate) reply_mode: ReplyMode,
    /// Set when this is a replica.
    pub(crate) replica: Option<Box<Attached>>,
    /// What REPLCONF announced before PSYNC.
    pub(crate) announced_port: u16,
    pub(crate) announced_ip: Option<String>,
    /// A request held back by CLIENT PAUSE.
    pub(crate) held: Option<Request>,
    /// In WAIT, or asleep in DEBUG SLEEP: nothing more is read.
    pub(crate) blocked: bool,
    pub(crate) closing: Option<CloseKind>,
    pub(crate) out: BytesMut,
}

/// Commands between MULTI and EXEC.
#[derive(Debug, Default)]
pub(crate) struct Transaction {
    pub(crate) queued: Vec<Vec<Bytes>>,
    /// A command was refused, so EXEC will be.
    pub(crate) broken: bool,
}

/// CLIENT REPLY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplyMode {
    On,
    Off,
    /// The reply to this very command is left out.
    SkipThis,
    SkipNext,
}

impl Connection {
    pub(crate) fn new(client_id: u64, peer: SocketAddr, local: SocketAddr, now: u64) -> Self {
        Self {
            client_id,
            peer,
            local,
            opened_at: now,
            active_at: now,
            pinged_at: None,
            decoder: RequestDecoder::new(RequestLimits::default(), false),
            protocol: Protocol::Resp2,
            user: None,
            name: Bytes::new(),
            last_command: "NULL",
            no_evict: false,
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            transaction: None,
            watched: BTreeSet::new(),
            watch_broken: false,
            reply_mode: ReplyMode::On,
            replica: None,
            announced_port: 0,
            announced_ip: None,
            held: None,
            blocked: false,
            closing: None,
            out: BytesMut::new(),
        }
    }

    /// Whether no further request is taken from it for now.
    pub(crate) fn is_stopped(&self) -> bool {
        self.blocked || self.held.is_some() || self.closing.is_some()
    }

    pub(crate) fn authenticate(&mut self, user: Option<String>) {
        self.decoder.set_authenticated(user.is_some());
        self.user = user;
    }

    pub(crate) fn subscriptions(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// In RESP2 a subscriber may do little else (spec: interface 1.8).
    pub(crate) fn is_restricted_subscriber(&self) -> bool {
        self.protocol == Protocol::Resp2 && self.subscriptions() > 0
    }

    /// Appends a reply or push, unless replies are off.
    pub(crate) fn write(&mut self, frame: &Frame) {
        let is_push = matches!(frame, Frame::Push(_));
        if self.reply_mode == ReplyMode::On || (is_push && self.reply_mode != ReplyMode::Off) {
            encode_frame(&mut self.out, frame, self.protocol);
        }
    }

    /// The class CLIENT KILL TYPE and CLIENT LIST TYPE see.
    pub(crate) fn class(&self) -> ClientClass {
        if self.replica.is_some() {
            ClientClass::Replica
        } else if self.subscriptions() > 0 {
            ClientClass::Pubsub
        } else {
            ClientClass::Normal
        }
    }
}

/// The classes of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientClass {
    Normal,
    Pubsub,
    Replica,
    Master,
}

impl ClientClass {
    /// Reads a class as CLIENT KILL and CLIENT LIST take it.
    pub(crate) fn parse(word: &[u8]) -> Option<Self> {
        match word.to_ascii_lowercase().as_slice() {
            b"normal" => Some(ClientClass::Normal),
            b"pubsub" => Some(ClientClass::Pubsub),
            b"slave" | b"replica" => Some(ClientClass::Replica),
            b"master" => Some(ClientClass::Master),
            _ => None,
        }
    }
}
