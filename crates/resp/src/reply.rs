//! Replies: the client side of a connection.

use bytes::{Buf, Bytes, BytesMut};

use crate::{DecodeError, Frame, ReplyLimits, Verbatim, parse_integer};

/// An incremental decoder of replies. Feed bytes, then take frames until there is none.
///
/// ```
/// use vedette_resp::{Frame, ReplyDecoder};
/// let mut decoder = ReplyDecoder::default();
/// decoder.feed(b"+PO");
/// assert_eq!(decoder.next(), Ok(None));
/// decoder.feed(b"NG\r\n");
/// assert_eq!(decoder.next(), Ok(Some(Frame::simple("PONG"))));
/// ```
#[derive(Debug, Default)]
pub struct ReplyDecoder {
    limits: ReplyLimits,
    buffer: BytesMut,
    /// Bytes at the front of the buffer known to hold no line end.
    scanned: usize,
    /// The aggregates that are open, outermost first.
    open: Vec<Aggregate>,
    /// A payload whose header has been read.
    payload: Option<(PayloadKind, usize)>,
    /// Of the reply in progress, what is already out of the buffer, with the payload that is
    /// awaited.
    taken_bytes: usize,
    taken_elements: usize,
    failed: Option<DecodeError>,
}

#[derive(Clone, Copy, Debug)]
enum PayloadKind {
    Bulk,
    Verbatim,
    BlobError,
}

#[derive(Clone, Copy, Debug)]
enum AggregateKind {
    Array,
    Map,
    Set,
    Push,
    /// Read, and thrown away.
    Attribute,
}

#[derive(Debug)]
struct Aggregate {
    kind: AggregateKind,
    missing: usize,
    items: Vec<Frame>,
}

/// What one step over the buffer gave.
enum Step {
    NeedMore,
    /// A header of a payload or aggregate: go on.
    Header,
    Value(Frame),
}

