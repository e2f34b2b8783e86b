//! The disk: what is on it, and how it answers.

use vedette_core::{DurableChange, DurableState, Generation, SavedMaster};

use super::parse::Variant;

/// How a save goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saves {
    /// It is on disk after so many milliseconds.
    After(u64),
    Never,
    Fail,
}

/// The store.
pub(crate) struct Store {
    pub(crate) durable: DurableState,
    pub(crate) saves: Saves,
    variant: Variant,
    outstanding: Option<(Generation, Vec<DurableChange>)>,
}

impl Store {
    pub(crate) fn new(durable: DurableState, variant: Variant) -> Self {
        let mut store = Self { durable, saves: Saves::Never, variant, outstanding: None };
        store.behave(Saves::After(1));
        store
    }

    /// Behaves so from now on, as far as the variant allows it.
    pub(crate) fn behave(&mut self, saves: Saves) {
        self.saves = match self.variant {
            Variant::AsTold => saves,
            Variant::Never => Saves::Never,
            Variant::Fails => Saves::Fail,
        };
    }

    pub(crate) fn master(&self, name: &str) -> Option<&SavedMaster> {
        self.durable.masters.iter().find(|master| &*master.name == name)
    }

    pub(crate) fn begin(&mut self, generation: Generation, changes: &[DurableChange]) {
        assert!(self.outstanding.is_none(), "two saves are outstanding");
        self.outstanding = Some((generation, changes.to_vec()));
    }

    /// The outstanding save reaches the disk.
    pub(crate) fn succeed(&mut self) -> Option<Generation> {
        let (generation, changes) = self.outstanding.take()?;
        for change in changes {
            self.apply(change);
        }
        Some(generation)
    }

    pub(crate) fn fail(&mut self) -> Option<Generation> {
        self.outstanding.take().map(|(generation, _)| generation)
    }

    fn apply(&mut self, change: DurableChange) {
        match change {
            DurableChange::CurrentEpoch(epoch) => self.durable.current_epoch = Some(epoch),
            DurableChange::Settings(settings) => self.durable.settings = (*settings).clone(),
            DurableChange::Removed(name) => {
                self.durable.masters.retain(|master| master.name != name);
            }
            DurableChange::Master(saved) => {
                let known = self.durable.masters.iter_mut().find(|m| m.name == saved.name);
                match known {
                    Some(master) => *master = (*saved).clone(),
                    None => self.durable.masters.push((*saved).clone()),
                }
            }
        }
    }
}
