//! Reading a configuration: lines first, general directives at once, `sentinel` directives at the
//! end in three groups (spec: interface 8.3).

mod access;
mod arguments;
mod masters;
mod orphans;
mod reader;
mod second_pass;
mod special;
mod statement;

use std::path::Path;

use vedette_core::{DurableState, Epoch, SavedMaster, SentinelId, Settings};

use crate::document::{Document, Origin};
use crate::error::{ConfigError, Warning};
use crate::files::Files;
use crate::settings::ServerSettings;

/// A configuration that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// For the shell.
    pub server: ServerSettings,
    /// For the core.
    pub state: SavedState,
    /// The lines themselves, for the store.
    pub document: Document,
    /// To be logged at start.
    pub warnings: Vec<Warning>,
}

impl Loaded {
    /// Adds what `<conf>.vedette` remembers of masters that are still monitored. A vote for another
    /// epoch than the file's is old and is dropped.
    pub fn remember_votes(&mut self, side_file: &[u8]) {
        let mut votes = crate::parse_votes(side_file);
        for master in &mut self.state.masters {
            let vote = votes.remove(&master.name);
            master.last_vote = vote.filter(|vote| Some(vote.epoch) == master.leader_epoch);
        }
    }
}

/// What the configuration says of the Sentinel's state: [`DurableState`] but for a missing id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedState {
    /// Own permanent id; none at the very first start.
    pub my_id: Option<SentinelId>,
    /// Highest epoch seen; none if none was ever saved (spec: holes H17).
    pub current_epoch: Option<Epoch>,
    /// Process-wide settings.
    pub settings: Settings,
    /// The monitored masters, in configuration order.
    pub masters: Vec<SavedMaster>,
}

impl SavedState {
    /// The durable state, with `new_id` if the configuration has none.
    #[must_use]
    pub fn durable(&self, new_id: SentinelId) -> DurableState {
        DurableState {
            my_id: self.my_id.unwrap_or(new_id),
            current_epoch: self.current_epoch,
            settings: self.settings.clone(),
            masters: self.masters.clone(),
        }
    }
}

/// Everything that can be said about a configuration, good or bad.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// Every error, the one that [`load`] reports first.
    pub errors: Vec<ConfigError>,
    /// What was understood.
    pub loaded: Loaded,
}

/// Loads the configuration of a start (spec: interface 7, 8).
///
/// `arguments` are the words after the file on the command line without the `-` that asks for
/// standard input, `stdin` its text.
///
/// # Errors
/// The error that the reference reports: the first while reading, else the first by group.
pub fn load(
    main: &Path,
    arguments: &[Vec<u8>],
    stdin: Option<&[u8]>,
    files: &dyn Files,
) -> Result<Loaded, ConfigError> {
    let Inspection { errors, loaded } = inspect(main, arguments, stdin, files);
    match errors.into_iter().next() {
        Some(first) => Err(first),
        None => Ok(loaded),
    }
}

/// Judges a start that names no file, which cannot succeed: the reference looks at the other words
/// first.
///
/// # Errors
/// As [`load`].
pub fn judge_words(
    arguments: &[Vec<u8>],
    stdin: Option<&[u8]>,
    files: &dyn Files,
) -> Result<(), ConfigError> {
    let mut reader = reader::Reader::new(files);
    read_more(&mut reader, 1, arguments, stdin);
    second_pass::run(&mut reader);
    reader.errors.into_iter().next().map_or(Ok(()), Err)
}

/// Reads a configuration to its end whatever is wrong with it.
#[must_use]
pub fn inspect(
    main: &Path,
    arguments: &[Vec<u8>],
    stdin: Option<&[u8]>,
    files: &dyn Files,
) -> Inspection {
    let mut reader = reader::Reader::new(files);
    let before = reader.read_main(main);
    read_more(&mut reader, before, arguments, stdin);
    let state = second_pass::run(&mut reader);
    reader.settle_access();
    reader.document.keep();
    let reader::Reader { server, document, errors, warnings, .. } = reader;
    Inspection { errors, loaded: Loaded { server, state, document, warnings } }
}

/// Reads what follows the main file and its `before` lines.
fn read_more(
    reader: &mut reader::Reader<'_>,
    mut before: usize,
    arguments: &[Vec<u8>],
    stdin: Option<&[u8]>,
) {
    if let Some(text) = stdin {
        // The reference puts the texts behind each other: the first line takes the number of what
        // follows the main file's last line end.
        reader.read_text(&Origin::StandardInput, before.saturating_sub(1), text);
        before += text.iter().filter(|byte| **byte == b'\n').count();
    }
    let options = arguments::lines(arguments).concat();
    reader.read_text(&Origin::CommandLine, before, &options);
}
