//! Replies: any bytes in any pieces give what they give as a whole, within the limits; what was
//! read is read again when it is written.
//!
//! Input: options, cuts, then the stream.

use vedette_resp::{DecodeError, Frame, ReplyDecoder, ReplyLimits};

use crate::{Cuts, Tape, frames, shown};

const TIGHT: ReplyLimits = ReplyLimits {
    max_depth: 3,
    max_bulk_len: 12,
    max_line_len: 8,
    max_elements: 6,
    max_frame_bytes: 24,
};

/// The trial.
pub fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let limits = if tape.flag() { TIGHT } else { ReplyLimits::default() };
    let cuts = Cuts::new(tape.byte());
    let stream = tape.rest();

    let whole = read(&[stream], limits);
    let pieces: Vec<&[u8]> = cuts.of(stream).collect();
    assert_eq!(read(&pieces, limits), whole, "{}", shown(data));
    whole.0.iter().for_each(frames::survives);
}

fn read(pieces: &[&[u8]], limits: ReplyLimits) -> (Vec<Frame>, Option<DecodeError>) {
    let mut decoder = ReplyDecoder::new(limits);
    let (mut read, mut fed) = (Vec::new(), 0);
    for piece in pieces {
        decoder.feed(piece);
        fed += piece.len();
        loop {
            assert!(decoder.buffered() <= fed, "{} of {fed} bytes", decoder.buffered());
            match decoder.next() {
                Ok(Some(frame)) => {
                    is_within(&frame, limits, 0);
                    read.push(frame);
                }
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(decoder.next(), Err(error), "an error stays");
                    return (read, Some(error));
                }
            }
        }
        let most = limits.max_frame_bytes + limits.max_line_len;
        assert!(decoder.buffered() <= most, "{} bytes are kept", decoder.buffered());
    }
    (read, None)
}

/// Counts the values of a frame while it checks its depth.
fn is_within(frame: &Frame, limits: ReplyLimits, depth: usize) -> usize {
    assert!(depth <= limits.max_depth);
    let inner: usize = match frame {
        Frame::Array(items) | Frame::Set(items) | Frame::Push(items) => {
            items.iter().map(|item| is_within(item, limits, depth + 1)).sum()
        }
        Frame::Map(pairs) => {
            let values = pairs.iter().flat_map(|(key, value)| [key, value]);
            values.map(|item| is_within(item, limits, depth + 1)).sum()
        }
        Frame::Simple(_)
        | Frame::Error(_)
        | Frame::Integer(_)
        | Frame::Bulk(_)
        | Frame::Null
        | Frame::NullArray
        | Frame::Double(_)
        | Frame::Boolean(_)
        | Frame::Verbatim(_)
        | Frame::BigNumber(_)
        | Frame::BlobError(_) => 0,
    };
    assert!(inner < limits.max_elements);
    inner + 1
}
