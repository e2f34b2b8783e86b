//! Links: whatever a node answers, in whatever pieces, each query gets at most one answer of its
//! kind, in order, and none is lost on the way.
//!
//! Input: options, cuts, queries, then the stream of replies.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use vedette_core::{
    Answer, ConnId, Endpoint, Epoch, Hello, Input, Purpose, Query, Renames, ReplicationTarget,
    Secret, SentinelId, TransactionCommand,
};
use vedette_resp::{ReplyDecoder, RequestDecoder, RequestLimits};
use vedette_wire::{HelloMemory, LinkError, NodeLink};

use crate::{Cuts, Tape, shown};

/// Queries of one input.
const QUERIES_MAX: usize = 12;

/// What came of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    inputs: Vec<Input>,
    error: Option<LinkError>,
}

/// The trial.
pub fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let purpose = if tape.flag() { Purpose::Subscription } else { Purpose::Commands };
    let cuts = Cuts::new(tape.byte());
    let count = tape.below(QUERIES_MAX + 1);
    let queries: Vec<Query> = (0..count).map(|_| query(tape.byte())).collect();
    let stream = tape.rest();

    let (mut link, expected) = asked(purpose, &queries);
    let whole = received(&mut link, &[stream]);
    let pieces: Vec<&[u8]> = cuts.of(stream).collect();
    let cut = received(&mut asked(purpose, &queries).0, &pieces);
    assert_eq!(cut, whole, "{}", shown(data));

    let answered = are_of_their_kind(&whole.inputs, &queries, purpose);
    let (frames, complete) = frames(stream);
    if whole.error.is_none() {
        let messages = whole.inputs.len() - answered;
        let used: usize = expected.iter().take(answered).sum();
        let next = expected.get(answered).copied().unwrap_or(0);
        let begun = frames - messages - used;
        assert!(begun < next || begun == 0, "{begun} replies too many: {}", shown(data));
        if complete {
            nothing_is_lost(link, &queries[answered..], expected.iter().sum::<usize>());
        }
    } else if whole.error == Some(LinkError::Unexpected) {
        assert_eq!(answered, queries.len(), "{}", shown(data));
    }
}

/// A link on which these queries were sent, and how many replies each of them has.
fn asked(purpose: Purpose, queries: &[Query]) -> (NodeLink, Vec<usize>) {
    let mut link = NodeLink::new(ConnId(1), purpose, Arc::new(Renames::default()));
    let replies = queries.iter().map(|query| {
        link.send(query);
        commands(&link.output().split())
    });
    let replies = replies.collect();
    (link, replies)
}

/// How many commands these bytes are.
fn commands(bytes: &BytesMut) -> usize {
    let mut decoder = RequestDecoder::new(RequestLimits::default(), true);
    decoder.feed(bytes);
    let requests = std::iter::from_fn(|| decoder.next().expect("requests")).count();
    assert_eq!(decoder.buffered(), 0);
    requests
}

fn received(link: &mut NodeLink, pieces: &[&[u8]]) -> Outcome {
    let (mut outcome, mut memory) = (Outcome::default(), HelloMemory::default());
    for piece in pieces {
        let end = link.receive(piece, &mut memory, &mut outcome.inputs);
        if let Err(error) = end {
            outcome.error = Some(error);
            break;
        }
    }
    outcome
}

/// Checks that the answers fit the queries in their order; their number.
fn are_of_their_kind(inputs: &[Input], queries: &[Query], purpose: Purpose) -> usize {
    let mut open: VecDeque<&Query> = queries.iter().collect();
    for input in inputs {
        match input {
            Input::Answered { conn: ConnId(1), answer } => {
                let query = open.pop_front().expect("an answer to nothing");
                assert!(fits(query, answer), "{query:?}: {answer:?}");
            }
            Input::MessageReceived { conn: ConnId(1), .. } => {
                assert_eq!(purpose, Purpose::Subscription);
            }
            other => panic!("{other:?}"),
        }
    }
    queries.len() - open.len()
}

fn fits(query: &Query, answer: &Answer) -> bool {
    match query {
        Query::Auth { .. }
        | Query::SetName { .. }
        | Query::ScriptKill
        | Query::RecallHandOver | Query::RewriteConfig => {
            matches!(answer, Answer::Ignored)
        }
        Query::Ping => matches!(answer, Answer::Ping(_)),
        Query::Info => matches!(answer, Answer::Info(_)),
        Query::Subscribe => matches!(answer, Answer::Subscribed { .. }),
        Query::Hello(_) => matches!(answer, Answer::Hello { .. }),
        Query::AskDown { .. } => matches!(answer, Answer::Opinion(_)),
        Query::Replicate { .. } => matches!(answer, Answer::Replicate(_)),
        // Nothing is answered.
        Query::TellOffset => false,
        Query::HandOver { .. } => matches!(answer, Answer::HandOver(_)),
    }
}

/// How many whole replies a stream holds, and whether nothing is left over.
fn frames(stream: &[u8]) -> (usize, bool) {
    let mut decoder = ReplyDecoder::default();
    decoder.feed(stream);
    let mut count = 0;
    loop {
        match decoder.next() {
            Ok(Some(_)) => count += 1,
            Ok(None) => return (count, decoder.buffered() == 0),
            Err(_) => return (count, false),
        }
    }
}

/// What is still open is answered by the replies that come then; one more is unexpected.
fn nothing_is_lost(mut link: NodeLink, open: &[Query], replies_max: usize) {
    let (mut inputs, mut memory) = (Vec::new(), HelloMemory::default());
    for _ in 0..replies_max {
        if inputs.len() == open.len() {
            break;
        }
        link.receive(b"+OK\r\n", &mut memory, &mut inputs).expect("a reply that is owed");
    }
    assert_eq!(inputs.len(), open.len(), "an answer is lost");
    let more = link.receive(b"+PONG\r\n", &mut memory, &mut inputs);
    assert_eq!(more, Err(LinkError::Unexpected));
}

fn query(byte: u8) -> Query {
    let id = SentinelId::from_random([byte; 20]);
    let address = Endpoint::new("10.0.0.1", 6379);
    match byte % 12 {
        0 => Query::Ping,
        1 => Query::Info,
        2 => Query::Subscribe,
        3 => Query::Auth { user: None, password: Secret::new("x") },
        4 => Query::Auth { user: Some("u".into()), password: Secret::new("x\r\n") },
        5 => Query::SetName { id, purpose: Purpose::Commands },
        6 => Query::AskDown { address, epoch: Epoch::ZERO, vote_for: (byte > 99).then_some(id) },
        7 => Query::ScriptKill,
        8 => Query::Hello(Arc::new(Hello {
            sentinel: address.clone(),
            id,
            current_epoch: Epoch::ZERO,
            master: "mymaster".into(),
            address,
            config_epoch: Epoch::ZERO,
        })),
        _ => {
            use TransactionCommand::{ConfigRewrite, KillNormal, KillPubsub, SlaveOf};
            let all = [SlaveOf, ConfigRewrite, KillNormal, KillPubsub];
            let all = all.into_iter().enumerate();
            let without = all.filter(|(bit, _)| byte >> 4 >> bit & 1 == 1);
            let target = match byte % 12 {
                9 => ReplicationTarget::NoOne,
                _ => ReplicationTarget::Node(address),
            };
            let without = without.map(|(_, command)| command).collect();
            Query::Replicate { target, without }
        }
    }
}
