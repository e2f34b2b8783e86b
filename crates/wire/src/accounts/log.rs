//! What rules refused lately: `ACL LOG`.

use std::collections::VecDeque;

use vedette_core::{Now, Span, WallTime};

/// How long repetitions are counted in one entry.
const GROUPING: Span = Span(60_000);
/// How many of the latest entries are looked through for a repetition.
const LOOK_BACK: usize = 10;
/// Bytes that are kept of what a client typed.
const TYPED_MAX: usize = 1024;

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Wrong credentials.
    Auth,
    /// The command.
    Command,
    /// The channel.
    Channel,
}

impl Reason {
    /// As it is shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Command => "command",
            Self::Channel => "channel",
        }
    }
}

/// Something that was refused. Never a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Why.
    pub reason: Reason,
    /// The command or channel; for credentials, the command that carried them.
    pub object: Vec<u8>,
    /// Who was refused, or who somebody wanted to be.
    pub username: Vec<u8>,
    /// The line of the client.
    pub client: String,
    /// When.
    pub at: Now,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclLogEntry {
    /// Its number, from 0; never used again.
    pub id: u64,
    /// How often it happened.
    pub count: u64,
    /// When it happened first.
    pub created: WallTime,
    /// The latest time.
    pub latest: Incident,
}

/// The log, newest first.
#[derive(Debug)]
pub struct AclLog {
    longest: usize,
    next_id: u64,
    entries: VecDeque<AclLogEntry>,
}

impl AclLog {
    /// An empty log of at most this many entries.
    #[must_use]
    pub fn new(longest: usize) -> Self {
        Self { longest, next_id: 0, entries: VecDeque::new() }
    }

    /// Adds an incident; a repetition raises a count.
    pub fn note(&mut self, mut incident: Incident) {
        incident.object.truncate(TYPED_MAX);
        incident.username.truncate(TYPED_MAX);
        let repeats = |AclLogEntry { latest: known, .. }: &AclLogEntry| {
            known.reason == incident.reason
                && known.object == incident.object
                && known.username == incident.username
                && incident.at.mono.since(known.at.mono) <= GROUPING
        };
        let known = self.entries.iter().take(LOOK_BACK).position(repeats);
        let known = known.and_then(|place| self.entries.remove(place));
        let entry = match known {
            Some(known) => AclLogEntry { count: known.count + 1, latest: incident, ..known },
            None => {
                let id = self.next_id;
                self.next_id += 1;
                AclLogEntry { id, count: 1, created: incident.at.wall, latest: incident }
            }
        };
        self.entries.push_front(entry);
        self.entries.truncate(self.longest);
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.entries.clear();
    }

    /// The entries, newest first.
    pub fn entries(&self) -> impl Iterator<Item = &AclLogEntry> {
        self.entries.iter()
    }
}
