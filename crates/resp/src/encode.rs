//! Writing commands and replies.

use bytes::{BufMut, Bytes, BytesMut};

use crate::Frame;

/// Room for a header: its type, a sign, twenty digits and the end of the line.
const HEADER_MAX: usize = 24;
/// What ends a line and a bulk string.
const END: &[u8] = b"\r\n";

/// The protocol a connection has selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// The initial one.
    #[default]
    Resp2,
    /// After `HELLO 3`.
    Resp3,
}

/// Appends a request as an array of bulk strings.
pub fn encode_command(out: &mut BytesMut, args: &[&[u8]]) {
    let room = |arg: &&[u8]| HEADER_MAX + arg.len() + END.len();
    out.reserve(HEADER_MAX + args.iter().map(room).sum::<usize>());
    put_header(out, b'*', args.len());
    for arg in args {
        put_bulk(out, b'$', &[arg]);
    }
}

/// Appends a reply. In RESP2 the newer types become their older counterparts: maps flat arrays,
/// sets and pushes arrays, booleans integers, doubles, big numbers and verbatim texts bulk strings.
///
/// CR and LF inside a simple string or an error become blanks (spec: interface 1.7).
pub fn encode_frame(out: &mut BytesMut, frame: &Frame, protocol: Protocol) {
    let resp3 = protocol == Protocol::Resp3;
    match frame {
        Frame::Simple(text) => put_line(out, b'+', text),
        Frame::Error(text) => put_line(out, b'-', text),
        Frame::Integer(value) => put_integer(out, b':', *value),
        Frame::Bulk(bytes) => put_bulk(out, b'$', &[bytes]),
        Frame::Null | Frame::NullArray if resp3 => out.put_slice(b"_\r\n"),
        Frame::Null => out.put_slice(b"$-1\r\n"),
        Frame::NullArray => out.put_slice(b"*-1\r\n"),
        Frame::Array(items) => put_items(out, b'*', items, protocol),
        Frame::Set(items) => put_items(out, if resp3 { b'~' } else { b'*' }, items, protocol),
        Frame::Push(items) => put_items(out, push_kind(protocol), items, protocol),
        Frame::Map(pairs) => put_map(out, pairs, protocol),
        Frame::Double(text) if resp3 => put_line(out, b',', text),
        Frame::Double(text) => put_bulk(out, b'$', &[text]),
        Frame::Boolean(value) if resp3 => out.put_slice(if *value { b"#t\r\n" } else { b"#f\r\n" }),
        Frame::Boolean(value) => put_integer(out, b':', i64::from(*value)),
        Frame::Verbatim(verbatim) if resp3 => {
            put_bulk(out, b'=', &[&verbatim.format, b":", &verbatim.text]);
        }
        Frame::Verbatim(verbatim) => put_bulk(out, b'$', &[&verbatim.text]),
        Frame::BigNumber(digits) if resp3 => put_line(out, b'(', digits),
        Frame::BigNumber(digits) => put_bulk(out, b'$', &[digits]),
        Frame::BlobError(text) if resp3 => put_bulk(out, b'!', &[text]),
        Frame::BlobError(text) => put_line(out, b'-', text),
    }
}

/// Appends a bulk string.
pub fn encode_bulk(out: &mut BytesMut, bytes: &[u8]) {
    put_bulk(out, b'$', &[bytes]);
}

/// Appends a number as a bulk string.
pub fn encode_bulk_number(out: &mut BytesMut, value: u64) {
    let mut digits = [0; 20];
    put_bulk(out, b'$', &[decimal(&mut digits, value)]);
}

/// Appends the header of an array; so many values follow.
pub fn encode_array_len(out: &mut BytesMut, len: usize) {
    put_header(out, b'*', len);
}

/// Appends the header of a push, an array in RESP2; so many values follow.
pub fn encode_push_len(out: &mut BytesMut, len: usize, protocol: Protocol) {
    put_header(out, push_kind(protocol), len);
}

/// Appends the header of a map; so many names with their values follow.
pub fn encode_map_len(out: &mut BytesMut, pairs: usize, protocol: Protocol) {
    match protocol {
        Protocol::Resp2 => put_header(out, b'*', pairs * 2),
        Protocol::Resp3 => put_header(out, b'%', pairs),
    }
}

fn push_kind(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Resp2 => b'*',
        Protocol::Resp3 => b'>',
    }
}

fn put_items(out: &mut BytesMut, kind: u8, items: &[Frame], protocol: Protocol) {
    put_header(out, kind, items.len());
    for item in items {
        encode_frame(out, item, protocol);
    }
}

fn put_map(out: &mut BytesMut, pairs: &[(Frame, Frame)], protocol: Protocol) {
    encode_map_len(out, pairs.len(), protocol);
    for (key, value) in pairs {
        encode_frame(out, key, protocol);
        encode_frame(out, value, protocol);
    }
}

