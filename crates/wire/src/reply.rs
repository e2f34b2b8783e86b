//! Replies: the tree that is rendered in RESP2 or RESP3, and how its parts are made.

use bytes::Bytes;
pub use vedette_resp::Frame as Reply;

/// A bulk string that is known beforehand.
#[must_use]
pub fn word(text: &'static str) -> Reply {
    Reply::Bulk(Bytes::from_static(text.as_bytes()))
}

/// A bulk string.
#[must_use]
pub fn bulk(text: impl AsRef<[u8]>) -> Reply {
    Reply::Bulk(Bytes::copy_from_slice(text.as_ref()))
}

/// A number as a bulk string: how instance entries spell numbers (spec: interface 3).
#[must_use]
pub fn number(value: impl ToString) -> Reply {
    Reply::Bulk(value.to_string().into())
}

/// An integer reply of a count.
#[must_use]
pub fn count(value: usize) -> Reply {
    Reply::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

/// An error reply; `text` starts with its code, as in `ERR syntax error`.
#[must_use]
pub fn error(text: impl Into<Bytes>) -> Reply {
    Reply::Error(text.into())
}

/// An error reply that echoes what a client typed: bytes stay as they are.
#[must_use]
pub fn error_with(parts: &[&[u8]]) -> Reply {
    Reply::Error(parts.concat().into())
}

/// `-ERR syntax error`
#[must_use]
pub fn syntax_error() -> Reply {
    error("ERR syntax error")
}

/// `-ERR value is not an integer or out of range`
#[must_use]
pub fn not_an_integer() -> Reply {
    error("ERR value is not an integer or out of range")
}

/// **NSM** of interface 2.
#[must_use]
pub fn no_such_master() -> Reply {
    error("ERR No such master with that name")
}
