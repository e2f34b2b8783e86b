//! Who may connect, and what they may do (spec: interface 1.6, 4.4, 4.12, 8.4). [`Accounts`] is an
//! immutable picture of all users: a change makes a new one, so that connections read without a
//! lock.
//!
//! `user` applies rules and answers questions, `selector` holds one set of permissions, `grants`
//! the commands in it; `file` is the text of an `aclfile`, `log` what was refused.

mod file;
mod grants;
mod log;
mod selector;
mod user;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use vedette_core::Secret;

use crate::commands::find_full;

pub use file::{BadFile, LoadedFile};
pub use log::{AclLog, AclLogEntry, Incident, Reason};
use selector::Channels;
pub use selector::Denial;
use user::PasswordHash;
pub use user::{SelectorView, User};

/// The name of the user that every connection starts as.
pub const DEFAULT_USER: &str = "default";

/// The number of the default user, which never goes.
const DEFAULT_ID: u64 = 0;

/// What the configuration says about users.
#[derive(Clone, Debug, Default)]
pub struct AccountSettings {
    /// `requirepass`
    pub requirepass: Option<Secret>,
    /// `acl-pubsub-default allchannels`
    pub all_channels: bool,
    /// `aclfile`, as shown in messages.
    pub file: Option<String>,
}

/// The users.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// Rises with each change.
    version: u64,
    last_id: u64,
    users: BTreeMap<Vec<u8>, Arc<User>>,
    default: Arc<User>,
    channels: Channels,
    requirepass: Option<PasswordHash>,
    file: Option<Arc<str>>,
}

/// What can be wrong with a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Flaw {
    #[error("Syntax error")]
    Syntax,
    #[error("Unknown command or category name in ACL")]
    UnknownCommand,
    #[error("The password you are trying to remove from the user does not exist")]
    NoSuchPassword,
    #[error(
        "The password hash must be exactly 64 characters and contain only lowercase hexadecimal \
         characters"
    )]
    BadHash,
    #[error(
        "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not \
         have any effect. Try 'resetkeys' to start with an empty list of patterns"
    )]
    AllKeysAlready,
    #[error(
        "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does \
         not have any effect. Try 'resetchannels' to start with an empty list of channels"
    )]
    AllChannelsAlready,
    #[error("Allowing first-arg of a subcommand is not supported")]
    FirstArgOfSubcommand,
}

/// Why a user was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadRules {
    /// The name holds a blank or a null byte.
    Name,
    /// A selector has no end; the word with this index begins it.
    Unmatched(usize, Vec<u8>),
    /// The rule with this index, selectors counted as one.
    Rule(usize, Vec<u8>, Flaw),
}

impl Default for Accounts {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Accounts {
    /// Accounts with just the default user; without a password everybody may enter.
    #[must_use]
    pub fn new(requirepass: Option<Secret>) -> Self {
        Self::configured(&AccountSettings { requirepass, ..AccountSettings::default() })
    }

    /// The same, with everything that a configuration says but the users.
    #[must_use]
    pub fn configured(settings: &AccountSettings) -> Self {
        let channels = match settings.all_channels {
            true => Channels::All,
            false => Channels::Some(Vec::new()),
        };
        let requirepass = settings.requirepass.as_ref().and_then(|password| {
            let password = password.expose();
            (!password.is_empty()).then(|| PasswordHash::of(password))
        });
        let mut default = User::open(DEFAULT_USER.as_bytes(), DEFAULT_ID, channels.clone());
        requirepass.iter().for_each(|hash| default.add_password(hash.clone()));
        let default = Arc::new(default);
        Self {
            version: 0,
            last_id: DEFAULT_ID,
            users: BTreeMap::from([(default.name.clone(), default.clone())]),
            default,
            channels,
            requirepass,
            file: settings.file.as_deref().map(Arc::from),
        }
    }

    /// A number that differs between any two pictures of one process.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// `aclfile`, as shown in messages.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The user that every connection starts as.
    #[must_use]
    pub fn default_user(&self) -> &Arc<User> {
        &self.default
    }

    /// Whether a fresh connection is authenticated already.
    #[must_use]
    pub fn default_is_open(&self) -> bool {
        self.default.is_on() && self.default.needs_no_password()
    }

    /// A user by its name.
    #[must_use]
    pub fn user(&self, name: &[u8]) -> Option<&Arc<User>> {
        self.users.get(name)
    }

