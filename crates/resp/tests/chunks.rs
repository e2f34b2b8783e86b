//! Any bytes, in any chunks, give the same result as in one piece, and never a panic.

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use vedette_resp::{
    Frame, Protocol, ReplyDecoder, ReplyLimits, Request, RequestDecoder, RequestLimits, Verbatim,
    encode_command, encode_frame,
};

/// Bytes that often look like the protocol.
fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just(b"\r\n".to_vec()),
        "[*$+:_#,(!=%~>|-][0-9]{0,2}\r\n".prop_map(String::into_bytes),
        "[*][1-3]\r\n([$][0-3]\r\n)?".prop_map(String::into_bytes),
        "[ a-z\"'\\\\]{0,6}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

fn chunks(bytes: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    let mut rest = bytes;
    let mut chunks = Vec::new();
    for cut in cuts {
        let (chunk, after) = rest.split_at((*cut).min(rest.len()));
        chunks.push(chunk.to_vec());
        rest = after;
    }
    chunks.push(rest.to_vec());
    chunks
}

/// Everything decoded, and the error if there is one.
fn replies(chunks: &[Vec<u8>], limits: ReplyLimits) -> (Vec<Frame>, Option<String>) {
    let mut decoder = ReplyDecoder::new(limits);
    let mut frames = Vec::new();
    for chunk in chunks {
        decoder.feed(chunk);
        loop {
            match decoder.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error.to_string())),
            }
        }
    }
    (frames, None)
}

fn requests(chunks: &[Vec<u8>], authenticated: bool) -> (Vec<Request>, Option<String>) {
    let mut decoder = RequestDecoder::new(RequestLimits::default(), authenticated);
    let mut requests = Vec::new();
    for chunk in chunks {
        decoder.feed(chunk);
        loop {
            match decoder.next() {
                Ok(Some(request)) => requests.push(request),
                Ok(None) => break,
                Err(error) => return (requests, Some(error.to_string())),
            }
        }
    }
    (requests, None)
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..12)
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    text().prop_map(|text| text.into_iter().filter(|b| !matches!(b, b'\r' | b'\n')).collect())
}

fn frame() -> impl Strategy<Value = Frame> {
    let leaf = prop_oneof![
        line().prop_map(|text| Frame::Simple(text.into())),
        line().prop_map(|text| Frame::Error(text.into())),
        any::<i64>().prop_map(Frame::Integer),
        text().prop_map(|bytes| Frame::Bulk(bytes.into())),
        Just(Frame::Null),
        any::<f64>().prop_map(Frame::double),
        any::<bool>().prop_map(Frame::Boolean),
        (any::<[u8; 3]>(), text())
            .prop_map(|(format, text)| Frame::Verbatim(Verbatim { format, text: text.into() })),
        any::<i128>().prop_map(|number| Frame::BigNumber(number.to_string().into())),
        text().prop_map(|text| Frame::BlobError(text.into())),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let items = || proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            items().prop_map(Frame::Array),
            items().prop_map(Frame::Set),
            items().prop_map(Frame::Push),
            proptest::collection::vec((inner.clone(), inner.clone()), 0..4).prop_map(Frame::Map),
        ]
    })
}

proptest! {
    #[test]
    fn replies_do_not_depend_on_the_cuts(
        bytes in hostile_bytes(),
        cuts in proptest::collection::vec(0_usize..6, 0..40),
        tight in any::<bool>(),
    ) {
        let limits = match tight {
            true => ReplyLimits {
                max_depth: 3,
                max_bulk_len: 12,
                max_line_len: 8,
                max_elements: 6,
                max_frame_bytes: 24,
            },
            false => ReplyLimits::default(),
        };
        let whole = replies(std::slice::from_ref(&bytes), limits);
        assert_eq!(replies(&chunks(&bytes, &cuts), limits), whole);
    }

    #[test]
    fn requests_do_not_depend_on_the_cuts(
        bytes in hostile_bytes(),
        cuts in proptest::collection::vec(0_usize..6, 0..40),
        authenticated in any::<bool>(),
    ) {
        let whole = requests(std::slice::from_ref(&bytes), authenticated);
        assert_eq!(requests(&chunks(&bytes, &cuts), authenticated), whole);
    }

    #[test]
    fn frames_survive_resp3(frame in frame()) {
        let mut out = bytes::BytesMut::new();
        encode_frame(&mut out, &frame, Protocol::Resp3);
        assert_eq!(replies(&[out.to_vec()], ReplyLimits::default()), (vec![frame], None));
    }

    #[test]
    fn frames_are_readable_in_resp2(frame in frame()) {
        let mut out = bytes::BytesMut::new();
        encode_frame(&mut out, &frame, Protocol::Resp2);
        let (frames, error) = replies(&[out.to_vec()], ReplyLimits::default());
        assert_eq!((frames.len(), error), (1, None));
    }

    #[test]
    fn commands_survive(args in proptest::collection::vec(text(), 1..6)) {
        let mut out = bytes::BytesMut::new();
        let slices: Vec<&[u8]> = args.iter().map(|arg| &arg[..]).collect();
        encode_command(&mut out, &slices);
        let (requests, error) = requests(&[out.to_vec()], true);
        assert_eq!(error, None);
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].args, args);
    }
}
