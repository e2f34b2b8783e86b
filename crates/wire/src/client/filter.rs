//! `CLIENT LIST` and `CLIENT KILL`: which clients are meant (spec: interface 4.9).

use bytes::Bytes;
use vedette_resp::parse_integer;

use super::facts::ClientId;
use crate::accounts::Accounts;
use crate::reply::{Reply, error, error_with, syntax_error};

/// Which clients; every condition must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFilter {
    /// One of these, if there are any.
    pub ids: Vec<ClientId>,
    /// Not this one.
    pub except: Option<ClientId>,
    /// Of this type.
    pub kind: Option<ClientKind>,
    /// With this `addr`.
    pub addr: Option<Bytes>,
    /// With this `laddr`.
    pub laddr: Option<Bytes>,
    /// Of this user.
    pub user: Option<Bytes>,
    /// Connected for at least this many seconds.
    pub min_age_secs: Option<u64>,
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

/// What follows `CLIENT LIST`.
pub(super) fn parse_list(words: &[Bytes]) -> Result<ClientFilter, Reply> {
    let mut filter = ClientFilter::default();
    match words {
        [] => {}
        [option, kind] if option.eq_ignore_ascii_case(b"type") => {
            filter.kind = Some(parse_kind(kind)?)
        }
        [option, ids @ ..] if option.eq_ignore_ascii_case(b"id") && !ids.is_empty() => {
            for id in ids {
                let id = parse_integer(id).and_then(|id| u64::try_from(id).ok());
                filter.ids.push(ClientId(id.ok_or_else(|| error("ERR Invalid client ID"))?));
            }
        }
        _ => return Err(syntax_error()),
    }
    Ok(filter)
}

/// What follows `CLIENT KILL` in its form with options.
pub(super) fn parse_kill(
    words: &[Bytes],
    asker: ClientId,
    accounts: &Accounts,
) -> Result<ClientFilter, Reply> {
    let mut filter = ClientFilter { except: Some(asker), ..ClientFilter::default() };
    for pair in words.chunks(2) {
        let [option, value] = pair else { return Err(syntax_error()) };
        match option.to_ascii_lowercase().as_slice() {
            b"id" => {
                let id = parse_integer(value).and_then(|id| u64::try_from(id).ok());
                let id = id.filter(|id| *id > 0);
                let id = id.ok_or_else(|| error("ERR client-id should be greater than 0"))?;
                filter.ids = vec![ClientId(id)];
            }
            b"maxage" => filter.min_age_secs = Some(parse_age(value)?),
            b"type" => filter.kind = Some(parse_kind(value)?),
            b"addr" => filter.addr = Some(value.clone()),
            b"laddr" => filter.laddr = Some(value.clone()),
            b"user" => {
                if !accounts.has_user(value) {
                    return Err(error_with(&[b"ERR No such user '", value, b"'"]));
                }
                filter.user = Some(value.clone());
            }
            b"skipme" => {
                filter.except = match value.to_ascii_lowercase().as_slice() {
                    b"yes" => Some(asker),
                    b"no" => None,
                    _ => return Err(syntax_error()),
                }
            }
            _ => return Err(syntax_error()),
        }
    }
    Ok(filter)
}

fn parse_age(value: &[u8]) -> Result<u64, Reply> {
    let age = parse_integer(value)
        .ok_or_else(|| error("ERR maxage is not an integer or out of range"))?;
    u64::try_from(age)
        .ok()
        .filter(|age| *age > 0)
        .ok_or_else(|| error("ERR maxage should be greater than 0"))
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
