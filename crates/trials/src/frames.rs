//! What becomes of a frame that is written and read.

use bytes::{Bytes, BytesMut};
use vedette_resp::{Frame, Protocol, ReplyDecoder, encode_frame};

/// A frame that is written comes back: as itself in RESP3, as its older counterpart in RESP2.
pub(crate) fn survives(frame: &Frame) {
    assert_eq!(read_one(&written(frame, Protocol::Resp3)), in_resp3(frame));
    assert_eq!(read_one(&written(frame, Protocol::Resp2)), in_resp2(frame));
}

/// The frame as bytes.
pub(crate) fn written(frame: &Frame, protocol: Protocol) -> BytesMut {
    let mut out = BytesMut::new();
    encode_frame(&mut out, frame, protocol);
    out
}

/// All frames of a stream, which must be complete and without an error.
pub(crate) fn read_all(bytes: &[u8]) -> Vec<Frame> {
    let mut decoder = ReplyDecoder::default();
    decoder.feed(bytes);
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next().expect("replies") {
        frames.push(frame);
    }
    assert_eq!(decoder.buffered(), 0, "a reply is cut off: {}", bytes.escape_ascii());
    frames
}

fn read_one(bytes: &[u8]) -> Frame {
    let mut frames = read_all(bytes);
    assert_eq!(frames.len(), 1, "{}", bytes.escape_ascii());
    frames.remove(0)
}

/// CR and LF cannot stand in a line.
fn line(text: &Bytes) -> Bytes {
    text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect()
}

fn in_resp3(frame: &Frame) -> Frame {
    let all = |items: &[Frame]| items.iter().map(in_resp3).collect();
    match frame {
        Frame::Simple(text) => Frame::Simple(line(text)),
        Frame::Error(text) => Frame::Error(line(text)),
        Frame::Null | Frame::NullArray => Frame::Null,
        Frame::Array(items) => Frame::Array(all(items)),
        Frame::Set(items) => Frame::Set(all(items)),
        Frame::Push(items) => Frame::Push(all(items)),
        Frame::Map(pairs) => {
            Frame::Map(pairs.iter().map(|(key, value)| (in_resp3(key), in_resp3(value))).collect())
        }
        Frame::Integer(_)
        | Frame::Bulk(_)
        | Frame::Double(_)
        | Frame::Boolean(_)
        | Frame::Verbatim(_)
        | Frame::BigNumber(_)
        | Frame::BlobError(_) => frame.clone(),
    }
}

fn in_resp2(frame: &Frame) -> Frame {
    match frame {
        Frame::Simple(text) => Frame::Simple(line(text)),
        Frame::Error(text) | Frame::BlobError(text) => Frame::Error(line(text)),
        Frame::Integer(_) | Frame::Bulk(_) | Frame::Null | Frame::NullArray => frame.clone(),
        Frame::Array(items) | Frame::Set(items) | Frame::Push(items) => {
            Frame::Array(items.iter().map(in_resp2).collect())
        }
        Frame::Map(pairs) => {
            let items = pairs.iter().flat_map(|(key, value)| [in_resp2(key), in_resp2(value)]);
            Frame::Array(items.collect())
        }
        Frame::Double(text) | Frame::BigNumber(text) => Frame::Bulk(text.clone()),
        Frame::Boolean(value) => Frame::Integer(i64::from(*value)),
        Frame::Verbatim(verbatim) => Frame::Bulk(verbatim.text.clone()),
    }
}
