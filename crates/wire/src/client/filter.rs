//! `CLIENT LIST` and `CLIENT KILL`: which clients are meant (spec: interface 4.9). Valkey takes
//! more options than Redis, in both commands, and each with `NOT-` before it.

use bytes::Bytes;
use vedette_resp::parse_integer;

use super::facts::ClientId;
use crate::Dialect;
use crate::accounts::Accounts;
use crate::reply::{Reply, error, error_with, syntax_error};

/// The letters that Valkey's FLAGS knows; most belong to data servers.
const FLAGS: &[u8] = b"bcdeirtuxABEIMNOPRSTU";
/// The databases that Valkey has unless told otherwise.
const DATABASES: i64 = 16;

/// Which clients; every condition must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFilter(pub Vec<Condition>);

/// A condition, or its opposite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether it must not hold.
    pub negated: bool,
    /// What is asked.
    pub test: Test,
}

/// What is asked about a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// It is one of these.
    Ids(Vec<ClientId>),
    /// It is of this type.
    Kind(ClientKind),
    /// It has this `addr`.
    Addr(Bytes),
    /// It has this `laddr`.
    Laddr(Bytes),
    /// It comes from this address.
    Ip(Bytes),
    /// It is of this user.
    User(Bytes),
    /// It has this name.
    Name(Bytes),
    /// Its library has this name.
    LibName(Bytes),
    /// Its library has this version.
    LibVer(Bytes),
    /// It has all these flags.
    Flags(Bytes),
    /// It has been connected for at least this many seconds.
    MinAge(u64),
    /// It has been silent for at least this many seconds.
    MinIdle(u64),
    /// It uses this database; here all use 0.
    Database(i64),
    /// It can do this; here none ever says so.
    Capable,
}

/// The types of `TYPE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// Without a subscription.
    Normal,
    /// A master: there is none here.
    Master,
    /// A replica: there is none here.
    Replica,
    /// With a subscription.
    Pubsub,
}

/// The host's answer to [`super::Action::ListClients`] or [`super::Action::KillClients`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientsAnswer {
    /// The lines of the clients that match, sorted by id.
    Lines(Vec<String>),
    /// How many clients were killed.
    Killed(u64),
}

/// Who asks, and what it may say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) id: ClientId,
    pub(super) accounts: &'a Accounts,
    pub(super) dialect: Dialect,
}

impl ClientFilter {
    /// Clients for which this holds.
    pub(super) fn only(test: Test) -> Self {
        Self(vec![Condition { negated: false, test }])
    }

    fn except(id: ClientId) -> Condition {
        Condition { negated: true, test: Test::Ids(vec![id]) }
    }
}

/// What follows `CLIENT LIST`.
pub(super) fn parse_list(words: &[Bytes], asker: Asker<'_>) -> Result<ClientFilter, Reply> {
    match (asker.dialect, words) {
        (_, []) => Ok(ClientFilter::default()),
        (Dialect::Valkey, words) => parse_options(words, asker, false),
        (Dialect::Redis, [option, kind]) if option.eq_ignore_ascii_case(b"type") => {
            Ok(ClientFilter::only(Test::Kind(parse_kind(kind)?)))
        }
        (Dialect::Redis, [option, ids @ ..])
            if option.eq_ignore_ascii_case(b"id") && !ids.is_empty() =>
        {
            // No connection has a negative number: 0 is none either.
            let id = |word: &Bytes| parse_integer(word).map(|id| u64::try_from(id).unwrap_or(0));
            let ids = ids.iter().map(|word| id(word).map(ClientId)).collect::<Option<_>>();
            let ids = ids.ok_or_else(|| error("ERR Invalid client ID"))?;
            Ok(ClientFilter::only(Test::Ids(ids)))
        }
        (Dialect::Redis, _) => Err(syntax_error()),
    }
}

/// What follows `CLIENT KILL` in its form with options: the asker is spared unless it says
/// `SKIPME NO`.
pub(super) fn parse_kill(words: &[Bytes], asker: Asker<'_>) -> Result<ClientFilter, Reply> {
    parse_options(words, asker, true)
}