impl ReplyDecoder {
    /// A decoder with other limits than the default ones.
    pub fn new(limits: ReplyLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Appends bytes as they came from the connection.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The buffer itself, to read into. Only append to it.
    pub fn buffer_mut(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Bytes fed and not yet part of a returned frame.
    pub fn buffered(&self) -> usize {
        // A payload counts against the limits before it is there.
        let awaited = self.payload.map_or(0, |(_, len)| len + 2);
        self.buffer.len() + self.taken_bytes - awaited
    }

    /// The next whole reply, or `None` until more bytes are fed. After an error every further call
    /// gives the same error.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end at the first `None`")]
    pub fn next(&mut self) -> Result<Option<Frame>, DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.decode().inspect_err(|error| {
            self.failed = Some(*error);
            self.buffer = BytesMut::new();
            self.open = Vec::new();
        })
    }

    fn decode(&mut self) -> Result<Option<Frame>, DecodeError> {
        loop {
            let step = match self.payload {
                Some((kind, len)) => self.take_payload(kind, len)?,
                None => self.take_line()?,
            };
            let mut done = match step {
                Step::NeedMore => return Ok(None),
                Step::Header => None,
                Step::Value(frame) => self.place(frame),
            };
            while done.is_none() {
                match self.close_full() {
                    Some(Some(frame)) => done = self.place(frame),
                    Some(None) => {}
                    None => break,
                }
            }
            if done.is_some() {
                self.taken_bytes = 0;
                self.taken_elements = 0;
                return Ok(done);
            }
        }
    }

    /// Puts a value into the innermost aggregate; gives it back if none is open.
    fn place(&mut self, frame: Frame) -> Option<Frame> {
        let Some(aggregate) = self.open.last_mut() else {
            return Some(frame);
        };
        aggregate.missing -= 1;
        if !matches!(aggregate.kind, AggregateKind::Attribute) {
            aggregate.items.push(frame);
        }
        None
    }

    /// Closes the innermost aggregate if nothing is missing. An attribute closes into nothing.
    fn close_full(&mut self) -> Option<Option<Frame>> {
        if self.open.last()?.missing > 0 {
            return None;
        }
        let Aggregate { kind, items, .. } = self.open.pop()?;
        Some(match kind {
            AggregateKind::Array => Some(Frame::Array(items)),
            AggregateKind::Set => Some(Frame::Set(items)),
            AggregateKind::Push => Some(Frame::Push(items)),
            AggregateKind::Map => Some(Frame::Map(pairs(items))),
            AggregateKind::Attribute => None,
        })
    }

    fn take_payload(&mut self, kind: PayloadKind, len: usize) -> Result<Step, DecodeError> {
        if self.buffer.len() < len + 2 {
            return Ok(Step::NeedMore);
        }
        if &self.buffer[len..len + 2] != b"\r\n" {
            return Err(DecodeError::MissingLineEnd);
        }
        self.payload = None;
        // A copy, so that a small value never keeps a large read buffer alive.
        let bytes = Bytes::copy_from_slice(&self.buffer[..len]);
        self.buffer.advance(len + 2);
        Ok(Step::Value(match kind {
            PayloadKind::Bulk => Frame::Bulk(bytes),
            PayloadKind::BlobError => Frame::BlobError(bytes),
            PayloadKind::Verbatim => verbatim(bytes)?,
        }))
    }

    fn take_line(&mut self) -> Result<Step, DecodeError> {
        let window = self.buffer.len().min(self.limits.max_line_len);
        let Some(found) = memchr::memchr(b'\n', &self.buffer[self.scanned..window]) else {
            self.scanned = window;
            if window == self.limits.max_line_len {
                return Err(DecodeError::LineTooLong);
            }
            return Ok(Step::NeedMore);
        };
        let end = self.scanned + found;
        self.scanned = 0;
        let line = self.buffer.split_to(end + 1);
        let [kind, text @ .., b'\r', b'\n'] = &line[..] else {
            return Err(DecodeError::MissingLineEnd);
        };
        self.count(1, line.len())?;
        self.open_value(*kind, text)
    }

    /// Counts elements and bytes against the limits of one reply.
    fn count(&mut self, elements: usize, bytes: usize) -> Result<(), DecodeError> {
        self.taken_elements += elements;
        self.taken_bytes += bytes;
        if self.taken_elements > self.limits.max_elements {
            return Err(DecodeError::TooManyElements);
        }
        if self.taken_bytes > self.limits.max_frame_bytes {
            return Err(DecodeError::TooLarge);
        }
        Ok(())
    }

    fn open_value(&mut self, kind: u8, text: &[u8]) -> Result<Step, DecodeError> {
        let copy = || Bytes::copy_from_slice(text);
        match kind {
            b'+' => Ok(Step::Value(Frame::Simple(copy()))),
            b'-' => Ok(Step::Value(Frame::Error(copy()))),
            b':' => integer(text).map(|value| Step::Value(Frame::Integer(value))),
            b'$' => self.open_payload(PayloadKind::Bulk, text),
            b'=' => self.open_payload(PayloadKind::Verbatim, text),
            b'!' => self.open_payload(PayloadKind::BlobError, text),
            b'*' => self.open_aggregate(AggregateKind::Array, text),
            b'%' => self.open_aggregate(AggregateKind::Map, text),
            b'~' => self.open_aggregate(AggregateKind::Set, text),
            b'>' => self.open_aggregate(AggregateKind::Push, text),
            b'|' => self.open_aggregate(AggregateKind::Attribute, text),
            b'_' if text.is_empty() => Ok(Step::Value(Frame::Null)),
            b'#' if text == b"t" => Ok(Step::Value(Frame::Boolean(true))),
            b'#' if text == b"f" => Ok(Step::Value(Frame::Boolean(false))),
            b',' if is_double(text) => Ok(Step::Value(Frame::Double(copy()))),
            b'(' if is_big_number(text) => Ok(Step::Value(Frame::BigNumber(copy()))),
            b'_' | b'#' | b',' | b'(' => Err(DecodeError::InvalidValue),
            other => Err(DecodeError::UnknownType(other)),
        }
    }

    fn open_payload(&mut self, kind: PayloadKind, text: &[u8]) -> Result<Step, DecodeError> {
        let declared = integer(text)?;
        if declared == -1 && matches!(kind, PayloadKind::Bulk) {
            return Ok(Step::Value(Frame::Null));
        }
        let len = usize::try_from(declared).map_err(|_| DecodeError::InvalidNumber)?;
        if len > self.limits.max_bulk_len {
            return Err(DecodeError::BulkTooLong);
        }
        self.count(0, len + 2)?;
        self.payload = Some((kind, len));
        Ok(Step::Header)
    }

    fn open_aggregate(&mut self, kind: AggregateKind, text: &[u8]) -> Result<Step, DecodeError> {
        let declared = integer(text)?;
        if declared == -1 && matches!(kind, AggregateKind::Array) {
            return Ok(Step::Value(Frame::NullArray));
        }
        let count = usize::try_from(declared).map_err(|_| DecodeError::InvalidNumber)?;
        let values = match kind {
            AggregateKind::Map | AggregateKind::Attribute => count.saturating_mul(2),
            AggregateKind::Array | AggregateKind::Set | AggregateKind::Push => count,
        };
        if values > self.limits.max_elements {
            return Err(DecodeError::TooManyElements);
        }
        if self.open.len() >= self.limits.max_depth {
            return Err(DecodeError::TooDeep);
        }
        self.open.push(Aggregate { kind, missing: values, items: Vec::new() });
        Ok(Step::Header)
    }
}

fn integer(text: &[u8]) -> Result<i64, DecodeError> {
    parse_integer(text).ok_or(DecodeError::InvalidNumber)
}

fn pairs(items: Vec<Frame>) -> Vec<(Frame, Frame)> {
    let mut items = items.into_iter();
    let mut pairs = Vec::with_capacity(items.len() / 2);
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        pairs.push((key, value));
    }
    pairs
}

fn verbatim(bytes: Bytes) -> Result<Frame, DecodeError> {
    match bytes[..] {
        [a, b, c, b':', ..] => {
            Ok(Frame::Verbatim(Verbatim { format: [a, b, c], text: bytes.slice(4..) }))
        }
        _ => Err(DecodeError::InvalidValue),
    }
}

fn is_double(text: &[u8]) -> bool {
    str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok())
}

fn is_big_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
