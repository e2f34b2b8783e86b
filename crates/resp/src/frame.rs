//! One value as it crosses the wire.

use bytes::Bytes;

/// An owned reply value of RESP2 or RESP3. Attributes are dropped while decoding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Frame {
    /// `+text`
    Simple(Bytes),
    /// `-CODE text`, without the dash.
    Error(Bytes),
    /// `:n`
    Integer(i64),
    /// `$n`
    Bulk(Bytes),
    /// `$-1` in RESP2, `_` in RESP3.
    Null,
    /// `*-1`, the null of an aggregate in RESP2; written as `_` in RESP3.
    NullArray,
    /// `*n`
    Array(Vec<Frame>),
    /// `%n`; a flat array in RESP2.
    Map(Vec<(Frame, Frame)>),
    /// `~n`; an array in RESP2.
    Set(Vec<Frame>),
    /// `>n`; an array in RESP2.
    Push(Vec<Frame>),
    /// `,x`: the text as sent, known to be a number; a bulk string in RESP2.
    Double(Bytes),
    /// `#t` or `#f`; `:1` or `:0` in RESP2.
    Boolean(bool),
    /// `=n`; a bulk string without the format in RESP2.
    Verbatim(Verbatim),
    /// `(n`: decimal digits of any length; a bulk string in RESP2.
    BigNumber(Bytes),
    /// `!n`; a plain error in RESP2.
    BlobError(Bytes),
}

/// A text with a three-letter format, such as `txt`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Verbatim {
    /// `txt` or `mkd` in practice.
    pub format: [u8; 3],
    /// The text itself.
    pub text: Bytes,
}

impl Frame {
    /// The frame `+OK`.
    pub const OK: Frame = Frame::Simple(Bytes::from_static(b"OK"));

    /// A simple string from a literal.
    pub const fn simple(text: &'static str) -> Frame {
        Frame::Simple(Bytes::from_static(text.as_bytes()))
    }

    /// An error; `text` includes the code, as in `ERR syntax error`.
    pub fn error(text: impl Into<Bytes>) -> Frame {
        Frame::Error(text.into())
    }

    /// A bulk string.
    pub fn bulk(bytes: impl Into<Bytes>) -> Frame {
        Frame::Bulk(bytes.into())
    }

    /// A double in the shortest text that reads back the same.
    pub fn double(value: f64) -> Frame {
        let text = if value.is_nan() {
            "nan".to_owned()
        } else if value.is_infinite() {
            if value > 0.0 { "inf".to_owned() } else { "-inf".to_owned() }
        } else {
            value.to_string()
        };
        Frame::Double(text.into())
    }

    /// A verbatim string of format `txt`.
    pub fn verbatim(text: impl Into<Bytes>) -> Frame {
        Frame::Verbatim(Verbatim { format: *b"txt", text: text.into() })
    }

    /// Whether this is a null of either kind.
    pub fn is_null(&self) -> bool {
        matches!(self, Frame::Null | Frame::NullArray)
    }

    /// Whether this is an error of either kind.
    pub fn is_error(&self) -> bool {
        matches!(self, Frame::Error(_) | Frame::BlobError(_))
    }

    /// The text of any kind of string or error, and nothing else.
    pub fn text(&self) -> Option<&Bytes> {
        match self {
            Frame::Simple(text)
            | Frame::Error(text)
            | Frame::Bulk(text)
            | Frame::Double(text)
            | Frame::Verbatim(Verbatim { text, .. })
            | Frame::BigNumber(text)
            | Frame::BlobError(text) => Some(text),
            Frame::Integer(_)
            | Frame::Null
            | Frame::NullArray
            | Frame::Array(_)
            | Frame::Map(_)
            | Frame::Set(_)
            | Frame::Push(_)
            | Frame::Boolean(_) => None,
        }
    }

    /// The elements of an array, set or push.
    pub fn items(&self) -> Option<&[Frame]> {
        match self {
            Frame::Array(items) | Frame::Set(items) | Frame::Push(items) => Some(items),
            Frame::Simple(_)
            | Frame::Error(_)
            | Frame::Integer(_)
            | Frame::Bulk(_)
            | Frame::Null
            | Frame::NullArray
            | Frame::Map(_)
            | Frame::Double(_)
            | Frame::Boolean(_)
            | Frame::Verbatim(_)
            | Frame::BigNumber(_)
            | Frame::BlobError(_) => None,
        }
    }
}
