//! Frames: whatever is written is read again, in RESP3 as it was, in RESP2 as its counterpart.
//!
//! Input: a tape of values.

use bytes::Bytes;
use vedette_resp::{Frame, Verbatim};

use crate::{Tape, frames};

/// As deep as a node or a Sentinel ever nests.
const DEPTH_MAX: usize = 6;

/// The trial.
pub fn run(data: &[u8]) {
    frames::survives(&frame(&mut Tape::new(data), 0));
}

fn frame(tape: &mut Tape<'_>, depth: usize) -> Frame {
    let kinds = if depth < DEPTH_MAX { 15 } else { 11 };
    match tape.below(kinds) {
        0 => Frame::Null,
        1 => Frame::Simple(text(tape)),
        2 => Frame::Error(text(tape)),
        3 => Frame::Integer(tape.number().cast_signed()),
        4 => Frame::Bulk(text(tape)),
        5 => Frame::NullArray,
        6 => Frame::double(f64::from_bits(tape.number())),
        7 => Frame::Boolean(tape.flag()),
        8 => {
            let format = [tape.byte(), tape.byte(), tape.byte()];
            Frame::Verbatim(Verbatim { format, text: text(tape) })
        }
        9 => Frame::BigNumber(tape.number().to_string().into()),
        10 => Frame::BlobError(text(tape)),
        11 => Frame::Array(items(tape, depth)),
        12 => Frame::Set(items(tape, depth)),
        13 => Frame::Push(items(tape, depth)),
        _ => {
            let pair = |tape: &mut Tape<'_>| (frame(tape, depth + 1), frame(tape, depth + 1));
            let count = tape.below(5);
            Frame::Map((0..count).map(|_| pair(tape)).collect())
        }
    }
}

fn items(tape: &mut Tape<'_>, depth: usize) -> Vec<Frame> {
    let count = tape.below(6);
    (0..count).map(|_| frame(tape, depth + 1)).collect()
}

fn text(tape: &mut Tape<'_>) -> Bytes {
    Bytes::copy_from_slice(tape.chunk())
}
