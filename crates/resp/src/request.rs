//! Requests: the server side of a connection.

use bytes::{Buf, Bytes, BytesMut};

use crate::limits::{
    REQUEST_ARGS_MAX, REQUEST_LINE_MAX, UNAUTHENTICATED_ARGS_MAX, UNAUTHENTICATED_BULK_MAX,
};
use crate::{ProtocolError, RequestError, RequestLimits, parse_integer, split_words};

/// A command and its arguments; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// The words, the command first.
    pub args: Vec<Bytes>,
}

impl Request {
    /// The command as typed.
    pub fn name(&self) -> &[u8] {
        self.args.first().map_or(&[], |name| &name[..])
    }
}

/// What held no request and was passed over without a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// An empty line, or an array of no arguments.
    pub empty: bool,
    /// A line of blanks.
    pub blank: bool,
}

/// An incremental decoder of requests: arrays of bulk strings and inline commands
/// (spec: interface 1.2, 1.3). Feed bytes, then take requests until there is none.
///
/// Take one request at a time and execute it before the next call: AUTH changes the limits of the
/// bytes that follow it.
#[derive(Debug)]
pub struct RequestDecoder {
    limits: RequestLimits,
    authenticated: bool,
    buffer: BytesMut,
    /// Bytes at the front of the buffer known to hold no line end.
    scanned: usize,
    /// The array in progress.
    array: Option<ArrayInProgress>,
    /// Bytes out of the buffer so far, and how many of them by the last whole request.
    taken: u64,
    consumed: u64,
    passed_over: PassedOver,
    failed: Option<RequestError>,
    /// What was in the buffer when it failed.
    rejected: BytesMut,
}

#[derive(Debug)]
struct ArrayInProgress {
    missing: usize,
    /// Length of the argument whose header has been read.
    bulk_len: Option<usize>,
    args: Vec<Bytes>,
    /// What the arguments cost in memory.
    bytes: usize,
}

/// Memory of an argument besides its bytes.
const ARG_OVERHEAD: usize = size_of::<Bytes>();

impl RequestDecoder {
    /// A decoder for a connection that is, or is not, authenticated from the start.
    pub fn new(limits: RequestLimits, authenticated: bool) -> Self {
        Self {
            limits,
            authenticated,
            buffer: BytesMut::new(),
            scanned: 0,
            array: None,
            taken: 0,
            consumed: 0,
            passed_over: PassedOver::default(),
            failed: None,
            rejected: BytesMut::new(),
        }
    }

    /// Selects the limits of authenticated or unauthenticated connections from here on.
    pub fn set_authenticated(&mut self, authenticated: bool) {
        self.authenticated = authenticated;
    }

    /// Appends bytes as they came from the connection.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The buffer itself, to read into. Only append to it.
    pub fn buffer_mut(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Memory held for bytes not yet returned as a request, for the query-buffer budget.
    pub fn buffered(&self) -> usize {
        self.buffer.len() + self.array.as_ref().map_or(0, |array| array.bytes)
    }

    /// How many bytes all requests returned so far took, with what was ignored before them: the
    /// position in a stream up to which everything is known to be executed.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The next whole request, or `None` until more bytes are fed. After an error every further
    /// call gives the same error.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end at the first `None`")]
    pub fn next(&mut self) -> Result<Option<Request>, RequestError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.decode().inspect_err(|error| {
            self.failed = Some(*error);
            self.rejected = core::mem::take(&mut self.buffer);
            self.array = None;
        })
    }

    /// What was passed over since the last call: it stood before the request that was returned
    /// last, or behind it if there is none yet.
    pub fn take_passed_over(&mut self) -> PassedOver {
        core::mem::take(&mut self.passed_over)
    }

    /// Hands over what was in the buffer when [`RequestDecoder::next`] gave an error: the line that
    /// is wrong, and what came after it.
    pub fn take_rejected(&mut self) -> BytesMut {
        core::mem::take(&mut self.rejected)
    }

    fn decode(&mut self) -> Result<Option<Request>, RequestError> {
        loop {
            let progress = match (&self.array, self.buffer.first()) {
                (Some(_), _) => self.take_argument()?,
                (None, None) => None,
                (None, Some(b'*')) => self.take_count()?,
                (None, Some(_)) => self.take_inline()?,
            };
            match progress {
                None => return self.check_budget().map(|()| None),
                Some(args) if args.is_empty() => {}
                Some(args) => {
                    self.consumed = self.taken;
                    return Ok(Some(Request { args }));
                }
            }
        }
    }

    fn check_budget(&self) -> Result<(), RequestError> {
        let limit = match self.authenticated {
            true => self.limits.max_query_bytes,
            false => self.limits.max_unauthenticated_query_bytes,
        };
        if self.buffered() > limit { Err(RequestError::QueryBufferFull) } else { Ok(()) }
    }

