//! Requests: any bytes in any pieces give what they give as a whole, within the limits; what was
//! read is read again when it is written.
//!
//! Input: options, cuts, then the stream.

use bytes::{Bytes, BytesMut};
use vedette_resp::{Request, RequestDecoder, RequestError, RequestLimits, encode_command};

use crate::{Cuts, Tape, shown};

const TIGHT: RequestLimits = RequestLimits {
    max_bulk_len: 40,
    max_query_bytes: 400,
    max_unauthenticated_query_bytes: 90,
    wants_line_ends: true,
};

/// What a stream gave.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    requests: Vec<Request>,
    /// Position in the stream behind each request.
    consumed: Vec<u64>,
    error: Option<RequestError>,
}

/// How the stream is read.
#[derive(Clone, Copy)]
struct How {
    limits: RequestLimits,
    /// Authenticated from this request on.
    authenticated_from: usize,
}

/// The trial.
pub fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let options = tape.byte();
    let cuts = Cuts::new(tape.byte());
    let stream = tape.rest();
    let limits = if options & 1 == 1 { TIGHT } else { RequestLimits::default() };
    let how = How { limits, authenticated_from: usize::from(options >> 1 & 3) };

    let whole = read(&[stream], how);
    let pieces: Vec<&[u8]> = cuts.of(stream).collect();
    let cut = read(&pieces, how);
    if whole.error == Some(RequestError::QueryBufferFull)
        || cut.error == Some(RequestError::QueryBufferFull)
    {
        // A request that came whole was never waited for: only what came before is the same.
        let both = whole.requests.len().min(cut.requests.len());
        assert_eq!(whole.requests[..both], cut.requests[..both], "{}", shown(data));
    } else {
        assert_eq!(cut, whole, "{}", shown(data));
    }
    whole.requests.iter().for_each(reads_back);
}

fn read(pieces: &[&[u8]], how: How) -> Read {
    let mut decoder = RequestDecoder::new(how.limits, how.authenticated_from == 0);
    let mut read = Read { requests: Vec::new(), consumed: Vec::new(), error: None };
    let mut fed = 0;
    for piece in pieces {
        decoder.feed(piece);
        fed += piece.len() as u64;
        loop {
            decoder.set_authenticated(read.requests.len() >= how.authenticated_from);
            match decoder.next() {
                Ok(Some(request)) => {
                    assert!(!request.args.is_empty());
                    assert!(decoder.consumed() <= fed);
                    read.requests.push(request);
                    read.consumed.push(decoder.consumed());
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next(), Err(error), "an error stays");
                    assert_eq!(decoder.buffered(), 0, "nothing is kept behind an error");
                    read.error = Some(error);
                    return read;
                }
            }
        }
        let limit = match read.requests.len() >= how.authenticated_from {
            true => how.limits.max_query_bytes,
            false => how.limits.max_unauthenticated_query_bytes,
        };
        assert!(decoder.buffered() <= limit, "{} bytes are kept", decoder.buffered());
    }
    read
}

fn reads_back(request: &Request) {
    let words: Vec<&[u8]> = request.args.iter().map(Bytes::as_ref).collect();
    let mut written = BytesMut::new();
    encode_command(&mut written, &words);
    let how = How { limits: RequestLimits::default(), authenticated_from: 0 };
    let again = read(&[&written], how);
    assert_eq!(again.requests, std::slice::from_ref(request));
    assert_eq!((again.consumed[0], again.error), (written.len() as u64, None));
}
