//! Bytes to RESP2, RESP3 and inline commands, and back.
//!
//! * [`ReplyDecoder`] reads what a server answers: the side of a link to a node.
//! * [`RequestDecoder`] reads what a client asks: the side of a listener.
//! * [`encode_command`] and [`encode_frame`] write; [`encode_bulk`] and its relatives write the
//!   parts of a long reply without a [`Frame`].
//!
//! Everything here faces hostile bytes. Decoders are loops, not recursions; nothing is allocated
//! from a declared length, only from bytes that have arrived; and every quantity has a limit in
//! [`ReplyLimits`] or [`RequestLimits`]. The result never depends on how the bytes were cut.

mod frame;
pub use frame::{Frame, Verbatim};

mod limits;
pub use limits::{ReplyLimits, RequestLimits};

mod error;
pub use error::{DecodeError, ProtocolError, RequestError};

mod reply;
pub use reply::ReplyDecoder;

mod request;
pub use request::{PassedOver, Request, RequestDecoder};

mod inline;
pub use inline::{UnbalancedQuotes, split_words};

mod integer;
pub use integer::parse_integer;

mod encode;
pub use encode::{
    Protocol, encode_array_len, encode_bulk, encode_bulk_number, encode_command, encode_frame,
    encode_map_len, encode_push_len,
};
