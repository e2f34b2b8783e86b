use super::ReplyDecoder;
use crate::{DecodeError, Frame, ReplyLimits};

fn decode(bytes: &[u8]) -> Result<Option<Frame>, DecodeError> {
    let mut decoder = ReplyDecoder::default();
    decoder.feed(bytes);
    decoder.next()
}

#[test]
fn each_type_is_read() {
    let one = || Frame::Integer(1);
    let cases: Vec<(&[u8], Frame)> = vec![
        (b"+OK\r\n", Frame::OK),
        (b"-ERR no\r\n", Frame::error("ERR no")),
        (b":-7\r\n", Frame::Integer(-7)),
        (b"$3\r\na\r\n\r\n", Frame::bulk("a\r\n")),
        (b"$-1\r\n", Frame::Null),
        (b"_\r\n", Frame::Null),
        (b"*-1\r\n", Frame::NullArray),
        (b"*0\r\n", Frame::Array(vec![])),
        (b"*2\r\n*1\r\n:1\r\n:1\r\n", Frame::Array(vec![Frame::Array(vec![one()]), one()])),
        (b"%1\r\n:1\r\n*0\r\n", Frame::Map(vec![(one(), Frame::Array(vec![]))])),
        (b"~1\r\n:1\r\n", Frame::Set(vec![one()])),
        (b">1\r\n:1\r\n", Frame::Push(vec![one()])),
        (b",-inf\r\n", Frame::Double("-inf".into())),
        (b"#f\r\n", Frame::Boolean(false)),
        (b"=6\r\ntxt:hi\r\n", Frame::verbatim("hi")),
        (b"(-123456789012345678901\r\n", Frame::BigNumber("-123456789012345678901".into())),
        (b"!5\r\nERR x\r\n", Frame::BlobError("ERR x".into())),
        (b"|1\r\n+ttl\r\n:5\r\n:1\r\n", one()),
        (b"*1\r\n|1\r\n+ttl\r\n*0\r\n:1\r\n", Frame::Array(vec![one()])),
    ];
    for (bytes, frame) in cases {
        assert_eq!(decode(bytes), Ok(Some(frame)), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn malformed_replies_are_refused() {
    let cases: [(&[u8], DecodeError); 12] = [
        (b"PING\r\n", DecodeError::UnknownType(b'P')),
        (b"+OK\n", DecodeError::MissingLineEnd),
        (b"\n", DecodeError::MissingLineEnd),
        (b"$1\r\nabc", DecodeError::MissingLineEnd),
        (b":x\r\n", DecodeError::InvalidNumber),
        (b"$-2\r\n", DecodeError::InvalidNumber),
        (b"%-1\r\n", DecodeError::InvalidNumber),
        (b"#x\r\n", DecodeError::InvalidValue),
        (b",x\r\n", DecodeError::InvalidValue),
        (b"=2\r\nab\r\n", DecodeError::InvalidValue),
        (b"$99999999\r\n", DecodeError::BulkTooLong),
        (b"*99999999\r\n", DecodeError::TooManyElements),
    ];
    for (bytes, error) in cases {
        assert_eq!(decode(bytes), Err(error), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn limits_hold_over_a_whole_reply() {
    let limits = ReplyLimits {
        max_depth: 2,
        max_bulk_len: 8,
        max_line_len: 16,
        max_elements: 4,
        max_frame_bytes: 40,
    };
    let cases: [(&[u8], DecodeError); 5] = [
        (b"*1\r\n*1\r\n*1\r\n", DecodeError::TooDeep),
        (b"+0123456789abcdef", DecodeError::LineTooLong),
        (b"*3\r\n*2\r\n:1\r\n:1\r\n:1\r\n", DecodeError::TooManyElements),
        (b"*3\r\n$8\r\n01234567\r\n$8\r\n01234567\r\n$8\r\n", DecodeError::TooLarge),
        (b"|0\r\n|0\r\n|0\r\n|0\r\n|0\r\n", DecodeError::TooManyElements),
    ];
    for (bytes, error) in cases {
        let mut decoder = ReplyDecoder::new(limits);
        decoder.feed(bytes);
        assert_eq!(decoder.next(), Err(error), "{:?}", String::from_utf8_lossy(bytes));
        assert_eq!(decoder.next(), Err(error), "an error stays");
    }
}
