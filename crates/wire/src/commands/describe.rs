//! What COMMAND tells about the table (spec: interface 4.10). Only commands of Redis are shown;
//! aliases work without a word.

use super::{COMMANDS, Command, Listing, find, find_full};
use crate::glob::{Case, matches};
use crate::reply::{Reply, bulk, count as integer, word};

/// All ACL categories, in the reference's order.
pub const CATEGORIES: [&str; 21] = [
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
];

/// `COMMAND COUNT`.
#[must_use]
pub fn count() -> Reply {
    integer(shown(COMMANDS).count())
}

/// `COMMAND` and `COMMAND INFO` without names.
#[must_use]
pub fn info_all() -> Reply {
    Reply::Array(shown(COMMANDS).map(info).collect())
}

/// `COMMAND INFO <name>…`: null for what is unknown.
#[must_use]
pub fn info_of<T: AsRef<[u8]>>(names: &[T]) -> Reply {
    Reply::Array(
        names.iter().map(|name| find_full(name.as_ref()).map_or(Reply::Null, info)).collect(),
    )
}

/// `COMMAND DOCS [<name>…]`: without what is unknown.
#[must_use]
pub fn docs<T: AsRef<[u8]>>(names: &[T]) -> Reply {
    let pair = |command: &'static Command| (word(command.name), doc(command));
    Reply::Map(match names {
        [] => shown(COMMANDS).map(pair).collect(),
        names => names.iter().filter_map(|name| find_full(name.as_ref())).map(pair).collect(),
    })
}

/// What `COMMAND LIST FILTERBY` filters by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter<'a> {
    /// Everything.
    None,
    /// `MODULE`: there are none.
    Module,
    /// `ACLCAT`.
    Category(&'a [u8]),
    /// `PATTERN`.
    Pattern(&'a [u8]),
}

/// `COMMAND LIST`: subcommands after their container.
#[must_use]
pub fn list(filter: Filter<'_>) -> Reply {
    let fits = |command: &&Command| match filter {
        Filter::None => true,
        Filter::Module => false,
        Filter::Category(name) => is_in(command, name),
        Filter::Pattern(pattern) => matches(pattern, command.name.as_bytes(), Case::Insensitive),
    };
    Reply::Array(everything().filter(fits).map(|command| word(command.name)).collect())
}

/// `ACL CAT <category>`.
#[must_use]
pub fn names_in_category(category: &[u8]) -> Vec<&'static str> {
    everything().filter(|command| is_in(command, category)).map(|command| command.name).collect()
}

fn is_in(command: &Command, category: &[u8]) -> bool {
    command.categories.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(category))
}

pub(crate) fn shown(commands: &'static [Command]) -> impl Iterator<Item = &'static Command> {
    commands.iter().filter(|command| command.listing == Listing::Shown)
}

fn everything() -> impl Iterator<Item = &'static Command> {
    shown(COMMANDS).flat_map(|command| core::iter::once(command).chain(shown(command.subcommands)))
}

fn info(command: &'static Command) -> Reply {
    let flags = command.flags.iter().map(|flag| Reply::simple(flag)).collect();
    let categories = command.categories.iter().map(|name| Reply::Simple(format!("@{name}").into()));
    Reply::Array(vec![
        word(command.name),
        Reply::Integer(command.arity.into()),
        Reply::Set(flags),
        Reply::Integer(0),
        Reply::Integer(0),
        Reply::Integer(0),
        Reply::Set(categories.collect()),
        Reply::Set(command.tips.iter().map(|tip| word(tip)).collect()),
        Reply::Set(Vec::new()),
        subcommands(command),
    ])
}

/// An array, but of none a set: the reference answers so in RESP3.
fn subcommands(command: &'static Command) -> Reply {
    let all: Vec<Reply> = shown(command.subcommands).map(info).collect();
    if all.is_empty() { Reply::Set(all) } else { Reply::Array(all) }
}

fn doc(command: &'static Command) -> Reply {
    let container = command.name.split('|').next().and_then(|name| find(name.as_bytes()));
    let group = match container.map(|container| container.name) {
        Some("sentinel") => "sentinel",
        Some("subscribe" | "psubscribe" | "unsubscribe" | "punsubscribe" | "publish") => "pubsub",
        Some("auth" | "client" | "hello" | "ping" | "quit") => "connection",
        Some(_) | None => "server",
    };
    let mut pairs = vec![
        (word("summary"), word(command.summary)),
        (word("since"), word(command.since)),
        (word("group"), word(group)),
    ];
    if !command.complexity.is_empty() {
        pairs.push((word("complexity"), bulk(command.complexity)));
    }
    if !command.subcommands.is_empty() {
        let docs = shown(command.subcommands).map(|sub| (word(sub.name), doc(sub))).collect();
        pairs.push((word("subcommands"), Reply::Map(docs)));
    }
    Reply::Map(pairs)
}
