use super::RequestDecoder;
use crate::{ProtocolError, RequestError, RequestLimits};

fn decode(bytes: &[u8], authenticated: bool) -> (Vec<Vec<Vec<u8>>>, Option<RequestError>) {
    let mut decoder = RequestDecoder::new(RequestLimits::default(), authenticated);
    decoder.feed(bytes);
    let mut requests = Vec::new();
    loop {
        match decoder.next() {
            Ok(Some(request)) => {
                requests.push(request.args.iter().map(|arg| arg.to_vec()).collect());
            }
            Ok(None) => return (requests, None),
            Err(error) => return (requests, Some(error)),
        }
    }
}

#[test]
fn arrays_and_lines_are_requests() {
    let cases: [(&[u8], &[&[&str]]); 9] = [
        (b"ECHO a\0b\r\nPING\r\n", &[]),
        (b"PING\r\n", &[&["PING"]]),
        (b"PING\n\r\n  \nECHO 'a b'\n", &[&["PING"], &["ECHO", "a b"]]),
        (b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", &[&["ECHO", ""]]),
        (b"*0\r\n*-1\r\n*-5\r\nPING\r\n", &[&["PING"]]),
        (b"*1\r\n$4\r\nPINGxyPING\r\n", &[&["PING"], &["PING"]]),
        (b"*1\rx$4\ryPING\r\n", &[&["PING"]]),
        (b"*1\r\n$0\r\n\r\n", &[&[""]]),
        (b"*2147483647\r\n$4\r\nPING\r\n", &[]),
    ];
    for (bytes, requests) in cases {
        let expected: Vec<Vec<Vec<u8>>> = requests
            .iter()
            .map(|args| args.iter().map(|arg| arg.as_bytes().to_vec()).collect())
            .collect();
        let shown = String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(decode(bytes, true), (expected, None), "{shown:?}");
    }
}

/// The script `protocol-errors` of the node crate shows the same on real servers.
#[test]
fn each_protocol_error_is_the_references() {
    let long = |start: &str, len: usize| [start.as_bytes(), &vec![b'1'; len]].concat();
    let cases: Vec<(Vec<u8>, bool, ProtocolError)> = vec![
        (long("", 65537), true, ProtocolError::TooBigInline),
        (b"ECHO \"a\r\n".to_vec(), true, ProtocolError::UnbalancedQuotes),
        (long("*", 65537), true, ProtocolError::TooBigMultibulkCount),
        (b"*x\r\n".to_vec(), true, ProtocolError::InvalidMultibulkLength),
        (b"*\r\n".to_vec(), true, ProtocolError::InvalidMultibulkLength),
        (b"*2147483648\r\n".to_vec(), true, ProtocolError::InvalidMultibulkLength),
        (long("*1\r\n$", 65537), true, ProtocolError::TooBigBulkCount),
        (b"*1\r\nPING\r\n".to_vec(), true, ProtocolError::ExpectedDollar(b'P')),
        (b"*1\r\n\r\n".to_vec(), true, ProtocolError::ExpectedDollar(b'\r')),
        (b"*1\r\n$x\r\n".to_vec(), true, ProtocolError::InvalidBulkLength),
        (b"*1\r\n$-1\r\n".to_vec(), true, ProtocolError::InvalidBulkLength),
        (b"*1\r\n$536870913\r\n".to_vec(), true, ProtocolError::InvalidBulkLength),
        (b"*11\r\n".to_vec(), false, ProtocolError::UnauthenticatedMultibulkLength),
        (b"*1\r\n$16385\r\n".to_vec(), false, ProtocolError::UnauthenticatedBulkLength),
    ];
    for (bytes, authenticated, error) in cases {
        let (requests, found) = decode(&bytes, authenticated);
        assert_eq!((requests.len(), found), (0, Some(RequestError::Protocol(error))));
    }
}

#[test]
fn error_texts_are_the_references() {
    let cases: [(ProtocolError, &[u8]); 3] = [
        (ProtocolError::ExpectedDollar(b'P'), b"ERR Protocol error: expected '$', got 'P'"),
        (ProtocolError::ExpectedDollar(b'\n'), b"ERR Protocol error: expected '$', got ' '"),
        (ProtocolError::ExpectedDollar(0xff), b"ERR Protocol error: expected '$', got '\xff'"),
    ];
    for (error, text) in cases {
        assert_eq!(error.reply_text(), text);
    }
}

#[test]
fn limits_are_the_unauthenticated_ones_until_told() {
    let mut decoder = RequestDecoder::new(RequestLimits::default(), false);
    decoder.feed(b"AUTH x\r\n*11\r\n");
    assert!(matches!(decoder.next(), Ok(Some(_))));
    decoder.set_authenticated(true);
    assert_eq!(decoder.next(), Ok(None));
}

#[test]
fn line_ends_of_arguments_are_looked_at_only_if_wanted() {
    for bytes in [b"*1\r\n$4\r\nPINGxx", b"*1\r\n$4\r\nPING\rx"] {
        let limits = RequestLimits { wants_line_ends: true, ..RequestLimits::default() };
        let mut decoder = RequestDecoder::new(limits, true);
        decoder.feed(b"*1\r\n$4\r\nPING\r\n");
        decoder.feed(bytes);
        assert!(matches!(decoder.next(), Ok(Some(_))));
        let error = decoder.next().unwrap_err();
        assert_eq!(error, RequestError::Protocol(ProtocolError::InvalidLineEnd));
        assert_eq!(error.to_string(), "Protocol error: invalid CRLF in request");
        assert_eq!(decode(bytes, true).0.len(), 1);
    }
}

#[test]
fn consumed_counts_whole_requests_only() {
    let mut decoder = RequestDecoder::new(RequestLimits::default(), true);
    decoder.feed(b"*0\r\n*1\r\n$4\r\nPING\r\nPING\r\n*1\r\n$4\r\nPI");
    for consumed in [18, 24] {
        assert!(matches!(decoder.next(), Ok(Some(_))));
        assert_eq!(decoder.consumed(), consumed);
    }
    assert_eq!(decoder.next(), Ok(None));
    assert_eq!(decoder.consumed(), 24);
}

#[test]
fn an_unfinished_request_has_a_budget() {
    let limits = RequestLimits { max_query_bytes: 1000, ..RequestLimits::default() };
    let mut decoder = RequestDecoder::new(limits, true);
    decoder.feed(b"*2147483647\r\n");
    for _ in 0..1000 {
        decoder.feed(b"$0\r\n\r\n");
        match decoder.next() {
            Ok(None) => assert!(decoder.buffered() <= 1000),
            Ok(Some(_)) => unreachable!("the request is not complete"),
            Err(error) => return assert_eq!(error, RequestError::QueryBufferFull),
        }
    }
    unreachable!("empty arguments cost memory too");
}
