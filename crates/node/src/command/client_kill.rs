//! CLIENT KILL (spec: interface 4.9).

use bytes::Bytes;
use vedette_resp::{Frame, parse_integer};

use crate::connection::{ClientClass, Connection};
use crate::dispatch::{Call, Origin};
use crate::reply::{self, Reply, error, literal, shown};
use crate::{CloseKind, ConnId, Node};

/// Which connections go: those that fit every filter given.
#[derive(Default)]
struct Filters {
    id: Option<u64>,
    class: Option<ClientClass>,
    addr: Option<String>,
    laddr: Option<String>,
    user: Option<String>,
    includes_caller: bool,
}

pub(crate) fn kill(node: &mut Node, call: &Call<'_>) -> Reply {
    let words = &call.args[2..];
    if let [address] = words {
        return kill_by_address(node, call, address);
    }
    let filters = match read_filters(node, words) {
        Ok(filters) => filters,
        Err(frame) => return frame.into(),
    };
    let victims: Vec<ConnId> = node
        .connections
        .iter()
        .filter(|(conn, connection)| {
            connection.closing.is_none()
                && filters.fit(connection)
                && (filters.includes_caller || call.origin != Origin::Client(**conn))
        })
        .map(|(conn, _)| *conn)
        .collect();
    let kills_link = filters.class == Some(ClientClass::Master) && node.is_link_up();
    if kills_link {
        node.drop_link();
    }
    let count = victims.len() + usize::from(kills_link);
    for conn in victims {
        kill_one(node, call, conn);
    }
    Frame::Integer(i64::try_from(count).unwrap_or(i64::MAX)).into()
}

/// The caller gets its answer first; others lose what was not sent.
fn kill_one(node: &mut Node, call: &Call<'_>, conn: ConnId) {
    if call.origin != Origin::Client(conn)
        && let Some(connection) = node.connections.get_mut(&conn)
    {
        connection.out.clear();
    }
    node.close(conn, CloseKind::Graceful);
}

/// The old form, which may kill its own connection.
fn kill_by_address(node: &mut Node, call: &Call<'_>, address: &Bytes) -> Reply {
    let address = shown(address);
    let found = node
        .connections
        .iter()
        .find(|(_, connection)| connection.peer.to_string() == address)
        .map(|(conn, _)| *conn);
    match found {
        Some(conn) => {
            kill_one(node, call, conn);
            Frame::OK.into()
        }
        None => literal("ERR No such client").into(),
    }
}

fn read_filters(node: &Node, mut words: &[Bytes]) -> Result<Filters, Frame> {
    let mut filters = Filters::default();
    while let [option, value, rest @ ..] = words {
        let text = || shown(value).into_owned();
        match option.to_ascii_lowercase().as_slice() {
            b"id" => match parse_integer(value).map(u64::try_from) {
                Some(Ok(id @ 1..)) => filters.id = Some(id),
                _ => return Err(literal("ERR client-id should be greater than 0")),
            },
            b"type" => match ClientClass::parse(value) {
                Some(class) => filters.class = Some(class),
                None => return Err(error(format!("ERR Unknown client type '{}'", text()))),
            },
            b"addr" => filters.addr = Some(text()),
            b"laddr" => filters.laddr = Some(text()),
            b"user" => {
                let name = text();
                let known = node.config.users.iter().any(|user| user.name == name);
                if !known && name != "default" {
                    return Err(error(format!("ERR No such user '{name}'")));
                }
                filters.user = Some(name);
            }
            b"skipme" => match value.to_ascii_lowercase().as_slice() {
                b"yes" => filters.includes_caller = false,
                b"no" => filters.includes_caller = true,
                _ => return Err(reply::SYNTAX),
            },
            _ => return Err(reply::SYNTAX),
        }
        words = rest;
    }
    if words.is_empty() { Ok(filters) } else { Err(reply::SYNTAX) }
}

impl Filters {
    fn fit(&self, connection: &Connection) -> bool {
        let is = |wanted: &Option<String>, actual: String| {
            wanted.as_ref().is_none_or(|wanted| *wanted == actual)
        };
        self.id.is_none_or(|id| id == connection.client_id)
            && self.class.is_none_or(|class| class == connection.class())
            && is(&self.addr, connection.peer.to_string())
            && is(&self.laddr, connection.local.to_string())
            && (self.user.is_none() || self.user == connection.user)
    }
}
