//! The users of the running process: an atomically swapped picture that connections read without a
//! lock, what rules refused lately, and the `aclfile`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, Guard};
use vedette_wire::accounts::{Accounts, AclLog};

use crate::log::{Log, os_words};
use crate::store;

/// Where the present users hang.
#[derive(Debug)]
pub(crate) struct AccountsBoard {
    present: ArcSwap<Accounts>,
    /// Held while a change is made of the latest picture.
    changing: Mutex<()>,
    refused: Mutex<AclLog>,
    file: Option<PathBuf>,
}

impl AccountsBoard {
    /// A board with these users; `file` is the `aclfile`, `log_max` the longest `ACL LOG`.
    pub(crate) fn new(accounts: Accounts, file: Option<&Path>, log_max: u64) -> Self {
        Self {
            present: ArcSwap::from_pointee(accounts),
            changing: Mutex::default(),
            refused: AclLog::new(usize::try_from(log_max).unwrap_or(usize::MAX)).into(),
            file: file.map(Path::to_path_buf),
        }
    }

    /// The present users, for a moment.
    pub(crate) fn look(&self) -> Guard<Arc<Accounts>> {
        self.present.load()
    }

    /// The present users.
    pub(crate) fn present(&self) -> Arc<Accounts> {
        self.present.load_full()
    }

    /// Shows what `change` makes of the present users; whether it made anything.
    pub(crate) fn change(&self, change: &mut dyn FnMut(&Accounts) -> Option<Accounts>) -> bool {
        let _turn = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&self.present());
        let is_new = changed.is_some();
        changed.into_iter().for_each(|accounts| self.present.store(Arc::new(accounts)));
        is_new
    }

    /// What rules refused lately.
    pub(crate) fn refused(&self) -> MutexGuard<'_, AclLog> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `ACL LOAD`: all users of the file, or no change.
    pub(crate) fn load(&self, log: &Log) -> Result<(), String> {
        let mut outcome = Ok(());
        self.change(&mut |accounts| {
            // Nobody saves meanwhile.
            let text = self.read_whole();
            let loaded = text.and_then(|text| accounts.load(&text).map_err(|bad| bad.to_string()));
            match loaded {
                Ok(loaded) => {
                    warn_of_stricter(loaded.requirepass_was_stricter, log);
                    Some(loaded.accounts)
                }
                Err(why) => {
                    outcome = Err(why);
                    None
                }
            }
        });
        outcome
    }

    /// The text of the file, unless a save left it torn: half of a line may allow more than the
    /// whole.
    fn read_whole(&self) -> Result<Vec<u8>, String> {
        let file = self.file.as_deref();
        match file.and_then(store::copy_to_put_back) {
            Some(copy) => Err(format!(
                "A save of the ACL file was cut short: save it again, or put '{}' in its place",
                copy.display()
            )),
            None => read(file),
        }
    }

    /// `ACL SAVE`: the file is replaced whole, and keeps its mode.
    pub(crate) fn save(&self, log: &Log) -> Result<(), String> {
        let path = self.file.as_deref().unwrap_or(Path::new(""));
        // Whoever saves last saves the latest.
        let _turn = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let warn = |warning: String| log.warning(&warning);
        store::replace_file(path, &self.present().render(), warn).map_err(|error| {
            let error = os_words(&error);
            log.warning(&format!("Saving the ACL file {}: {error}", path.display()));
            "There was an error trying to save the ACLs. Please check the server logs for more \
             information"
                .to_owned()
        })
    }
}

/// The text of an `aclfile`.
pub(crate) fn read(path: Option<&Path>) -> Result<Vec<u8>, String> {
    let path = path.unwrap_or(Path::new(""));
    fs::read(path).map_err(|error| {
        let error = os_words(&error);
        format!("Error loading ACLs, opening file '{}': {error}", path.display())
    })
}

/// Says that `requirepass` closes a door that the `aclfile` opens (spec: holes H30).
pub(crate) fn warn_of_stricter(is: bool, log: &Log) {
    if is {
        log.warning(
            "`requirepass` asks for a password, the default user of the aclfile for none: the \
             password is asked for. Give the default user a password in the aclfile",
        );
    }
}
