//! What COMMAND tells about the table (spec: interface 4.10). Only names of the dialect are
//! shown; others work without a word.

use super::{COMMANDS, ClientVerb, Command, CommandNames, Listing, Verb, find};
use crate::dialect::Dialect;
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
pub fn count(names: &CommandNames) -> Reply {
    integer(principals(COMMANDS).filter(|command| names.has(command)).count())
}

/// `COMMAND` and `COMMAND INFO` without names.
#[must_use]
pub fn info_all(called: &CommandNames, dialect: Dialect) -> Reply {
    Reply::Array(callable(called, dialect).map(|command| info(command, dialect)).collect())
}

/// `COMMAND INFO <name>…`: null for what is unknown.
#[must_use]
pub fn info_of<T: AsRef<[u8]>>(names: &[T], called: &CommandNames, dialect: Dialect) -> Reply {
    let entry = |name: &T| named(name, called, dialect).map_or(Reply::Null, |it| info(it, dialect));
    Reply::Array(names.iter().map(entry).collect())
}

/// `COMMAND DOCS [<name>…]`: without what is unknown.
#[must_use]
pub fn docs<T: AsRef<[u8]>>(names: &[T], called: &CommandNames, dialect: Dialect) -> Reply {
    let pair = |command: &'static Command| (word(command.name), doc(command, dialect));
    Reply::Map(match names {
        [] => callable(called, dialect).map(pair).collect(),
        names => names.iter().filter_map(|name| named(name, called, dialect)).map(pair).collect(),
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
pub fn list(filter: Filter<'_>, called: &CommandNames, dialect: Dialect) -> Reply {
    let fits = |command: &&Command| match filter {
        Filter::None => true,
        Filter::Module => false,
        Filter::Category(name) => is_in(command, name),
        Filter::Pattern(pattern) => matches(pattern, command.name.as_bytes(), Case::Insensitive),
    };
    let all = with_subcommands(callable(called, dialect), dialect);
    Reply::Array(all.filter(fits).map(|command| word(command.name)).collect())
}

/// `ACL CAT <category>`.
#[must_use]
pub fn names_in_category(category: &[u8], dialect: Dialect) -> Vec<&'static str> {
    with_subcommands(shown(COMMANDS, dialect), dialect)
        .filter(|command| is_in(command, category))
        .map(|command| command.name)
        .collect()
}

fn is_in(command: &Command, category: &[u8]) -> bool {
    command.categories.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(category))
}

/// The commands that permissions are about: aliases share those of what they stand for.
pub(crate) fn principals(commands: &'static [Command]) -> impl Iterator<Item = &'static Command> {
    commands.iter().filter(|command| command.listing == Listing::Shown)
}

fn shown(commands: &'static [Command], dialect: Dialect) -> impl Iterator<Item = &'static Command> {
    commands.iter().filter(move |command| command.is_shown(dialect))
}

/// Those of the dialect that `rename-command` left.
fn callable(called: &CommandNames, dialect: Dialect) -> impl Iterator<Item = &'static Command> {
    shown(COMMANDS, dialect).filter(|command| called.has(command))
}

fn named<T: AsRef<[u8]>>(
    name: &T,
    called: &CommandNames,
    dialect: Dialect,
) -> Option<&'static Command> {
    let named =
        |command: &&Command| command.listing == Listing::Courtesy || command.is_shown(dialect);
    called.find_full(name.as_ref()).filter(named)
}

fn with_subcommands(
    commands: impl Iterator<Item = &'static Command>,
    dialect: Dialect,
) -> impl Iterator<Item = &'static Command> {
    commands.flat_map(move |command| {
        core::iter::once(command).chain(shown(command.subcommands, dialect))
    })
}

fn info(command: &'static Command, dialect: Dialect) -> Reply {
    let flags = command.flags_in(dialect).map(Reply::simple).collect();
    let categories = command.categories.iter().map(|name| Reply::Simple(format!("@{name}").into()));
    Reply::Array(vec![
        word(command.name),
        Reply::Integer(command.arity_in(dialect).into()),
        Reply::Set(flags),
        Reply::Integer(0),
        Reply::Integer(0),
        Reply::Integer(0),
        Reply::Set(categories.collect()),
        Reply::Set(command.tips.iter().map(|tip| word(tip)).collect()),
        Reply::Set(Vec::new()),
        subcommands(command, dialect),
    ])
}

/// An array, but of none a set: Redis answers so in RESP3.
fn subcommands(command: &'static Command, dialect: Dialect) -> Reply {
    let subcommands = shown(command.subcommands, dialect);
    let all: Vec<Reply> = subcommands.map(|sub| info(sub, dialect)).collect();
    match (all.is_empty(), dialect) {
        (true, Dialect::Redis) => Reply::Set(all),
        (true, Dialect::Valkey) | (false, _) => Reply::Array(all),
    }
}

/// The version that a command came with. Valkey 9.1 corrected one.
fn since(command: &'static Command, dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Valkey if command.verb == Verb::Client(ClientVerb::Pause) => "3.0.0",
        Dialect::Redis | Dialect::Valkey => command.since,
    }
}

fn doc(command: &'static Command, dialect: Dialect) -> Reply {
    let container = command.name.split('|').next().and_then(|name| find(name.as_bytes()));
    let group = match container.map(|container| container.name) {
        Some("sentinel") => "sentinel",
        Some("subscribe" | "psubscribe" | "unsubscribe" | "punsubscribe" | "publish") => "pubsub",
        Some("auth" | "client" | "hello" | "ping" | "quit") => "connection",
        Some(_) | None => "server",
    };
    let mut pairs = vec![
        (word("summary"), bulk(dialect.wording(command.summary))),
        (word("since"), word(since(command, dialect))),
        (word("group"), word(group)),
    ];
    if !command.complexity.is_empty() {
        pairs.push((word("complexity"), bulk(command.complexity)));
    }
    if !command.subcommands.is_empty() {
        let subcommands = shown(command.subcommands, dialect);
        let docs = subcommands.map(|sub| (word(sub.name), doc(sub, dialect))).collect();
        pairs.push((word("subcommands"), Reply::Map(docs)));
    }
    Reply::Map(pairs)
}
