//! How much Sentinels have to say and to hear, for the cost model (docs/SCALE.md).

use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{Effect, Input, Query};

use crate::sentinel_host::SentinelIndex;
use crate::witness::Seen;

/// What was counted, by Sentinel and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic(BTreeMap<(SentinelIndex, &'static str), u64>);

impl Traffic {
    /// How often a Sentinel sent or was told something of this kind.
    #[must_use]
    pub fn of(&self, sentinel: SentinelIndex, kind: &str) -> u64 {
        let mine = self.0.iter().filter(|((who, what), _)| *who == sentinel && *what == kind);
        mine.map(|(_, times)| times).sum()
    }

    /// All kinds that occurred.
    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        let kinds: BTreeSet<_> = self.0.keys().map(|(_, kind)| *kind).collect();
        kinds.into_iter()
    }

    pub(crate) fn count(&mut self, sentinel: SentinelIndex, seen: &Seen<'_>) {
        let kind = match seen {
            Seen::Ordered(effect) => ordered(effect),
            Seen::Took(input) => took(input),
            Seen::Started(_)
            | Seen::Ended
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => None,
        };
        if let Some(kind) = kind {
            *self.0.entry((sentinel, kind)).or_default() += 1;
        }
    }
}

fn ordered(effect: &Effect) -> Option<&'static str> {
    match effect {
        Effect::Send { query, .. } => Some(match query {
            Query::Ping => "sends PING",
            Query::Info => "sends INFO",
            Query::Hello(_) => "sends hello",
            Query::AskDown { .. } => "asks members",
            Query::Replicate { .. } => "sends SLAVEOF",
            Query::Auth { .. }
            | Query::SetName { .. }
            | Query::Subscribe
            | Query::ScriptKill
            | Query::HandOver { .. }
            | Query::RecallHandOver
            | Query::RewriteConfig
            | Query::TellOffset => "sends others",
        }),
        Effect::Connect { .. } => Some("connects"),
        Effect::Persist { .. } => Some("saves"),
        Effect::Publish(_) => Some("publishes"),
        Effect::Close { .. }
        | Effect::Rename { .. }
        | Effect::Resolve { .. }
        | Effect::Respond { .. }
        | Effect::RunScript { .. }
        | Effect::KillScript { .. }
        | Effect::Log(_)
        | Effect::Crash => None,
    }
}

fn took(input: &Input) -> Option<&'static str> {
    match input {
        Input::Answered { .. } => Some("hears answers"),
        Input::MessageReceived { .. } => Some("hears hellos of nodes"),
        Input::Requested { .. } => Some("is asked"),
        Input::DeadlineReached
        | Input::Connected { .. }
        | Input::ConnectFailed { .. }
        | Input::Disconnected { .. }
        | Input::Resolved { .. }
        | Input::Persisted { .. }
        | Input::PersistFailed { .. }
        | Input::ScriptStarted { .. }
        | Input::ScriptFailedToStart { .. }
        | Input::ScriptEnded { .. } => None,
    }
}
