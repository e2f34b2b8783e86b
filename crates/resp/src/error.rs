//! What can be wrong with bytes.

use core::fmt;

use thiserror::Error;

/// A reply that cannot be read. The connection is of no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The first byte of a value is none of the known types.
    #[error("unknown reply type byte 0x{0:02x}")]
    UnknownType(u8),
    /// A length, count or integer is not a number in range.
    #[error("invalid number in a reply")]
    InvalidNumber,
    /// A boolean, null, double, big number or verbatim string is malformed.
    #[error("malformed value in a reply")]
    InvalidValue,
    /// A line or payload does not end in CR LF.
    #[error("missing line end in a reply")]
    MissingLineEnd,
    /// A line is longer than [`crate::ReplyLimits::max_line_len`].
    #[error("line in a reply is too long")]
    LineTooLong,
    /// A payload is longer than [`crate::ReplyLimits::max_bulk_len`].
    #[error("bulk string in a reply is too long")]
    BulkTooLong,
    /// Aggregates nest deeper than [`crate::ReplyLimits::max_depth`].
    #[error("reply is nested too deeply")]
    TooDeep,
    /// More values than [`crate::ReplyLimits::max_elements`].
    #[error("reply has too many elements")]
    TooManyElements,
    /// More bytes than [`crate::ReplyLimits::max_frame_bytes`].
    #[error("reply is too large")]
    TooLarge,
}

/// A request that ends its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// Answer `-ERR Protocol error: …`, then close (spec: interface 1.3).
    #[error("Protocol error: {0}")]
    Protocol(#[from] ProtocolError),
    /// Close without an answer (spec: interface 1.4).
    #[error("query buffer limit reached")]
    QueryBufferFull,
}

/// The protocol errors of the reference; `Display` is the text after `-ERR Protocol error: `
/// (spec: interface 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// An inline line of 64 KiB without its end.
    TooBigInline,
    /// An inline line with a quote that is not closed, or not followed by a blank.
    UnbalancedQuotes,
    /// A `*` header of 64 KiB without its end.
    TooBigMultibulkCount,
    /// A `*` count that is not a number, or too large.
    InvalidMultibulkLength,
    /// A `$` header of 64 KiB without its end.
    TooBigBulkCount,
    /// An element that starts with this byte instead of `$`.
    ExpectedDollar(u8),
    /// A `$` length that is not a number, negative, or too large.
    InvalidBulkLength,
    /// Something else than CR LF after an argument
    /// ([`crate::RequestLimits::wants_line_ends`]).
    InvalidLineEnd,
    /// More than ten arguments before authentication.
    UnauthenticatedMultibulkLength,
    /// An argument above 16 KiB before authentication.
    UnauthenticatedBulkLength,
}

impl ProtocolError {
    /// The error line to send, without the leading dash and the line end. CR and LF are already
    /// blanks; the offending byte is kept as it came, which `Display` cannot do above 0x7f.
    pub fn reply_text(&self) -> Vec<u8> {
        let mut text = b"ERR Protocol error: ".to_vec();
        match *self {
            ProtocolError::ExpectedDollar(byte) => {
                text.extend_from_slice(b"expected '$', got '");
                text.push(printable(byte));
                text.push(b'\'');
            }
            _ => text.extend_from_slice(self.to_string().as_bytes()),
        }
        text
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match *self {
            ProtocolError::TooBigInline => "too big inline request",
            ProtocolError::UnbalancedQuotes => "unbalanced quotes in request",
            ProtocolError::TooBigMultibulkCount => "too big mbulk count string",
            ProtocolError::InvalidMultibulkLength => "invalid multibulk length",
            ProtocolError::TooBigBulkCount => "too big bulk count string",
            ProtocolError::ExpectedDollar(byte) => {
                return write!(f, "expected '$', got '{}'", printable(byte) as char);
            }
            ProtocolError::InvalidBulkLength => "invalid bulk length",
            ProtocolError::InvalidLineEnd => "invalid CRLF in request",
            ProtocolError::UnauthenticatedMultibulkLength => "unauthenticated multibulk length",
            ProtocolError::UnauthenticatedBulkLength => "unauthenticated bulk length",
        };
        f.write_str(text)
    }
}

impl core::error::Error for ProtocolError {}

/// CR and LF cannot stand in an error line.
fn printable(byte: u8) -> u8 {
    if byte == b'\r' || byte == b'\n' { b' ' } else { byte }
}
