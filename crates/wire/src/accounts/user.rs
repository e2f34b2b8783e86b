//! One user: who it is, how it proves that, and what it may do.

use core::fmt;

use sha2::{Digest as _, Sha256};

use super::Flaw;
use super::selector::{Channels, Denial, Selector};
use crate::Dialect;
use crate::commands::Command;

/// Bytes of a password's hash in hexadecimal.
const HASH_DIGITS: usize = 64;

/// The SHA-256 of a password, in lower-case hexadecimal. The password itself is never kept.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PasswordHash([u8; HASH_DIGITS]);

impl PasswordHash {
    pub(super) fn of(password: &[u8]) -> Self {
        let mut digits = [0; HASH_DIGITS];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(Sha256::digest(password)) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        Self(digits)
    }

    fn parse(text: &[u8]) -> Result<Self, Flaw> {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let digits: [u8; HASH_DIGITS] = text.try_into().map_err(|_| Flaw::BadHash)?;
        if digits.iter().all(is_digit) { Ok(Self(digits)) } else { Err(Flaw::BadHash) }
    }

    /// Takes the same time wherever the two differ.
    fn is(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |sum, (one, other)| sum | (one ^ other)) == 0
    }
}

/// Whoever knows the hash may not enter with it, but may guess at leisure.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    pub(super) name: Vec<u8>,
    /// Told from another user of the same name that came later.
    pub(super) id: u64,
    on: bool,
    pub(super) nopass: bool,
    /// `sanitize-payload` or `skip-sanitize-payload`, if it was said; without effect here.
    sanitize: Option<bool>,
    passwords: Vec<PasswordHash>,
    root: Selector,
    selectors: Vec<Selector>,
    /// Channels of new selectors.
    channels: Channels,
}

/// What `ACL GETUSER` shows of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectorView {
    /// `-@all +ping …`
    pub commands: Vec<u8>,
    /// `~x %R~y …`
    pub keys: Vec<u8>,
    /// `&x …`
    pub channels: Vec<u8>,
}

impl User {
    /// A new user: off, without a password, and nothing is allowed.
    pub(super) fn new(name: &[u8], id: u64, channels: Channels) -> Self {
        Self {
            name: name.to_vec(),
            id,
            on: false,
            nopass: false,
            sanitize: None,
            passwords: Vec::new(),
            root: Selector::new(channels.clone()),
            selectors: Vec::new(),
            channels,
        }
    }

    /// The default user as it is without rules: it may do everything.
    pub(super) fn open(name: &[u8], id: u64, channels: Channels) -> Self {
        let user = Self::new(name, id, channels);
        Self { on: true, nopass: true, root: Selector::all(), ..user }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether it may enter.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Whether every password is right.
    #[must_use]
    pub fn needs_no_password(&self) -> bool {
        self.nopass
    }

    /// Whether this password is right.
    pub(super) fn takes(&self, password: &[u8]) -> bool {
        let hash = PasswordHash::of(password);
        self.nopass || self.passwords.iter().fold(false, |found, known| found | known.is(&hash))
    }

    /// Asks for this password.
    pub(super) fn add_password(&mut self, hash: PasswordHash) {
        self.nopass = false;
        if !self.passwords.contains(&hash) {
            self.passwords.push(hash);
        }
    }

    /// Applies one rule, selectors whole. After a flaw the user must be thrown away.
    pub(super) fn apply(&mut self, rule: &[u8]) -> Result<(), Flaw> {
        match rule {
            [b'>', password @ ..] => self.add_password(PasswordHash::of(password)),
            [b'#', hash @ ..] => self.add_password(PasswordHash::parse(hash)?),
            [b'<', password @ ..] => self.remove_password(&PasswordHash::of(password))?,
            [b'!', hash @ ..] => self.remove_password(&PasswordHash::parse(hash)?)?,
            [b'(', inner @ .., b')'] => self.add_selector(inner)?,
            rule => return self.take_word(rule),
        }
        Ok(())
    }

    fn take_word(&mut self, rule: &[u8]) -> Result<(), Flaw> {
        match rule.to_ascii_lowercase().as_slice() {
            b"on" => self.on = true,
            b"off" => self.on = false,
            b"nopass" => (self.nopass, self.passwords) = (true, Vec::new()),
            b"resetpass" => (self.nopass, self.passwords) = (false, Vec::new()),
            b"sanitize-payload" => self.sanitize = Some(true),
            b"skip-sanitize-payload" => self.sanitize = Some(false),
            b"clearselectors" => self.selectors.clear(),
            b"reset" => {
                let fresh = Self::new(&self.name, self.id, self.channels.clone());
                *self = Self { sanitize: Some(true), ..fresh };
            }
            _ => return self.root.apply(rule),
        }
        Ok(())
    }

    fn remove_password(&mut self, hash: &PasswordHash) -> Result<(), Flaw> {
        let place = self.passwords.iter().position(|known| known == hash);
        self.passwords.remove(place.ok_or(Flaw::NoSuchPassword)?);
        Ok(())
    }

    fn add_selector(&mut self, inner: &[u8]) -> Result<(), Flaw> {
        let mut selector = Selector::new(self.channels.clone());
        let words = vedette_resp::split_words(inner).map_err(|_| Flaw::Syntax)?;
        words.iter().try_for_each(|rule| selector.apply(rule))?;
        if !selector.fits_between_parentheses() {
            return Err(Flaw::Syntax);
        }
        self.selectors.push(selector);
        Ok(())
    }

    /// Whether it may run a command with these words.
    ///
    /// # Errors
    /// Why not, by the selector that came closest.
    pub fn check<T: AsRef<[u8]>>(
        &self,
        command: &'static Command,
        words: &[T],
    ) -> Result<(), Denial> {
        if command.has_flag("no_auth") {
            return Ok(());
        }
        let Err(mut denied) = self.root.check(command, words) else { return Ok(()) };
        for selector in &self.selectors {
            match selector.check(command, words) {
                Ok(()) => return Ok(()),
                Err(why) => denied = denied.max(why),
            }
        }
        Err(denied)
    }

    /// Whether it may go on listening to a channel or, literally, to a pattern.
    #[must_use]
    pub fn may_listen(&self, name: &[u8], literally: bool) -> bool {
        self.all_selectors().any(|selector| selector.channels.allow(name, literally))
    }

    /// Whether `before`, the same user earlier, was allowed channels that are not named any more.
    #[must_use]
    pub fn lost_channels(&self, before: &Self) -> bool {
        let is_named = |pattern: &Vec<u8>| {
            self.all_selectors().any(|selector| match &selector.channels {
                Channels::All => true,
                Channels::Some(patterns) => patterns.contains(pattern),
            })
        };
        let has_all = self.all_selectors().any(|selector| selector.channels == Channels::All);
        !has_all
            && before.all_selectors().any(|selector| match &selector.channels {
                Channels::All => true,
                Channels::Some(patterns) => !patterns.iter().all(is_named),
            })
    }

    fn all_selectors(&self) -> impl Iterator<Item = &Selector> {
        core::iter::once(&self.root).chain(&self.selectors)
    }

    /// `on`, `nopass` and the like, as `ACL GETUSER` shows them: Valkey takes the words about
    /// sanitizing and never shows them.
    #[must_use]
    pub fn shown_flags(&self, dialect: Dialect) -> Vec<&'static str> {
        let mut flags = self.flags();
        match dialect {
            Dialect::Redis => {}
            Dialect::Valkey => flags.retain(|flag| !flag.ends_with("sanitize-payload")),
        }
        flags
    }

