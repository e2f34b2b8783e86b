//! A run as a number, and as text.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fmt::Write as _;
use std::net::SocketAddr;

use vedette_core::{
    ConnId, Effect, Endpoint, Epoch, Input, Query, ReplicationTarget, Request, Sentinel, Wants,
};
use vedette_wire::events::log_line;
use vedette_wire::notes::note_text;

use crate::fault::Fault;
use crate::network::Parcel;
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// A hash over everything that passed through the network and was published.
#[derive(Clone, Debug)]
pub(crate) struct TraceHash(u64);

impl Default for TraceHash {
    fn default() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }
}

impl TraceHash {
    pub(crate) fn value(&self) -> u64 {
        self.0
    }

    pub(crate) fn note_number(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn note_bytes(&mut self, bytes: &[u8]) {
        self.note_number(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.note_number(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            self.note_number(u64::from_le_bytes(word));
        }
    }

    pub(crate) fn note_parcel(&mut self, at_ms: u64, wire: u64, parcel: &Parcel) {
        self.note_number(at_ms << 24 ^ wire);
        match parcel {
            Parcel::Connect => self.note_number(1),
            Parcel::Accepted => self.note_number(2),
            Parcel::Refused => self.note_number(3),
            Parcel::Bytes(bytes) => self.note_bytes(bytes),
            Parcel::Close => self.note_number(4),
        }
    }

    pub(crate) fn note_seen(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) {
        if let Seen::Ordered(Effect::Publish(publication)) = seen {
            self.note_number(scene.at_ms << 8 ^ scene.sentinel.0 as u64);
            self.note_number(publication.seq);
            for event in &publication.events {
                self.note_number(event.kind as u64);
            }
        }
    }
}

/// Everything worth reading, in order.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    lines: Vec<TraceLine>,
    /// Where the connections of each Sentinel lead.
    peers: BTreeMap<SentinelIndex, Peers>,
}

/// Where the connections of a Sentinel lead, as far as that was seen.
#[derive(Clone, Debug, Default)]
pub struct Peers(BTreeMap<ConnId, SocketAddr>);

impl Peers {
    /// Those of a Sentinel that was at work before it was seen.
    #[must_use]
    pub fn of(sentinel: &Sentinel) -> Self {
        Self(sentinel.connections().collect())
    }

    fn name(&self, conn: ConnId) -> String {
        self.0.get(&conn).map_or_else(|| format!("{conn:?}"), SocketAddr::to_string)
    }
}

/// One line of a trace.
#[derive(Clone, Debug)]
pub struct TraceLine {
    /// When.
    pub at_ms: u64,
    /// Whose doing; none for incidents.
    pub sentinel: Option<SentinelIndex>,
    /// What.
    pub text: String,
}

/// Whether a line has this name or address, and not only as a part of another one.
#[must_use]
pub fn has_name(line: &str, name: &str) -> bool {
    let goes_on = |next: char| next.is_alphanumeric() || "._-".contains(next);
    line.match_indices(name).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + name.len()..]);
        !before.ends_with(goes_on) && !after.starts_with(goes_on)
    })
}

impl TraceLine {
    /// Whether it has one of these, as [`has_name`].
    #[must_use]
    pub fn names(&self, names: &[String]) -> bool {
        names.iter().any(|name| has_name(&self.text, name))
    }
}

impl Trace {
    /// All lines.
    #[must_use]
    pub fn lines(&self) -> &[TraceLine] {
        &self.lines
    }

    pub(crate) fn note_incident(&mut self, at_ms: u64, number: usize, fault: &Fault) {
        self.note_phase(at_ms, format!("#{number} {fault:?}"));
    }

    /// What the world does to everybody.
    pub(crate) fn note_phase(&mut self, at_ms: u64, text: String) {
        self.lines.push(TraceLine { at_ms, sentinel: None, text });
    }

