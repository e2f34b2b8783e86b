//! One set of permissions: commands, keys, channels. A user has a root one and may have others, of
//! which any may allow a command.

use super::grants::Grants;
use super::{Flaw, is_blank};
use crate::commands::{Command, Verb};
use crate::glob::{Case, matches};

/// A set of permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) grants: Grants,
    keys: Keys,
    pub(super) channels: Channels,
}

/// Key patterns. A Sentinel has no keys: they are kept for those who read the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Keys {
    All,
    Some(Vec<KeyPattern>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct KeyPattern {
    read: bool,
    write: bool,
    pattern: Vec<u8>,
}

/// Channel patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    All,
    Some(Vec<Vec<u8>>),
}

/// Why a command is refused, the more telling the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denial {
    /// The command is not allowed.
    Command,
    /// The channel at this index of the words is not.
    Channel(usize),
}

impl Selector {
    /// Nothing is allowed, but for channels if that is the default.
    pub(super) fn new(channels: Channels) -> Self {
        Self { grants: Grants::default(), keys: Keys::Some(Vec::new()), channels }
    }

    /// Everything.
    pub(super) fn all() -> Self {
        Self { grants: Grants::all(), keys: Keys::All, channels: Channels::All }
    }

    /// Applies one rule on commands, keys or channels.
    pub(super) fn apply(&mut self, rule: &[u8]) -> Result<(), Flaw> {
        match rule {
            [] => Ok(()),
            [b'+', name @ ..] => self.grants.change(name, true),
            [b'-', name @ ..] => self.grants.change(name, false),
            b"~*" => self.take_word(b"allkeys"),
            b"&*" => self.take_word(b"allchannels"),
            [b'~', pattern @ ..] => self.keys.add(true, true, pattern),
            [b'%', rest @ ..] => self.keys.add_with_flags(rest),
            [b'&', pattern @ ..] => self.channels.add(pattern),
            word => self.take_word(&word.to_ascii_lowercase()),
        }
    }

    fn take_word(&mut self, word: &[u8]) -> Result<(), Flaw> {
        match word {
            b"allcommands" => self.grants.change(b"@all", true)?,
            b"nocommands" => self.grants.change(b"@all", false)?,
            b"allkeys" => self.keys = Keys::All,
            b"resetkeys" => self.keys = Keys::Some(Vec::new()),
            b"allchannels" => self.channels = Channels::All,
            b"resetchannels" => self.channels = Channels::Some(Vec::new()),
            _ => return Err(Flaw::Syntax),
        }
        Ok(())
    }

    /// Whether a command with these words is allowed.
    pub(super) fn check<T: AsRef<[u8]>>(
        &self,
        command: &'static Command,
        words: &[T],
    ) -> Result<(), Denial> {
        if !self.grants.allow(command, words) {
            return Err(Denial::Command);
        }
        let (names, literally) = match command.verb {
            Verb::Publish => (1..2, false),
            Verb::Subscribe => (1..words.len(), false),
            Verb::Psubscribe => (1..words.len(), true),
            Verb::Container
            | Verb::Acl(_)
            | Verb::Auth
            | Verb::Client(_)
            | Verb::Command(_)
            | Verb::Hello
            | Verb::Info
            | Verb::Ping
            | Verb::Punsubscribe
            | Verb::Quit
            | Verb::Request(_)
            | Verb::Role
            | Verb::Sentinel(_)
            | Verb::Shutdown
            | Verb::Unsubscribe => return Ok(()),
        };
        for index in names {
            if !words.get(index).is_some_and(|name| self.channels.allow(name.as_ref(), literally)) {
                return Err(Denial::Channel(index));
            }
        }
        Ok(())
    }

    /// Its rules, as in a file.
    pub(super) fn describe(&self) -> Vec<u8> {
        let parts =
            [self.describe_keys(), self.channels.describe_for_file(), self.grants.describe()];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(&b' ')
    }