    fn flags(&self) -> Vec<&'static str> {
        let mut flags = vec![if self.on { "on" } else { "off" }];
        if self.nopass {
            flags.push("nopass");
        }
        match self.sanitize {
            Some(true) => flags.push("sanitize-payload"),
            Some(false) => flags.push("skip-sanitize-payload"),
            None => {}
        }
        flags
    }

    /// The hashes of its passwords, in hexadecimal.
    #[must_use]
    pub fn password_hashes(&self) -> Vec<&[u8]> {
        self.passwords.iter().map(|hash| &hash.0[..]).collect()
    }

    /// Its permissions: the root first, then the selectors.
    #[must_use]
    pub fn selectors(&self) -> Vec<SelectorView> {
        let view = |selector: &Selector| SelectorView {
            commands: selector.grants.describe(),
            keys: selector.describe_keys(),
            channels: selector.channels.describe(),
        };
        self.all_selectors().map(view).collect()
    }

    /// Its rules, each a word, in the order in which files have them. A file keeps what either
    /// reference may have written.
    #[must_use]
    pub fn rules(&self) -> Vec<Vec<u8>> {
        self.rules_with(&self.flags())
    }

    fn rules_with(&self, flags: &[&str]) -> Vec<Vec<u8>> {
        let mut words: Vec<Vec<u8>> = flags.iter().map(|flag| flag.as_bytes().to_vec()).collect();
        words.extend(self.passwords.iter().map(|hash| [b"#", &hash.0[..]].concat()));
        let split = |text: &[u8]| -> Vec<Vec<u8>> {
            text.split(|byte| *byte == b' ').map(<[u8]>::to_vec).collect()
        };
        words.extend(split(&self.root.describe()));
        for selector in &self.selectors {
            words.extend(split(&[b"(", &selector.describe()[..], b")"].concat()));
        }
        words
    }

    /// `<name> <rules>`, as in files after the word `user`.
    #[must_use]
    pub fn describe(&self) -> Vec<u8> {
        self.line(self.rules())
    }

    /// The same as `ACL LIST` shows it.
    #[must_use]
    pub fn shown(&self, dialect: Dialect) -> Vec<u8> {
        self.line(self.rules_with(&self.shown_flags(dialect)))
    }

    fn line(&self, rules: Vec<Vec<u8>>) -> Vec<u8> {
        [self.name.clone()].into_iter().chain(rules).collect::<Vec<_>>().join(&b' ')
    }
}
