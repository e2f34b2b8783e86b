//! HELLO and AUTH (spec: interface 4.3, 4.4).

use bytes::Bytes;
use vedette_resp::{Protocol, parse_integer};

use super::Client;
use super::execute::{Executed, Outcome};
use super::gate::wrong_password;
use super::session::is_plain;
use super::surroundings::Surroundings;
use crate::Dialect;
use crate::accounts::{DEFAULT_USER, Reason};
use crate::reply::{Reply, error, error_with, syntax_error, word};

impl Client {
    /// `AUTH [<user>] <password>`
    pub(super) fn auth(
        &mut self,
        words: &[Bytes],
        surroundings: &mut dyn Surroundings,
    ) -> Executed {
        let (user, password) = match &words[1..] {
            [_] if surroundings.accounts().default_user().needs_no_password() => {
                return Err(error(
                    "ERR AUTH <password> called without any password configured for the default \
                     user. Are you sure your configuration is correct?",
                ));
            }
            [password] => (DEFAULT_USER.as_bytes(), password),
            [user, password] => (&user[..], password),
            _ => return Err(syntax_error()),
        };
        self.log_in(surroundings, &words[0], user, password)?;
        Ok(Outcome::Reply(Reply::OK))
    }

    /// `HELLO [<2|3> [AUTH <user> <password>] [SETNAME <name>]]`
    pub(super) fn hello(
        &mut self,
        words: &[Bytes],
        surroundings: &mut dyn Surroundings,
    ) -> Executed {
        let (protocol, options) = match &words[1..] {
            [] => (self.session.protocol, Options::default()),
            [version, options @ ..] => (parse_version(version)?, Options::parse(options)?),
        };
        if let Some((user, password)) = &options.credentials {
            self.log_in(surroundings, &words[0], user, password)?;
        }
        if !self.session.is_authenticated(surroundings.accounts()) {
            return Err(error(
                "NOAUTH HELLO must be called with the client already authenticated, otherwise the \
                 HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client \
                 and select the RESP protocol version at the same time",
            ));
        }
        if let Some(name) = options.name {
            self.session.name = name;
        }
        self.session.protocol = protocol;
        Ok(Outcome::Reply(self.greeting()))
    }

    fn log_in(
        &mut self,
        surroundings: &mut dyn Surroundings,
        command: &[u8],
        user: &[u8],
        password: &[u8],
    ) -> Result<(), Reply> {
        if self.session.authenticate(surroundings.accounts(), user, password) {
            return Ok(());
        }
        self.counts.denied_auth += 1;
        self.note_refusal(Reason::Auth, command, user.to_vec(), surroundings);
        Err(wrong_password())
    }

    fn greeting(&self) -> Reply {
        let dialect = self.facts.dialect;
        let (server, version) = match self.facts.greets_as_redis {
            true => (Dialect::Redis.name(), dialect.redis_version()),
            false => (dialect.name(), dialect.version()),
        };
        let protocol = match self.session.protocol {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        };
        Reply::Map(vec![
            (word("server"), word(server)),
            (word("version"), word(version)),
            (word("proto"), Reply::Integer(protocol)),
            (word("id"), Reply::Integer(i64::try_from(self.id.0).unwrap_or(i64::MAX))),
            (word("mode"), word("sentinel")),
            (word("modules"), Reply::Array(Vec::new())),
        ])
    }
}

fn parse_version(word: &[u8]) -> Result<Protocol, Reply> {
    match parse_integer(word) {
        Some(2) => Ok(Protocol::Resp2),
        Some(3) => Ok(Protocol::Resp3),
        Some(_) => Err(error("NOPROTO unsupported protocol version")),
        None => Err(error("ERR Protocol version is not an integer or out of range")),
    }
}

/// What follows the version.
#[derive(Default)]
struct Options {
    credentials: Option<(Bytes, Bytes)>,
    name: Option<Bytes>,
}

impl Options {
    fn parse(words: &[Bytes]) -> Result<Self, Reply> {
        let mut options = Self::default();
        let mut rest = words;
        while let [option, values @ ..] = rest {
            rest = match values {
                [user, password, after @ ..] if option.eq_ignore_ascii_case(b"auth") => {
                    options.credentials = Some((user.clone(), password.clone()));
                    after
                }
                [name, after @ ..] if option.eq_ignore_ascii_case(b"setname") => {
                    options.name = Some(check_name(name)?);
                    after
                }
                _ => {
                    let text: &[u8] = b"ERR Syntax error in HELLO option '";
                    return Err(error_with(&[text, option, b"'"]));
                }
            };
        }
        Ok(options)
    }
}

/// A name for a connection.
pub(super) fn check_name(name: &Bytes) -> Result<Bytes, Reply> {
    match is_plain(name) {
        true => Ok(name.clone()),
        false => {
            Err(error("ERR Client names cannot contain spaces, newlines or special characters."))
        }
    }
}
