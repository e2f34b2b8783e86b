//! The store's thread: takes orders, one save for each.

use std::fs;
use std::io;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use vedette_conf::{SentinelFile, ShellChange};
use vedette_core::{DurableChange, Generation};

use super::StoreEvent;
use super::commit::Committer;
use super::target::{Fingerprint, Ownership, Target};

/// Mode of a configuration that was deleted under us: it holds passwords.
const NEW_FILE_MODE: u32 = 0o600;

/// What the store is asked to do.
pub(super) enum Order {
    Save { generation: Generation, changes: Vec<DurableChange> },
    SaveShell(ShellChange),
    TellUsers(Users),
}

/// Who knows the users as the file is to have them.
pub(super) type Users = Box<dyn Fn() -> Vec<Vec<u8>> + Send>;

/// Everything the thread owns.
pub(super) struct Worker<F> {
    file: SentinelFile,
    target: Target,
    committer: Committer,
    /// What the file looked like when we last read or wrote it.
    known: Option<Fingerprint>,
    ownership: Option<Ownership>,
    votes: Vec<u8>,
    users: Option<Users>,
    /// The users that the file knows of.
    users_told: Option<Vec<Vec<u8>>>,
    notify: F,
}

impl<F: Fn(StoreEvent)> Worker<F> {
    pub(super) fn new(file: SentinelFile, target: Target, notify: F) -> Self {
        let committer = Committer::new(&target);
        let meta = target.look();
        let known = meta.as_ref().map(Fingerprint::of);
        let ownership = meta.as_ref().map(Ownership::of);
        let votes = file.render_votes();
        Self {
            file,
            target,
            committer,
            known,
            ownership,
            votes,
            users: None,
            users_told: None,
            notify,
        }
    }

    /// Works until the handle is dropped and every order is done.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        self.prepare_next();
        for order in orders {
            let start = Instant::now();
            match order {
                Order::Save { generation, changes } => {
                    changes.iter().for_each(|change| self.file.change(change));
                    let event = match self.save() {
                        Ok(()) => StoreEvent::Saved { generation, took: start.elapsed() },
                        Err(error) => StoreEvent::Failed { generation, error },
                    };
                    (self.notify)(event);
                }
                Order::TellUsers(users) => {
                    self.users = Some(users);
                    continue;
                }
                Order::SaveShell(change) => {
                    self.file.change_shell(change);
                    let saved = self.save();
                    (self.notify)(StoreEvent::ShellSaved(saved));
                }
            }
            self.after_save();
        }
    }

    fn save(&mut self) -> io::Result<()> {
        let saved = self.merge_and_write();
        if saved.is_ok() {
            self.file.accept();
        } else {
            self.file.reject();
            self.users_told = None;
        }
        saved
    }

    fn merge_and_write(&mut self) -> io::Result<()> {
        let users = self.users.as_ref().map(|users| users());
        if users != self.users_told {
            users.clone().into_iter().for_each(|users| {
                self.file.change_shell(ShellChange::Users(users));
            });
            self.users_told = users;
        }
        if let Some(meta) = self.target.look() {
            self.ownership = Some(Ownership::of(&meta));
            if self.known != Some(Fingerprint::of(&meta)) {
                self.file.merge(&self.committer.read(&self.target)?);
            }
        }
        let bytes = self.file.render();
        self.committer.commit(&self.target, &bytes, self.ownership())?;
        self.known = self.target.look().as_ref().map(Fingerprint::of);
        Ok(())
    }

    fn ownership(&self) -> Ownership {
        self.ownership.unwrap_or_else(|| Ownership::own(NEW_FILE_MODE))
    }

    /// The first save, too, may find the disk full.
    fn prepare_next(&mut self) {
        let length = self.target.look().map_or(0, |meta| meta.len());
        self.committer.prepare(length, self.ownership());
    }

    /// What need not be waited for: the side file, the spare, warnings.
    fn after_save(&mut self) {
        let votes = self.file.render_votes();
        if votes != self.votes {
            let _ = fs::write(self.target.beside(super::SIDE_FILE), &votes);
            self.votes = votes;
        }
        self.prepare_next();
        for warning in self.file.take_warnings() {
            (self.notify)(StoreEvent::Warning(warning.to_string()));
        }
        self.committer.warnings.drain(..).map(StoreEvent::Warning).for_each(&self.notify);
    }
}