    /// An inline command, or `None` if its line is not complete.
    fn take_inline(&mut self) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        let Some(end) = self.find(b'\n', ProtocolError::TooBigInline)? else {
            return Ok(None);
        };
        let line = &self.buffer[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let words = split_words(line).map_err(|_| ProtocolError::UnbalancedQuotes)?;
        self.passed_over.empty |= line.is_empty();
        self.passed_over.blank |= words.is_empty() && !line.is_empty();
        self.take_line(end + 1);
        Ok(Some(words))
    }

    /// The header of an array. Counts of zero and below are nothing at all.
    fn take_count(&mut self) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        let Some(end) = self.find_header(ProtocolError::TooBigMultibulkCount)? else {
            return Ok(None);
        };
        let count = parse_integer(&self.buffer[1..end])
            .filter(|count| *count <= REQUEST_ARGS_MAX)
            .ok_or(ProtocolError::InvalidMultibulkLength)?;
        if count > UNAUTHENTICATED_ARGS_MAX && !self.authenticated {
            return Err(ProtocolError::UnauthenticatedMultibulkLength);
        }
        self.take_line(end + 2);
        if let Ok(missing @ 1..) = usize::try_from(count) {
            self.array =
                Some(ArrayInProgress { missing, bulk_len: None, args: Vec::new(), bytes: 0 });
        } else {
            self.passed_over.empty = true;
        }
        Ok(Some(Vec::new()))
    }

    /// One step in an array: a header, or a payload. The last payload gives the arguments.
    fn take_argument(&mut self) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        let Some(len) = self.array.as_ref().and_then(|array| array.bulk_len) else {
            return self.take_bulk_len();
        };
        if self.buffer.len() < len + 2 {
            return Ok(None);
        }
        // Otherwise the two bytes after the payload are not looked at (spec: interface 1.2).
        if self.limits.wants_line_ends && &self.buffer[len..len + 2] != b"\r\n" {
            return Err(ProtocolError::InvalidLineEnd);
        }
        // A copy, so that a small argument never keeps a large read buffer alive.
        let arg = Bytes::copy_from_slice(&self.buffer[..len]);
        self.buffer.advance(len + 2);
        self.taken += (len + 2) as u64;
        let Some(array) = &mut self.array else { return Ok(None) };
        array.bytes += len + ARG_OVERHEAD;
        array.bulk_len = None;
        array.missing -= 1;
        array.args.push(arg);
        if array.missing > 0 {
            return Ok(Some(Vec::new()));
        }
        Ok(self.array.take().map(|array| array.args))
    }

    fn take_bulk_len(&mut self) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        let Some(end) = self.find_header(ProtocolError::TooBigBulkCount)? else {
            return Ok(None);
        };
        let line = &self.buffer[..end];
        match line.first() {
            Some(b'$') => {}
            // An empty line starts with its own CR.
            first => return Err(ProtocolError::ExpectedDollar(*first.unwrap_or(&b'\r'))),
        }
        let len = parse_integer(&line[1..])
            .filter(|len| usize::try_from(*len).is_ok_and(|len| len <= self.limits.max_bulk_len))
            .ok_or(ProtocolError::InvalidBulkLength)?;
        if len > UNAUTHENTICATED_BULK_MAX && !self.authenticated {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        self.take_line(end + 2);
        if let Some(array) = &mut self.array {
            array.bulk_len = usize::try_from(len).ok();
        }
        Ok(Some(Vec::new()))
    }

    /// A line that was understood leaves the buffer.
    fn take_line(&mut self, len: usize) {
        self.buffer.advance(len);
        self.taken += len as u64;
    }

    /// Where CR ends a line; the byte after CR is awaited but not looked at.
    fn find_header(&mut self, too_big: ProtocolError) -> Result<Option<usize>, ProtocolError> {
        match self.find(b'\r', too_big)? {
            Some(end) if self.buffer.len() >= end + 2 => Ok(Some(end)),
            // Found again when the missing byte is there.
            Some(end) => {
                self.scanned = end;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Where a line ends. The reference judges the length by what one read happened to bring; here
    /// the end must be within the first 64 KiB and one byte, however the bytes were cut.
    ///
    /// As in the reference a NUL byte hides the end of its line: the connection waits, and fails
    /// when 64 KiB have gathered.
    fn find(&mut self, end: u8, too_big: ProtocolError) -> Result<Option<usize>, ProtocolError> {
        let window = self.buffer.len().min(REQUEST_LINE_MAX + 1);
        let found = memchr::memchr2(end, 0, &self.buffer[self.scanned..window]);
        let stop = found.map_or(window, |found| self.scanned + found);
        if stop < window && self.buffer[stop] == end {
            self.scanned = 0;
            return Ok(Some(stop));
        }
        self.scanned = stop;
        if window > REQUEST_LINE_MAX { Err(too_big) } else { Ok(None) }
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