fn put_line(out: &mut BytesMut, kind: u8, text: &Bytes) {
    out.reserve(1 + text.len() + END.len());
    out.put_u8(kind);
    let start = out.len();
    out.put_slice(text);
    for byte in &mut out[start..] {
        if matches!(byte, b'\r' | b'\n') {
            *byte = b' ';
        }
    }
    out.put_slice(END);
}

fn put_bulk(out: &mut BytesMut, kind: u8, parts: &[&[u8]]) {
    let len = parts.iter().map(|part| part.len()).sum();
    out.reserve(HEADER_MAX + len + END.len());
    put_header(out, kind, len);
    for part in parts {
        out.put_slice(part);
    }
    out.put_slice(END);
}

fn put_header(out: &mut BytesMut, kind: u8, len: usize) {
    put_digits(out, kind, false, len as u64);
}

fn put_integer(out: &mut BytesMut, kind: u8, value: i64) {
    put_digits(out, kind, value < 0, value.unsigned_abs());
}

/// The decimal digits of a value, at the end of the space for them.
fn decimal(digits: &mut [u8; 20], mut value: u64) -> &[u8] {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return &digits[start..];
        }
    }
}

fn put_digits(out: &mut BytesMut, kind: u8, negative: bool, value: u64) {
    let mut digits = [0; 20];
    let digits = decimal(&mut digits, value);
    out.reserve(HEADER_MAX);
    out.put_u8(kind);
    if negative {
        out.put_u8(b'-');
    }
    out.put_slice(digits);
    out.put_slice(END);
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{
        Protocol, encode_array_len, encode_bulk, encode_bulk_number, encode_command, encode_frame,
        encode_map_len,
    };
    use crate::Frame;

    fn encoded(frame: &Frame, protocol: Protocol) -> String {
        let mut out = BytesMut::new();
        encode_frame(&mut out, frame, protocol);
        String::from_utf8(out.to_vec()).expect("utf-8")
    }

    #[test]
    fn parts_are_spelled_as_the_whole() {
        let numbers = [0, 9, 10, u64::MAX];
        let pairs = numbers.map(|value| (Frame::bulk("name"), Frame::bulk(value.to_string())));
        let frame = Frame::Array(vec![Frame::Map(pairs.to_vec())]);
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let mut out = BytesMut::new();
            encode_array_len(&mut out, 1);
            encode_map_len(&mut out, numbers.len(), protocol);
            for number in numbers {
                encode_bulk(&mut out, b"name");
                encode_bulk_number(&mut out, number);
            }
            assert_eq!(String::from_utf8_lossy(&out), encoded(&frame, protocol));
        }
    }

    #[test]
    fn each_type_has_both_spellings() {
        let one = || Frame::Integer(1);
        let cases = [
            (Frame::OK, "+OK\r\n", "+OK\r\n"),
            (Frame::error("ERR a\r\nb"), "-ERR a  b\r\n", "-ERR a  b\r\n"),
            (Frame::Integer(i64::MIN), ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"),
            (Frame::bulk("a\r\nb"), "$4\r\na\r\nb\r\n", "$4\r\na\r\nb\r\n"),
            (Frame::Null, "$-1\r\n", "_\r\n"),
            (Frame::NullArray, "*-1\r\n", "_\r\n"),
            (Frame::Array(vec![one(), Frame::Null]), "*2\r\n:1\r\n$-1\r\n", "*2\r\n:1\r\n_\r\n"),
            (Frame::Map(vec![(one(), one())]), "*2\r\n:1\r\n:1\r\n", "%1\r\n:1\r\n:1\r\n"),
            (Frame::Set(vec![one()]), "*1\r\n:1\r\n", "~1\r\n:1\r\n"),
            (Frame::Push(vec![one()]), "*1\r\n:1\r\n", ">1\r\n:1\r\n"),
            (Frame::double(1.5), "$3\r\n1.5\r\n", ",1.5\r\n"),
            (Frame::Boolean(true), ":1\r\n", "#t\r\n"),
            (Frame::verbatim("hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"),
            (Frame::BigNumber("12".into()), "$2\r\n12\r\n", "(12\r\n"),
            (Frame::BlobError("ERR x".into()), "-ERR x\r\n", "!5\r\nERR x\r\n"),
        ];
        for (frame, resp2, resp3) in cases {
            assert_eq!(encoded(&frame, Protocol::Resp2), resp2, "{frame:?}");
            assert_eq!(encoded(&frame, Protocol::Resp3), resp3, "{frame:?}");
        }
    }

    #[test]
    fn a_command_is_an_array_of_bulks() {
        let mut out = BytesMut::new();
        encode_command(&mut out, &[b"GET", b"", b"a\r\n"]);
        assert_eq!(&out[..], b"*3\r\n$3\r\nGET\r\n$0\r\n\r\n$3\r\na\r\n\r\n");
    }
}
