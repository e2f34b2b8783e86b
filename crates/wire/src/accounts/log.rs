//! What rules refused lately: `ACL LOG`.

use std::collections::VecDeque;

use vedette_core::{Span, Time};

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
    pub at: Time,
}

/// The log, newest first.
#[derive(Debug)]
pub struct AclLog {
    longest: usize,
    entries: VecDeque<(u64, Incident)>,
}

impl AclLog {
    /// An empty log of at most this many entries.
    #[must_use]
    pub fn new(longest: usize) -> Self {
        Self { longest, entries: VecDeque::new() }
    }

    /// Adds an incident; a repetition raises a count.
    pub fn note(&mut self, mut incident: Incident) {
        incident.object.truncate(TYPED_MAX);
        incident.username.truncate(TYPED_MAX);
        let repeats = |(_, known): &(u64, Incident)| {
            known.reason == incident.reason
                && known.object == incident.object
                && known.username == incident.username
                && incident.at.since(known.at) <= GROUPING
        };
        let known = self.entries.iter().take(LOOK_BACK).position(repeats);
        let count = known.and_then(|place| self.entries.remove(place)).map_or(0, |entry| entry.0);
        self.entries.push_front((count + 1, incident));
        self.entries.truncate(self.longest);
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.entries.clear();
    }

    /// The entries with their counts, newest first.
    pub fn entries(&self) -> impl Iterator<Item = (u64, &Incident)> {
        self.entries.iter().map(|(count, incident)| (*count, incident))
    }
}
