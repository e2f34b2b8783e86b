//! The text of an `aclfile`: a `user` line each, without quotes and without comments.

use super::{Accounts, BadRules, DEFAULT_USER, Flaw, User};

/// What is wrong with a file, line by line, in the reference's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} WARNING: ACL errors detected, no change to the previously active ACL rules was performed",
    .0.join(" ")
)]
pub struct BadFile(pub Vec<String>);

/// A file that can be used.
#[derive(Clone, Debug)]
pub struct LoadedFile {
    /// The users.
    pub accounts: Accounts,
    /// Whether `requirepass` asks for a password that the file does not ask for: it is asked for
    /// (spec: holes H30).
    pub requirepass_was_stricter: bool,
}

impl Accounts {
    /// The users of a file instead of these; whoever is in both stays who it is.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(&self, text: &[u8]) -> Result<LoadedFile, BadFile> {
        let mut next = self.next();
        next.users.clear();
        let default = User::open(DEFAULT_USER.as_bytes(), self.default.id, self.channels.clone());
        let mut problems = Vec::new();
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            if let Err(problem) = self.load_line(&mut next, line, index + 1) {
                problems.push(problem);
            }
        }
        if !problems.is_empty() {
            return Err(BadFile(problems));
        }
        let mut default =
            next.user(DEFAULT_USER.as_bytes()).map_or(default, |user| (**user).clone());
        let requirepass = self.requirepass.clone().filter(|_| default.nopass);
        let requirepass_was_stricter =
            requirepass.is_some() && next.has_user(DEFAULT_USER.as_bytes());
        requirepass.into_iter().for_each(|hash| default.add_password(hash));
        next.put(default);
        Ok(LoadedFile { accounts: next, requirepass_was_stricter })
    }

    fn load_line(&self, next: &mut Self, line: &[u8], number: usize) -> Result<(), String> {
        let file = self.file().unwrap_or_default();
        let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let [b"user", name, rules @ ..] = &words[..] else {
            return Err(format!(
                "{file}:{number} should start with user keyword followed by the username."
            ));
        };
        if next.has_user(name) {
            let name = String::from_utf8_lossy(name);
            return Err(format!("WARNING: Duplicate user '{name}' found on line {number}."));
        }
        let syntax = || format!("{file}:{number}: {}.", Flaw::Syntax);
        let fresh = match self.user(name) {
            Some(known) => User::new(name, known.id, self.channels.clone()),
            None => next.new_user(name),
        };
        next.put(fresh);
        let rules: Vec<&[u8]> = rules.iter().copied().map(<[u8]>::trim_ascii).collect();
        match next.with_rules(name, &rules) {
            Ok(changed) => *next = Self { version: next.version, ..changed },
            Err(BadRules::Rule(_, rule, Flaw::UnknownCommand)) => {
                let rule = String::from_utf8_lossy(&rule);
                let flaw = Flaw::UnknownCommand;
                return Err(format!(
                    "{file}:{number}: Error in applying operation '{rule}': {flaw}."
                ));
            }
            Err(BadRules::Rule(_, _, flaw)) => return Err(format!("{file}:{number}: {flaw}.")),
            Err(BadRules::Name | BadRules::Unmatched(..)) => return Err(syntax()),
        }
        Ok(())
    }

    /// The text of the `aclfile` with these users.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let line = |user: &std::sync::Arc<User>| [b"user ", &user.describe()[..], b"\n"].concat();
        self.users().flat_map(line).collect()
    }
}