fn parse_options(
    words: &[Bytes],
    asker: Asker<'_>,
    spares_asker: bool,
) -> Result<ClientFilter, Reply> {
    let mut filter = ClientFilter::default();
    let mut skips_me = spares_asker;
    let mut rest = words;
    while let [option, after @ ..] = rest {
        let option = option.to_ascii_lowercase();
        let (negated, option) = match (asker.dialect, option.strip_prefix(b"not-")) {
            (Dialect::Valkey, Some(option)) => (true, option),
            (Dialect::Valkey | Dialect::Redis, _) => (false, &option[..]),
        };
        let test;
        (test, rest) = match (option, after) {
            (b"id", [_, ..]) => parse_ids(after, asker.dialect)?,
            (b"skipme", [value, after @ ..]) if !negated => {
                skips_me = yes_no(value)?;
                rest = after;
                continue;
            }
            (b"maxage" | b"idle", _) if negated => return Err(syntax_error()),
            (_, [value, after @ ..]) => (parse_test(option, value, asker)?, after),
            (_, []) => return Err(syntax_error()),
        };
        // A repeated option replaces the first.
        filter.0.retain(|known| {
            known.negated != negated
                || core::mem::discriminant(&known.test) != core::mem::discriminant(&test)
        });
        filter.0.push(Condition { negated, test });
    }
    filter.0.extend(skips_me.then(|| ClientFilter::except(asker.id)));
    Ok(filter)
}

/// Redis takes one id, Valkey as many as follow.
fn parse_ids(words: &[Bytes], dialect: Dialect) -> Result<(Test, &[Bytes]), Reply> {
    let numbers = match dialect {
        Dialect::Redis => 1,
        Dialect::Valkey => words.iter().take_while(|word| parse_integer(word).is_some()).count(),
    };
    let (ids, rest) = words.split_at(numbers);
    let id = |word: &Bytes| parse_integer(word).and_then(|id| u64::try_from(id).ok());
    let ids = ids.iter().map(|word| id(word).filter(|id| *id > 0).map(ClientId));
    let ids: Option<Vec<ClientId>> = ids.collect();
    let ids = ids.ok_or_else(|| error("ERR client-id should be greater than 0"))?;
    if ids.is_empty() { Err(syntax_error()) } else { Ok((Test::Ids(ids), rest)) }
}

fn parse_test(option: &[u8], value: &Bytes, asker: Asker<'_>) -> Result<Test, Reply> {
    Ok(match (option, asker.dialect) {
        (b"maxage", _) => Test::MinAge(parse_seconds("maxage", value)?),
        (b"type", _) => Test::Kind(parse_kind(value)?),
        (b"addr", _) => Test::Addr(value.clone()),
        (b"laddr", _) => Test::Laddr(value.clone()),
        (b"user", _) => match asker.accounts.has_user(value) {
            true => Test::User(value.clone()),
            false => return Err(error_with(&[b"ERR No such user '", value, b"'"])),
        },
        (_, Dialect::Redis) => return Err(syntax_error()),
        (b"ip", Dialect::Valkey) => Test::Ip(value.clone()),
        (b"name", Dialect::Valkey) => Test::Name(value.clone()),
        (b"lib-name", Dialect::Valkey) => Test::LibName(value.clone()),
        (b"lib-ver", Dialect::Valkey) => Test::LibVer(value.clone()),
        (b"idle", Dialect::Valkey) => Test::MinIdle(parse_seconds("idle", value)?),
        (b"db", Dialect::Valkey) => Test::Database(parse_database(value)?),
        (b"flags", Dialect::Valkey) => match value.iter().all(|flag| FLAGS.contains(flag)) {
            true => Test::Flags(value.clone()),
            false => return Err(unknown("flags", value)),
        },
        (b"capa", Dialect::Valkey) if **value == *b"r" => Test::Capable,
        (b"capa", Dialect::Valkey) => return Err(unknown("capa", value)),
        (_, Dialect::Valkey) => return Err(syntax_error()),
    })
}

fn unknown(what: &str, value: &[u8]) -> Reply {
    let complaint = format!("ERR Unknown {what} found in the provided filter: ");
    error_with(&[complaint.as_bytes(), value])
}

fn yes_no(value: &[u8]) -> Result<bool, Reply> {
    match value.to_ascii_lowercase().as_slice() {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        _ => Err(syntax_error()),
    }
}

fn parse_seconds(what: &str, value: &[u8]) -> Result<u64, Reply> {
    let seconds = parse_integer(value);
    let seconds =
        seconds.ok_or_else(|| error(format!("ERR {what} is not an integer or out of range")))?;
    u64::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| error(format!("ERR {what} should be greater than 0")))
}

fn parse_database(value: &[u8]) -> Result<i64, Reply> {
    match parse_integer(value) {
        None => Err(error("ERR DB is not an integer or out of range")),
        Some(number) if (0..DATABASES).contains(&number) => Ok(number),
        Some(_) => Err(error("ERR DB number should be between 0 and 15")),
    }
}

fn parse_kind(word: &[u8]) -> Result<ClientKind, Reply> {
    Ok(match word.to_ascii_lowercase().as_slice() {
        b"normal" => ClientKind::Normal,
        b"master" | b"primary" => ClientKind::Master,
        b"replica" | b"slave" => ClientKind::Replica,
        b"pubsub" => ClientKind::Pubsub,
        _ => return Err(error_with(&[b"ERR Unknown client type '", word, b"'"])),
    })
}
