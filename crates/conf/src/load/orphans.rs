//! What was saved of a master whose `monitor` line stood elsewhere: in an include, on the command
//! line, on standard input. Without that source its lines in the main file have no master. The
//! reference copies the `monitor` line and cannot start while the source is there
//! (spec: holes H26).

use std::collections::HashSet;

use vedette_core::Epoch;

use super::masters::Masters;
use super::second_pass::{directive, epoch};
use super::statement::Statement;
use crate::directives::{Group, SentinelDirective};
use crate::document::Origin;
use crate::error::Warning;

const REMEDY: &str =
    "its lines stay until it is monitored again: take them out if it never will be";

/// The lines that are kept and skipped.
pub(super) struct Orphans {
    /// The lines, by their numbers in the main file.
    numbers: HashSet<usize>,
    told: HashSet<Vec<u8>>,
    /// One for each such master.
    pub(super) warnings: Vec<Warning>,
    /// The highest that was saved: no vote may be given a second time below it.
    pub(super) highest_epoch: Option<Epoch>,
}

impl Orphans {
    /// State that no master wants. Options count as such below the marker, among the state that a
    /// running process wrote; elsewhere somebody typed them, and they are errors.
    pub(super) fn find(queued: &[Statement], masters: &Masters<'_>, marker: Option<usize>) -> Self {
        let homeless = |statement: &&Statement| {
            let name = statement.words.get(2).map(|name| str::from_utf8(name));
            statement.origin == Origin::Main
                && name.is_some_and(|name| name.is_ok_and(|name| !masters.monitors(name)))
        };
        let homeless: Vec<&Statement> = queued.iter().filter(homeless).collect();
        let with_state: HashSet<&[u8]> = homeless
            .iter()
            .filter(|statement| directive(statement) == Some(SentinelDirective::ConfigEpoch))
            .map(|statement| &*statement.words[2])
            .collect();
        let is_orphan = |statement: &&&Statement| {
            let words = statement.words.len() - 2;
            let Some(directive) = directive(statement).filter(|it| it.takes(words)) else {
                return false;
            };
            let below = marker.is_some_and(|marker| statement.number > marker);
            directive.group() == Group::Master
                && (is_state(directive) || below && with_state.contains(&*statement.words[2]))
        };
        let numbers = homeless.iter().filter(is_orphan).map(|statement| statement.number);
        Self {
            numbers: numbers.collect(),
            told: HashSet::new(),
            warnings: Vec::new(),
            highest_epoch: None,
        }
    }

    /// Whether the line is one of these; the first of each master is warned about.
    pub(super) fn take(&mut self, statement: &Statement) -> bool {
        if statement.origin != Origin::Main || !self.numbers.contains(&statement.number) {
            return false;
        }
        if self.told.insert(statement.words[2].clone()) {
            let name = String::from_utf8_lossy(&statement.words[2]);
            let text = format!(
                "what was saved of master `{name}`, which nothing monitors now, \
                                is not used"
            );
            let place = Some(statement.place());
            self.warnings.push(Warning { place, text, remedy: REMEDY });
        }
        let epochs = [SentinelDirective::ConfigEpoch, SentinelDirective::LeaderEpoch];
        if directive(statement).is_some_and(|directive| epochs.contains(&directive)) {
            self.highest_epoch = self.highest_epoch.max(epoch(statement, 3).ok());
        }
        true
    }
}

/// Whether only a running process writes such lines.
fn is_state(directive: SentinelDirective) -> bool {
    matches!(
        directive,
        SentinelDirective::ConfigEpoch
            | SentinelDirective::LeaderEpoch
            | SentinelDirective::KnownReplica
            | SentinelDirective::KnownSentinel
    )
}
