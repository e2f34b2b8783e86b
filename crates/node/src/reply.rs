//! What a command answers, and the error texts of Redis 7.0.

use bytes::Bytes;
use vedette_resp::Frame;

/// The answer of a command.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Nothing, or nothing yet.
    None,
    One(Frame),
    /// Confirmations of subscriptions, one per channel.
    Many(Vec<Frame>),
}

impl From<Frame> for Reply {
    fn from(frame: Frame) -> Self {
        Reply::One(frame)
    }
}

pub(crate) const SYNTAX: Frame = literal("ERR syntax error");
pub(crate) const NOT_AN_INTEGER: Frame = literal("ERR value is not an integer or out of range");
pub(crate) const NOAUTH: Frame = literal("NOAUTH Authentication required.");
pub(crate) const WRONGPASS: Frame =
    literal("WRONGPASS invalid username-password pair or user is disabled.");
pub(crate) const NO_PASSWORD_SET: Frame = literal(
    "ERR AUTH <password> called without any password configured for the default user. Are you \
     sure your configuration is correct?",
);
pub(crate) const HELLO_NOAUTH: Frame = literal(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH \
     <user> <pass> option can be used to authenticate the client and select the RESP protocol \
     version at the same time",
);
pub(crate) const LOADING: Frame = literal("LOADING Redis is loading the dataset in memory");
pub(crate) const BUSY: Frame = literal(
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
);
pub(crate) const NOTBUSY: Frame = literal("NOTBUSY No scripts in execution right now.");
pub(crate) const UNKILLABLE: Frame = literal(
    "UNKILLABLE Sorry the script already executed write commands against the dataset. You can \
     either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE \
     command.",
);
pub(crate) const READONLY: Frame = literal("READONLY You can't write against a read only replica.");
pub(crate) const NOREPLICAS: Frame = literal("NOREPLICAS Not enough good replicas to write.");
pub(crate) const MASTERDOWN: Frame =
    literal("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");
pub(crate) const NOMASTERLINK: Frame =
    literal("NOMASTERLINK Can't SYNC while not connected with my master");
pub(crate) const EXECABORT: Frame =
    literal("EXECABORT Transaction discarded because of previous errors.");
pub(crate) const UNBLOCKED: Frame = literal(
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
);
pub(crate) const BAD_CLIENT_NAME: Frame =
    literal("ERR Client names cannot contain spaces, newlines or special characters.");
pub(crate) const NO_CONFIG_FILE: Frame = literal("ERR The server is running without a config file");
pub(crate) const QUEUED: Frame = Frame::simple("QUEUED");

/// An error from a literal.
pub(crate) const fn literal(text: &'static str) -> Frame {
    Frame::Error(Bytes::from_static(text.as_bytes()))
}

/// An error with typed-in parts; bytes that are no text are shown as replacement characters.
pub(crate) fn error(text: String) -> Frame {
    Frame::Error(text.into())
}

/// Typed-in bytes for an error text.
pub(crate) fn shown(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