    /// What became of a user: none if it is gone, even if another has its name now.
    #[must_use]
    pub fn still(&self, user: &User) -> Option<&Arc<User>> {
        self.user(&user.name).filter(|now| now.id == user.id)
    }

    /// Whether there is such a user.
    #[must_use]
    pub fn has_user(&self, name: &[u8]) -> bool {
        self.users.contains_key(name)
    }

    /// All users, by the bytes of their names.
    pub fn users(&self) -> impl Iterator<Item = &Arc<User>> {
        self.users.values()
    }

    /// The user that these credentials belong to.
    #[must_use]
    pub fn authenticate(&self, name: &[u8], password: &[u8]) -> Option<&Arc<User>> {
        self.user(name).filter(|user| user.is_on() && user.takes(password))
    }

    /// `ACL SETUSER`: all rules are applied, or none.
    ///
    /// # Errors
    /// The first rule that is wrong.
    pub fn with_rules<T: AsRef<[u8]>>(&self, name: &[u8], rules: &[T]) -> Result<Self, BadRules> {
        if name.iter().any(|byte| is_blank(*byte)) {
            return Err(BadRules::Name);
        }
        let rules = join_selectors(rules)?;
        let mut next = self.next();
        let mut user = match self.user(name) {
            Some(user) => User::clone(user),
            None => next.new_user(name),
        };
        for (index, rule) in rules.into_iter().enumerate() {
            user.apply(&rule).map_err(|flaw| BadRules::Rule(index, rule, flaw))?;
        }
        next.put(user);
        Ok(next)
    }

    /// A `user` line of the configuration: the default user starts from nothing, too.
    ///
    /// # Errors
    /// The first rule that is wrong.
    pub fn with_line<T: AsRef<[u8]>>(&self, name: &[u8], rules: &[T]) -> Result<Self, BadRules> {
        let mut fresh = self.next();
        if name == DEFAULT_USER.as_bytes() {
            fresh = fresh.with_rules(name, &["reset"])?;
        }
        fresh.with_rules(name, rules)
    }

    /// `ACL DELUSER`: without these users, and how many they were.
    #[must_use]
    pub fn without<T: AsRef<[u8]>>(&self, names: &[T]) -> (Self, usize) {
        let mut next = self.next();
        let names = names.iter().map(AsRef::as_ref).filter(|name| *name != DEFAULT_USER.as_bytes());
        let gone = names.filter(|name| next.users.remove(*name).is_some()).count();
        (next, gone)
    }

    fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }

    fn new_user(&mut self, name: &[u8]) -> User {
        self.last_id += 1;
        User::new(name, self.last_id, self.channels.clone())
    }

    fn put(&mut self, user: User) {
        let user = Arc::new(user);
        if user.id == DEFAULT_ID {
            self.default = user.clone();
        }
        self.users.insert(user.name.clone(), user);
    }
}

/// What may stand in no name and in no pattern.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, 0 | 0x0b)
}

/// Makes one rule of the words of each selector.
fn join_selectors<T: AsRef<[u8]>>(words: &[T]) -> Result<Vec<Vec<u8>>, BadRules> {
    let mut rules: Vec<Vec<u8>> = Vec::with_capacity(words.len());
    let mut open: Option<(usize, Vec<u8>)> = None;
    for (index, word) in words.iter().map(AsRef::as_ref).enumerate() {
        let (start, rule) = match open.take() {
            Some((start, begun)) => (start, [&begun[..], b" ", word].concat()),
            None => (index, word.to_vec()),
        };
        match rule.starts_with(b"(") && !word.ends_with(b")") {
            true => open = Some((start, rule)),
            false => rules.push(rule),
        }
    }
    match open {
        None => Ok(rules),
        Some((start, _)) => Err(BadRules::Unmatched(start, words[start].as_ref().to_vec())),
    }
}

/// The rules that allow a command with a first argument only; the reference advises against them.
pub fn first_arg_rules<T: AsRef<[u8]>>(rules: &[T]) -> impl Iterator<Item = &[u8]> {
    let rules = rules.iter().map(AsRef::as_ref);
    rules.filter(|rule| match rule {
        [b'+', name @ ..] => name.contains(&b'|') && find_full(name).is_none(),
        _ => false,
    })
}

/// The advice in words.
#[must_use]
pub fn first_arg_advice(rule: &[u8]) -> String {
    format!(
        "Deprecation warning: Allowing a first arg of an otherwise blocked command is a misuse of \
         ACL and may get disabled in the future (offender: {})",
        String::from_utf8_lossy(rule)
    )
}
