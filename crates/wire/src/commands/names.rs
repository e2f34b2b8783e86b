//! What this Sentinel's own commands are called: `rename-command` of its file (spec: interface
//! 8.4). Commands keep their names in COMMAND, in ACL rules and in errors; clients must call them
//! by the new ones.

use std::collections::HashMap;

use super::{Command, find, find_subcommand};

/// Names that `rename-command` changed. The default is the names of the table.
#[derive(Clone, Debug, Default)]
pub struct CommandNames {
    /// By name in lower case; none for a name that means nothing any more.
    changed: HashMap<Vec<u8>, Option<&'static Command>>,
}

impl CommandNames {
    /// After these changes of old to new names, in their order; an empty new name takes the command
    /// away. Unknown old names change nothing.
    #[must_use]
    pub fn renamed<'a>(renames: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut names = Self::default();
        for (old, new) in renames {
            let Some(command) = names.find(old.as_bytes()) else { continue };
            names.changed.insert(old.to_ascii_lowercase().into_bytes(), None);
            if !new.is_empty() {
                names.changed.insert(new.to_ascii_lowercase().into_bytes(), Some(command));
            }
        }
        names
    }

    /// A top-level command by what clients call it, in any case.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<&'static Command> {
        if self.changed.is_empty() {
            return find(name);
        }
        match self.changed.get(&name.to_ascii_lowercase()) {
            Some(changed) => *changed,
            None => find(name),
        }
    }

    /// A command by its full name, as in `sentinel|masters`.
    #[must_use]
    pub fn find_full(&self, name: &[u8]) -> Option<&'static Command> {
        match name.iter().position(|byte| *byte == b'|') {
            None => self.find(name),
            Some(bar) => find_subcommand(self.find(&name[..bar])?, &name[bar + 1..]),
        }
    }

    /// Whether a top-level command can be called by any name.
    #[must_use]
    pub fn has(&self, command: &Command) -> bool {
        let is_kept = !self.changed.contains_key(command.name.as_bytes());
        is_kept || self.changed.values().flatten().any(|other| other.name == command.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_called_by_their_new_names_alone() {
        let names = CommandNames::renamed([
            ("ping", "pong"),
            ("shutdown", ""),
            ("acl", "ping"),
            ("pong", "Pang"),
            ("nothing", "else"),
        ]);
        let called = |name: &str| names.find(name.as_bytes()).map(|command| command.name);
        assert_eq!(called("PANG"), Some("ping"));
        assert_eq!(called("Ping"), Some("acl"));
        assert_eq!(called("pong"), None);
        assert_eq!(called("acl"), None);
        assert_eq!(called("shutdown"), None);
        assert_eq!(called("else"), None);
        assert_eq!(called("info"), Some("info"));
        assert_eq!(names.find_full(b"ping|whoami").map(|command| command.name), Some("acl|whoami"));
        let has = |name: &str| find(name.as_bytes()).is_some_and(|command| names.has(command));
        assert!(has("ping") && has("acl") && has("info") && !has("shutdown"));
    }
}