    pub(crate) fn note(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) {
        let mut texts = Vec::new();
        match seen {
            Seen::Started(state) => {
                let mut text = format!("started, current epoch {:?}", state.current_epoch);
                for master in &state.masters {
                    // Writing to a string cannot fail.
                    let _ = write!(
                        text,
                        "; {} at {} config {} vote {:?} members {}",
                        master.name,
                        master.address,
                        master.config_epoch,
                        master.leader_epoch,
                        master.sentinels.len()
                    );
                }
                texts.push(text);
            }
            Seen::Ended => texts.push("ended".to_owned()),
            Seen::Took(input) => texts.extend(input_text(input)),
            Seen::Ordered(effect) => {
                let peers = self.peers.entry(scene.sentinel).or_default();
                effect_texts(effect, peers, &mut texts);
            }
            Seen::Judged { unread } if *unread > 0 => {
                texts.push(format!("judged with {unread} unread"))
            }
            Seen::Judged { .. } | Seen::Counted { .. } => {}
            Seen::Heard { by, question, opinion } => {
                let (about, epoch) = (&question.address, question.epoch);
                let down = if opinion.down { "down" } else { "not down" };
                let vote = opinion.leader.map(|id| format!(", voted for {id}")).unwrap_or_default();
                let told = opinion.leader_epoch;
                let text = format!("<- Sentinel {}: {about} is {down}{vote}", by.0);
                let asked = if question.vote_for.is_some() { VOTE_ASKED } else { "asked" };
                texts.push(format!("{text}, epoch {told} ({asked} at {epoch})"));
            }
            Seen::Responded { request, response } => {
                texts.push(format!("answers {response:?} to {request:?}"));
            }
        }
        let (at_ms, sentinel) = (scene.at_ms, Some(scene.sentinel));
        self.lines.extend(texts.into_iter().map(|text| TraceLine { at_ms, sentinel, text }));
    }
}

/// In lines that answer a question for a vote.
pub(crate) const VOTE_ASKED: &str = "a vote was asked";

/// Inputs that tell more than that time passes.
pub(crate) fn input_text(input: &Input) -> Option<String> {
    match input {
        Input::Persisted { .. }
        | Input::PersistFailed { .. }
        | Input::Disconnected { .. }
        | Input::ConnectFailed { .. } => Some(format!("<- {input:?}")),
        Input::DeadlineReached
        | Input::Connected { .. }
        | Input::Answered { .. }
        | Input::MessageReceived { .. }
        | Input::Resolved { .. }
        | Input::ScriptStarted { .. }
        | Input::ScriptFailedToStart { .. }
        | Input::ScriptEnded { .. }
        | Input::Requested { .. } => None,
    }
}

/// What somebody asks; a question of a fellow Sentinel as it is told where it is sent.
pub(crate) fn request_text(request: &Request) -> String {
    let Request::IsMasterDown { address, epoch, wants } = request else {
        return format!("<- {request:?}");
    };
    let vote_for = match wants {
        Wants::Opinion => None,
        Wants::VoteFor(id) => Some(id.to_string()),
        Wants::VoteForStranger => Some("a stranger".to_owned()),
    };
    format!("<- {}", question_text(address, *epoch, vote_for))
}

fn question_text(address: &Endpoint, epoch: Epoch, vote_for: Option<impl Display>) -> String {
    let vote = vote_for.map(|id| format!(", a vote for {id}?")).unwrap_or_default();
    format!("is {address} down? epoch {epoch}{vote}")
}

pub(crate) fn effect_texts(effect: &Effect, peers: &mut Peers, texts: &mut Vec<String>) {
    match effect {
        Effect::Publish(publication) => {
            texts.extend(publication.events.iter().map(log_line));
        }
        Effect::Log(note) => texts.push(format!("# {}", note_text(note, &|_| String::new()).1)),
        Effect::Send { conn, query: Query::AskDown { address, epoch, vote_for } } => {
            let question = question_text(address, *epoch, vote_for.as_ref());
            texts.push(format!("-> {} {question}", peers.name(*conn)));
        }
        Effect::Send { conn, query: Query::Replicate { target, .. } } => {
            let target = match target {
                ReplicationTarget::NoOne => "NO ONE".to_owned(),
                ReplicationTarget::Node(node) => node.to_string(),
            };
            texts.push(format!("-> {} SLAVEOF {target}", peers.name(*conn)));
        }
        Effect::Persist { generation, changes } => {
            texts.push(format!("-> disk {generation:?}, {} changes", changes.len()));
        }
        Effect::Connect { conn, to, .. } => {
            peers.0.insert(*conn, *to);
            texts.push(format!("-> connects {conn:?} {to}"));
        }
        Effect::Close { conn } => {
            texts.push(format!("-> closes {conn:?} {}", peers.name(*conn)));
            peers.0.remove(conn);
        }
        Effect::Send { .. }
        | Effect::Rename { .. }
        | Effect::Resolve { .. }
        | Effect::Respond { .. }
        | Effect::RunScript { .. }
        | Effect::KillScript { .. }
        | Effect::Crash => {}
    }
}
