//! The command table: every command, its metadata, and where it is carried out
//! (spec: interface 1.6, 4.10, appendix A).

mod describe;
mod table;
mod verb;

use crate::dialect::Dialect;
pub(crate) use describe::principals;
pub use describe::{CATEGORIES, Filter, count, docs, info_all, info_of, list, names_in_category};
pub use table::COMMANDS;

mod names;
pub use names::CommandNames;
pub use verb::{AclVerb, ClientVerb, CommandVerb, RequestVerb, SentinelVerb, Verb};

/// One command or subcommand.
#[derive(Debug)]
pub struct Command {
    /// Full lower-case name, a subcommand's with `|`.
    pub name: &'static str,
    /// Its place in a set of commands: unique, below 160.
    pub bit: u8,
    /// Number of words, all counted; negative is a minimum.
    pub arity: i32,
    /// Flags as COMMAND INFO shows them.
    pub flags: &'static [&'static str],
    /// ACL categories, without the `@`.
    pub categories: &'static [&'static str],
    /// Tips as COMMAND INFO shows them.
    pub tips: &'static [&'static str],
    /// Who carries it out.
    pub route: Route,
    /// Which.
    pub verb: Verb,
    /// Whether listings show it.
    pub listing: Listing,
    /// The version of Redis that brought it.
    pub since: &'static str,
    /// Its costs.
    pub complexity: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Of a container.
    pub subcommands: &'static [Command],
}

/// Who carries a command out, and whether later commands of the connection wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The connection itself.
    Local,
    /// A pure function of the snapshot and the time.
    Snapshot,
    /// The host of the connection; later commands wait for its answer.
    Shell,
    /// The core, on an administrator's behalf; later commands wait, so that they see the change.
    Core,
    /// The core, on a fellow Sentinel's behalf; later commands go on, replies keep their order.
    Peer,
}

/// Whether COMMAND shows a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// A command of both: shown.
    Shown,
    /// Valkey's name for a command of Redis: elsewhere accepted silently.
    ValkeyAlias,
    /// Accepted although the reference lacks it (spec: holes H43).
    Courtesy,
}

impl Command {
    /// Number of words that COMMAND INFO tells: Redis knows no options of FAILOVER.
    #[must_use]
    pub fn arity_in(&self, dialect: Dialect) -> i32 {
        match (self.verb, dialect) {
            (Verb::Request(RequestVerb::Failover), Dialect::Redis) => 3,
            (_, Dialect::Redis | Dialect::Valkey) => self.arity,
        }
    }

    /// Flags as COMMAND INFO shows them: Valkey lets connections be managed while a script runs.
    pub fn flags_in(&self, dialect: Dialect) -> impl Iterator<Item = &'static str> {
        let further: &[&str] = match (dialect, self.verb) {
            (Dialect::Valkey, Verb::Client(ClientVerb::Reply)) => &["no_multi", "allow_busy"],
            (
                Dialect::Valkey,
                Verb::Client(
                    ClientVerb::Caching
                    | ClientVerb::GetName
                    | ClientVerb::GetRedir
                    | ClientVerb::Id
                    | ClientVerb::NoEvict
                    | ClientVerb::SetInfo
                    | ClientVerb::SetName,
                ),
            ) => &["allow_busy"],
            (Dialect::Valkey | Dialect::Redis, _) => &[],
        };
        self.flags.iter().chain(further).copied()
    }

    /// Whether this many words fit, the name's included.
    #[must_use]
    pub fn takes(&self, words: usize) -> bool {
        let words = i64::try_from(words).unwrap_or(i64::MAX);
        let arity = i64::from(self.arity);
        if arity < 0 { words >= -arity } else { words == arity }
    }

    /// Whether it has this flag.
    #[must_use]
    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }

    /// Whether listings show it.
    #[must_use]
    pub fn is_shown(&self, dialect: Dialect) -> bool {
        match self.listing {
            Listing::Shown => true,
            Listing::ValkeyAlias => dialect == Dialect::Valkey,
            Listing::Courtesy => false,
        }
    }

    /// The command whose permission counts: of an alias, the one that it is an alias of.
    #[must_use]
    pub fn principal(&'static self) -> &'static Command {
        match self.listing {
            Listing::Shown | Listing::Courtesy => self,
            Listing::ValkeyAlias => {
                let same =
                    |other: &&Command| other.verb == self.verb && other.listing == Listing::Shown;
                COMMANDS.iter().flat_map(|command| command.subcommands).find(same).unwrap_or(self)
            }
        }
    }

    /// Whether it belongs to this category, spelled in lower case.
    #[must_use]
    pub fn is_in(&self, category: &str) -> bool {
        self.categories.contains(&category)
    }

    /// The name without that of its container.
    #[must_use]
    pub fn last_name(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(_, last)| last)
    }
}

/// A top-level command by its name, in any case.
#[must_use]
pub fn find(name: &[u8]) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name.as_bytes().eq_ignore_ascii_case(name))
}

/// A subcommand by its own name, in any case.
#[must_use]
pub fn find_subcommand(container: &'static Command, name: &[u8]) -> Option<&'static Command> {
    // Behind the name of the container and a bar.
    let start = container.name.len() + 1;
    let last_name = |command: &Command| command.name.as_bytes().get(start..);
    let is = |command: &&Command| last_name(command).is_some_and(|n| n.eq_ignore_ascii_case(name));
    container.subcommands.iter().find(is)
}

/// A command by its full name, as in `sentinel|masters`.
#[must_use]
pub fn find_full(name: &[u8]) -> Option<&'static Command> {
    match name.iter().position(|byte| *byte == b'|') {
        None => find(name),
        Some(bar) => find_subcommand(find(&name[..bar])?, &name[bar + 1..]),
    }
}

#[cfg(test)]
mod tests;
