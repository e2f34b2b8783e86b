//! Writing the state back into the document (spec: interface 9).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vedette_core::{
    DurableChange, DurableState, Epoch, MasterName, SavedMaster, SentinelId, Settings,
};

use crate::document::Document;

/// A change that does not come from the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShellChange {
    /// All users, one rendered rule line each, without the word `user` and in the wanted order;
    /// ignored while an `aclfile` is set.
    Users(Vec<Vec<u8>>),
}

/// The main file as it is to be written: the document and the state that it must tell.
///
/// A save is `change`…, `render`, then `accept` once the bytes are durable or `reject` if they are
/// not: after `reject` everything is as before the first `change`.
#[derive(Clone, Debug)]
pub struct SentinelFile {
    document: Document,
    my_id: SentinelId,
    current_epoch: Option<Epoch>,
    settings: Arc<Settings>,
    masters: BTreeMap<MasterName, Arc<SavedMaster>>,
    dir: PathBuf,
}

impl SentinelFile {
    /// The file of a start. `dir` is the working directory, saved if the file names none.
    #[must_use]
    pub fn new(document: Document, state: &DurableState, dir: &Path) -> Self {
        let saved = |master: &SavedMaster| (master.name.clone(), Arc::new(master.clone()));
        Self {
            document,
            my_id: state.my_id,
            current_epoch: state.current_epoch,
            settings: Arc::new(state.settings.clone()),
            masters: state.masters.iter().map(saved).collect(),
            dir: dir.to_path_buf(),
        }
    }

    /// Notes a change of the core.
    pub fn change(&mut self, change: &DurableChange) {
        match change {
            DurableChange::CurrentEpoch(epoch) => self.current_epoch = Some(*epoch),
            DurableChange::Settings(settings) => self.settings = settings.clone(),
            DurableChange::Master(master) => {
                self.masters.insert(master.name.clone(), master.clone());
            }
            DurableChange::Removed(name) => {
                self.masters.remove(name);
            }
        }
    }

    /// Notes a change of the shell.
    pub fn change_shell(&mut self, change: ShellChange) {
        match change {
            ShellChange::Users(_) => {}
        }
    }

    /// Takes over a main file that somebody else changed: what is managed is told by the state, the
    /// rest by the new text.
    pub fn merge(&mut self, main: &[u8]) {
        self.document = Document::parse(main);
    }

    /// The bytes of the file. Only what changed since the last call is rendered again.
    pub fn render(&mut self) -> Vec<u8> {
        self.document.render()
    }

    /// The rendered bytes are durable.
    pub fn accept(&mut self) {
        self.document.keep();
    }

    /// The rendered bytes were not saved.
    pub fn reject(&mut self) {
        self.document.take_back();
    }

    /// The bytes of `<conf>.vedette`.
    #[must_use]
    pub fn render_votes(&self) -> Vec<u8> {
        let votes = self.masters.iter();
        crate::render_votes(
            votes.filter_map(|(name, master)| Some((name, master.last_vote.as_ref()?))),
        )
    }
}
