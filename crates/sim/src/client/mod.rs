//! Those who use Sentinels: what a client does when it hears something. Pure; the world carries the
//! deeds out.

mod listener;
mod reader;
mod typist;
mod watcher;
mod writer;

use std::net::SocketAddr;

use vedette_core::EventKind;
use vedette_resp::Frame;
use vedette_wire::events::event_name;

use crate::random::Random;
use crate::world::AppIndex;
use listener::Listener;
use reader::Reader;
use typist::Typist;
use watcher::Watcher;
use writer::Writer;

pub(crate) use writer::STAY_MS;

/// What a client hears.
#[derive(Clone, Debug)]
pub(crate) enum News<F> {
    /// Its alarm clock rings.
    Alarm,
    /// Its connection was made.
    Connected,
    /// Its connection was refused or is over.
    Lost,
    /// A reply or a message.
    Received(F),
    /// Its own listener heard of a new master.
    MasterMoved(SocketAddr),
}

/// What a client does.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// Connects to a Sentinel instead of what it is connected to.
    AskSentinel(usize),
    /// Connects to an address instead of what it is connected to.
    Connect(SocketAddr),
    /// Sends a command.
    Send(Vec<String>),
    /// Closes its connection.
    HangUp,
    /// Sets its alarm clock.
    Wake { in_ms: u64 },
    /// Tells another client of the same process about a new master.
    Move { app: AppIndex, to: SocketAddr },
    /// Has seen something that must not be.
    Accuse { invariant: &'static str, evidence: String },
    /// Has seen something worth counting.
    Reach(&'static str),
    /// A write was acknowledged.
    Acknowledged,
}

/// What a client is there for.
pub(crate) enum Role {
    Writer(Writer),
    Reader(Reader),
    Listener(Listener),
    Watcher(Watcher),
    Typist(Typist),
}

impl Role {
    /// Writes to a master that Sentinels name.
    pub(crate) fn writer(master: &str, sentinels: usize, number: usize) -> Self {
        Self::Writer(Writer::new(master, sentinels, number))
    }

    /// Reads from replicas that Sentinels name.
    pub(crate) fn reader(master: &str, sentinels: usize, number: usize) -> Self {
        Self::Reader(Reader::new(master, sentinels, number))
    }

    /// Waits for `+switch-master` on behalf of a writer.
    pub(crate) fn listener(
        master: &str,
        sentinels: usize,
        number: usize,
        writer: AppIndex,
    ) -> Self {
        Self::Listener(Listener::new(master, sentinels, number, writer))
    }

    /// Compares events with answers on one connection.
    pub(crate) fn watcher(sentinel: usize, masters: Vec<String>) -> Self {
        Self::Watcher(Watcher::new(sentinel, masters))
    }

    /// Types lines into a Sentinel.
    pub(crate) fn operator(sentinel: usize, lines: Vec<Vec<String>>) -> Self {
        Self::Typist(Typist::into_sentinel(sentinel, lines))
    }

    /// Types a line into a node.
    pub(crate) fn orderer(node: SocketAddr, line: Vec<String>) -> Self {
        Self::Typist(Typist::into_node(node, line))
    }

    /// Hears something and acts.
    pub(crate) fn hear(
        &mut self,
        now_ms: u64,
        news: News<Frame>,
        random: &mut Random,
    ) -> Vec<Deed> {
        match self {
            Self::Writer(writer) => writer.hear(now_ms, news, random),
            Self::Reader(reader) => reader.hear(now_ms, news, random),
            Self::Listener(listener) => listener.hear(news, random),
            Self::Watcher(watcher) => watcher.hear(news),
            Self::Typist(typist) => typist.hear(news),
        }
    }

    /// If it writes: the node that it takes for the master and stays with.
    pub(crate) fn stays_on(&self) -> Option<SocketAddr> {
        match self {
            Self::Writer(writer) => writer.stays_on(),
            Self::Reader(_) | Self::Listener(_) | Self::Watcher(_) | Self::Typist(_) => None,
        }
    }

    /// If it writes to this master: where its writes are being acknowledged.
    pub(crate) fn writes_to(&self, master: &str, now_ms: u64) -> Option<Option<SocketAddr>> {
        match self {
            Self::Writer(writer) if writer.master() == master => Some(writer.writes_to(now_ms)),
            Self::Writer(_)
            | Self::Reader(_)
            | Self::Listener(_)
            | Self::Watcher(_)
            | Self::Typist(_) => None,
        }
    }

    /// If it reads: what it has read so far says nothing about what comes.
    pub(crate) fn forget_reads(&mut self) {
        if let Self::Reader(reader) = self {
            reader.forget_reads();
        }
    }

    /// If it reads of this master: the nodes that it has read from lately.
    pub(crate) fn reads_of(&self, master: &str, now_ms: u64) -> Option<Vec<SocketAddr>> {
        match self {
            Self::Reader(reader) if reader.master() == master => Some(reader.reads_from(now_ms)),
            Self::Writer(_)
            | Self::Reader(_)
            | Self::Listener(_)
            | Self::Watcher(_)
            | Self::Typist(_) => None,
        }
    }
}

/// Words of a command.
fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|word| (*word).to_owned()).collect()
}

/// The texts of an array.
fn texts(frame: &Frame) -> Vec<String> {
    let text = |item: &Frame| {
        item.text().map(|text| String::from_utf8_lossy(text).into_owned()).unwrap_or_default()
    };
    frame.items().unwrap_or_default().iter().map(text).collect()
}

/// The address that is an answer's two words.
fn address_in(frame: &Frame) -> Option<SocketAddr> {
    match texts(frame).as_slice() {
        [host, port] => address(host, port),
        _ => None,
    }
}

/// Whether an answer to `ROLE` begins with this.
fn is_role(frame: &Frame, role: &str) -> bool {
    texts(frame).first().is_some_and(|first| first == role)
}

/// The address in two words.
fn address(host: &str, port: &str) -> Option<SocketAddr> {
    format!("{host}:{port}").parse().ok()
}

/// The channel of a new address.
const SWITCH_MASTER: &str = event_name(EventKind::SwitchMaster);
