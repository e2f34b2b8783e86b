//! PING, ECHO, AUTH, HELLO, SELECT, RESET, QUIT.

use bytes::Bytes;
use vedette_resp::{Frame, Protocol, parse_integer};

use crate::connection::{Connection, ReplyMode};
use crate::dispatch::{Call, Origin, wrong_arity};
use crate::reply::{self, Reply, error, literal, shown};
use crate::{CloseKind, ConnId, Node, Role};

impl Node {
    /// The connection a command came on, if it came on one.
    pub(crate) fn caller(&mut self, call: &Call<'_>) -> Option<(ConnId, &mut Connection)> {
        match call.origin {
            Origin::Client(conn) => Some((conn, self.connections.get_mut(&conn)?)),
            Origin::Master => None,
        }
    }

    /// The user these credentials belong to. A default user without a password takes any.
    fn user_for(&self, name: &[u8], password: &[u8]) -> Option<String> {
        if name == b"default" {
            let required = self.parameters.password();
            let fits = required.is_empty() || required.as_bytes() == password;
            return fits.then(|| "default".to_owned());
        }
        let fits = |user: &&crate::User| {
            user.name.as_bytes() == name && user.password.as_bytes() == password
        };
        self.config.users.iter().find(fits).map(|user| user.name.clone())
    }
}

pub(crate) fn ping(node: &mut Node, call: &Call<'_>) -> Reply {
    node.note_ping(call);
    let restricted =
        node.caller(call).is_some_and(|(_, connection)| connection.is_restricted_subscriber());
    match call.args {
        [_, text] if restricted => {
            Frame::Push(vec![Frame::bulk("pong"), Frame::Bulk(text.clone())]).into()
        }
        [_] if restricted => Frame::Push(vec![Frame::bulk("pong"), Frame::bulk("")]).into(),
        [_] => Frame::simple("PONG").into(),
        [_, text] => Frame::Bulk(text.clone()).into(),
        _ => wrong_arity("ping").into(),
    }
}

impl Node {
    /// Keeps the longest time between two PINGs of one connection.
    fn note_ping(&mut self, call: &Call<'_>) {
        let Origin::Client(conn) = call.origin else { return };
        let Some(connection) = self.connections.get_mut(&conn) else { return };
        let before = connection.pinged_at.replace(self.now).unwrap_or(self.now);
        self.counters.longest_ping_gap_ms =
            self.counters.longest_ping_gap_ms.max(self.now.saturating_sub(before));
    }
}

pub(crate) fn echo(_: &mut Node, call: &Call<'_>) -> Reply {
    Frame::Bulk(call.args[1].clone()).into()
}

pub(crate) fn auth(node: &mut Node, call: &Call<'_>) -> Reply {
    let (name, password) = match call.args {
        [_, _] if node.parameters.password().is_empty() => return reply::NO_PASSWORD_SET.into(),
        [_, password] => (&b"default"[..], password),
        [_, name, password] => (&name[..], password),
        _ => return reply::SYNTAX.into(),
    };
    let Some(user) = node.user_for(name, password) else { return reply::WRONGPASS.into() };
    if let Some((_, connection)) = node.caller(call) {
        connection.authenticate(Some(user));
    }
    Frame::OK.into()
}

/// `HELLO [2|3 [AUTH user password] [SETNAME name]]` (spec: interface 4.3).
pub(crate) fn hello(node: &mut Node, call: &Call<'_>) -> Reply {
    match read_hello(node, call) {
        Ok(wish) => wish.grant(node, call),
        Err(frame) => frame.into(),
    }
}

#[derive(Default)]
struct HelloWish {
    protocol: Option<Protocol>,
    credentials: Option<(Bytes, Bytes)>,
    name: Option<Bytes>,
}

fn read_hello(_: &Node, call: &Call<'_>) -> Result<HelloWish, Frame> {
    let mut wish = HelloWish::default();
    let Some(version) = call.args.get(1) else { return Ok(wish) };
    wish.protocol = match parse_integer(version) {
        None => return Err(literal("ERR Protocol version is not an integer or out of range")),
        Some(2) => Some(Protocol::Resp2),
        Some(3) => Some(Protocol::Resp3),
        Some(_) => return Err(literal("NOPROTO unsupported protocol version")),
    };
    let mut words = &call.args[2..];
    while let [option, rest @ ..] = words {
        words = match rest {
            [user, password, after @ ..] if option.eq_ignore_ascii_case(b"auth") => {
                wish.credentials = Some((user.clone(), password.clone()));
                after
            }
            [name, after @ ..] if option.eq_ignore_ascii_case(b"setname") => {
                if !is_plain(name) {
                    return Err(reply::BAD_CLIENT_NAME);
                }
                wish.name = Some(name.clone());
                after
            }
            _ => {
                return Err(error(format!("ERR Syntax error in HELLO option '{}'", shown(option))));
            }
        };
    }
    Ok(wish)
}

impl HelloWish {
    fn grant(self, node: &mut Node, call: &Call<'_>) -> Reply {
        let user = match &self.credentials {
            None => None,
            Some((name, password)) => match node.user_for(name, password) {
                None => return reply::WRONGPASS.into(),
                user => user,
            },
        };
        let (role, version) = (node.role(), node.config.version.clone());
        let Some((_, connection)) = node.caller(call) else { return Reply::None };
        if user.is_some() {
            connection.authenticate(user);
        }
        if connection.user.is_none() {
            return reply::HELLO_NOAUTH.into();
        }
        if let Some(name) = self.name {
            connection.name = name;
        }
        if let Some(protocol) = self.protocol {
            connection.protocol = protocol;
        }
        let protocol = if connection.protocol == Protocol::Resp3 { 3 } else { 2 };
        let id = i64::try_from(connection.client_id).unwrap_or(i64::MAX);
        let role = if role == Role::Master { "master" } else { "replica" };
        let pair = |key: &'static str, value: Frame| (Frame::bulk(key), value);
        Frame::Map(vec![
            pair("server", Frame::bulk("redis")),
            pair("version", Frame::bulk(version)),
            pair("proto", Frame::Integer(protocol)),
            pair("id", Frame::Integer(id)),
            pair("mode", Frame::bulk("standalone")),
            pair("role", Frame::bulk(role)),
            pair("modules", Frame::Array(vec![])),
        ])
        .into()
    }
}

/// Whether a client name has visible ASCII only.
pub(crate) fn is_plain(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

/// There is one database only, whatever `databases` says.
pub(crate) fn select(_: &mut Node, call: &Call<'_>) -> Reply {
    match parse_integer(&call.args[1]) {
        Some(0) => Frame::OK.into(),
        Some(_) => literal("ERR DB index is out of range").into(),
        None => reply::NOT_AN_INTEGER.into(),
    }
}

pub(crate) fn reset(node: &mut Node, call: &Call<'_>) -> Reply {
    let open = node.parameters.password().is_empty();
    let Some((conn, connection)) = node.caller(call) else { return Reply::None };
    connection.transaction = None;
    connection.reply_mode = ReplyMode::On;
    connection.name = Bytes::new();
    connection.no_evict = false;
    connection.protocol = Protocol::Resp2;
    connection.authenticate(open.then(|| "default".to_owned()));
    node.drop_subscriptions(conn);
    node.unwatch_all(conn);
    Frame::simple("RESET").into()
}

pub(crate) fn quit(node: &mut Node, call: &Call<'_>) -> Reply {
    if let Some((conn, _)) = node.caller(call) {
        node.close(conn, CloseKind::Graceful);
    }
    Frame::OK.into()
}