    pub(super) fn describe_keys(&self) -> Vec<u8> {
        match &self.keys {
            Keys::All => b"~*".to_vec(),
            Keys::Some(patterns) => {
                patterns.iter().map(KeyPattern::describe).collect::<Vec<_>>().join(&b' ')
            }
        }
    }

    /// Whether every pattern can stand between parentheses and be told from them.
    pub(super) fn fits_between_parentheses(&self) -> bool {
        let fits =
            |word: &[u8]| !word.ends_with(b")") && !word.iter().any(|byte| b"'\"".contains(byte));
        self.describe().split(|byte| *byte == b' ').all(fits)
    }
}

impl Keys {
    fn add(&mut self, read: bool, write: bool, pattern: &[u8]) -> Result<(), Flaw> {
        let Self::Some(patterns) = self else { return Err(Flaw::AllKeysAlready) };
        if pattern.iter().any(|byte| is_blank(*byte)) {
            return Err(Flaw::Syntax);
        }
        let place =
            patterns.iter().position(|known| known.pattern == pattern).unwrap_or_else(|| {
                patterns.push(KeyPattern { read: false, write: false, pattern: pattern.to_vec() });
                patterns.len() - 1
            });
        let known = &mut patterns[place];
        (known.read, known.write) = (known.read || read, known.write || write);
        if known.read && known.write && known.pattern == b"*" {
            // It would be written as `~*` and read as all keys.
            *self = Self::All;
        }
        Ok(())
    }

    /// `%R~…`, `%W~…`, `%RW~…`; `rest` is what follows the percent sign.
    fn add_with_flags(&mut self, rest: &[u8]) -> Result<(), Flaw> {
        if *self == Self::All {
            return Err(Flaw::AllKeysAlready);
        }
        let end = rest.iter().position(|byte| *byte == b'~').unwrap_or(rest.len());
        let (mut read, mut write) = (false, false);
        for flag in &rest[..end] {
            match flag.to_ascii_lowercase() {
                b'r' if !read => read = true,
                b'w' if !write => write = true,
                _ => return Err(Flaw::Syntax),
            }
        }
        match read || write {
            true => self.add(read, write, rest.get(end + 1..).unwrap_or_default()),
            false => Err(Flaw::Syntax),
        }
    }
}

impl KeyPattern {
    fn describe(&self) -> Vec<u8> {
        let sign: &[u8] = match (self.read, self.write) {
            (true, false) => b"%R~",
            (false, true) => b"%W~",
            (true, true) | (false, false) => b"~",
        };
        [sign, &self.pattern].concat()
    }
}

impl Channels {
    fn add(&mut self, pattern: &[u8]) -> Result<(), Flaw> {
        let Self::Some(patterns) = self else { return Err(Flaw::AllChannelsAlready) };
        if pattern.iter().any(|byte| is_blank(*byte)) {
            return Err(Flaw::Syntax);
        }
        if !patterns.iter().any(|known| known == pattern) {
            patterns.push(pattern.to_vec());
        }
        Ok(())
    }

    /// Whether a channel is allowed, or a pattern, which must be literally one of the rules.
    pub(super) fn allow(&self, name: &[u8], literally: bool) -> bool {
        match self {
            Self::All => true,
            Self::Some(patterns) => patterns.iter().any(|pattern| match literally {
                true => pattern == name,
                false => matches(pattern, name, Case::Sensitive),
            }),
        }
    }

    pub(super) fn describe(&self) -> Vec<u8> {
        match self {
            Self::All => b"&*".to_vec(),
            Self::Some(patterns) => {
                let words = patterns.iter().map(|pattern| [b"&", &pattern[..]].concat());
                words.collect::<Vec<_>>().join(&b' ')
            }
        }
    }

    fn describe_for_file(&self) -> Vec<u8> {
        match self {
            Self::All => self.describe(),
            Self::Some(patterns) if patterns.is_empty() => b"resetchannels".to_vec(),
            Self::Some(_) => [b"resetchannels ", &self.describe()[..]].concat(),
        }
    }
}
