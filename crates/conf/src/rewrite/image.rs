//! The state that the file must tell, with the way back to the last one that was durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use vedette_core::{
    DurableChange, DurableState, Epoch, MasterName, SavedMaster, SavedVote, SentinelId, Settings,
};

/// The state.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) my_id: SentinelId,
    pub(super) current_epoch: Option<Epoch>,
    pub(super) settings: Arc<Settings>,
    /// Rendered `user` lines; none as long as the shell has not changed any.
    pub(super) users: Option<Vec<Vec<u8>>>,
    masters: BTreeMap<MasterName, Numbered>,
    next_number: u64,
    undo: Vec<Undo>,
}

/// A master and its place in configuration order.
#[derive(Clone)]
struct Numbered {
    number: u64,
    master: Arc<SavedMaster>,
}

/// What a change replaced.
#[derive(Clone)]
enum Undo {
    CurrentEpoch(Option<Epoch>),
    Settings(Arc<Settings>),
    Users(Option<Vec<Vec<u8>>>),
    Master(MasterName, Option<Numbered>),
}

impl Image {
    pub(super) fn new(state: &DurableState) -> Self {
        let mut image = Self {
            my_id: state.my_id,
            current_epoch: state.current_epoch,
            settings: Arc::new(state.settings.clone()),
            users: None,
            masters: BTreeMap::new(),
            next_number: 0,
            undo: Vec::new(),
        };
        state.masters.iter().for_each(|master| image.put(Arc::new(master.clone())));
        image.keep();
        image
    }

    pub(super) fn change(&mut self, change: &DurableChange) {
        match change {
            DurableChange::CurrentEpoch(epoch) => {
                let old = self.current_epoch.replace(*epoch);
                self.undo.push(Undo::CurrentEpoch(old));
            }
            DurableChange::Settings(settings) => {
                let old = std::mem::replace(&mut self.settings, settings.clone());
                self.undo.push(Undo::Settings(old));
            }
            DurableChange::Master(master) => self.put(master.clone()),
            DurableChange::Removed(name) => {
                let old = self.masters.remove(name);
                self.undo.push(Undo::Master(name.clone(), old));
            }
        }
    }

    pub(super) fn set_users(&mut self, users: Vec<Vec<u8>>) {
        let old = self.users.replace(users);
        self.undo.push(Undo::Users(old));
    }

    pub(super) fn master(&self, name: &MasterName) -> Option<&SavedMaster> {
        self.masters.get(name).map(|numbered| &*numbered.master)
    }

    pub(super) fn masters_in_order(&self) -> Vec<&MasterName> {
        let mut names: Vec<_> = self.masters.iter().collect();
        names.sort_by_key(|(_, numbered)| numbered.number);
        names.into_iter().map(|(name, _)| name).collect()
    }

    pub(super) fn votes(&self) -> impl Iterator<Item = (&MasterName, &SavedVote)> {
        self.masters
            .iter()
            .filter_map(|(name, numbered)| Some((name, numbered.master.last_vote.as_ref()?)))
    }

    pub(super) fn keep(&mut self) {
        self.undo.clear();
    }

    pub(super) fn take_back(&mut self) {
        while let Some(undo) = self.undo.pop() {
            match undo {
                Undo::CurrentEpoch(old) => self.current_epoch = old,
                Undo::Settings(old) => self.settings = old,
                Undo::Users(old) => self.users = old,
                Undo::Master(name, Some(old)) => {
                    self.masters.insert(name, old);
                }
                Undo::Master(name, None) => {
                    self.masters.remove(&name);
                }
            }
        }
    }

    fn put(&mut self, master: Arc<SavedMaster>) {
        let name = master.name.clone();
        let number = self.masters.get(&name).map_or(self.next_number, |known| known.number);
        self.next_number = self.next_number.max(number + 1);
        let old = self.masters.insert(name.clone(), Numbered { number, master });
        self.undo.push(Undo::Master(name, old));
    }
}
