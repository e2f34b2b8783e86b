use std::collections::BTreeSet;
use std::sync::Arc;

use vedette_core::{
    Answer, ConnId, Endpoint, Epoch, InfoAnswer, Input, Opinion, PingReply, Purpose, Query,
    Renames, ReplicationTarget, Secret, SentinelId, TransactionCommand, TransactionOutcome,
};

use super::{HelloMemory, LinkError, NodeLink};
use crate::hello::parse_hello;

const ID: &str = "903ed8b5de54c8f708256e1c0190a425510f5005";
const HELLO: &str =
    "127.0.0.1,5000,903ed8b5de54c8f708256e1c0190a425510f5005,1,mymaster,10.0.0.1,6379,1";

fn link(purpose: Purpose) -> NodeLink {
    NodeLink::new(ConnId(1), purpose, Arc::default())
}

/// What these bytes tell, and whether the link is still of use.
fn received(link: &mut NodeLink, bytes: &[u8]) -> (Vec<Input>, Result<(), LinkError>) {
    let mut inputs = Vec::new();
    let end = link.receive(bytes, &mut HelloMemory::default(), &mut inputs);
    (inputs, end)
}

fn id() -> SentinelId {
    SentinelId::parse(ID).expect("40 characters")
}

fn replicate(without: &[TransactionCommand]) -> Query {
    Query::Replicate {
        target: ReplicationTarget::NoOne,
        without: without.iter().copied().collect(),
    }
}

/// The commands that a query becomes, words between blanks, commands between bars.
fn spelled(link: &mut NodeLink, query: &Query) -> String {
    link.send(query);
    let mut decoder =
        vedette_resp::RequestDecoder::new(vedette_resp::RequestLimits::default(), true);
    decoder.feed(&link.output().split());
    let mut commands = Vec::new();
    while let Ok(Some(request)) = decoder.next() {
        let words: Vec<_> =
            request.args.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        commands.push(words.join(" "));
    }
    commands.join(" | ")
}

/// The answers to queries, when these bytes come.
fn answers(queries: &[Query], bytes: &str) -> Vec<Answer> {
    let mut link = link(Purpose::Commands);
    for query in queries {
        link.send(query);
    }
    let (inputs, end) = received(&mut link, bytes.as_bytes());
    end.expect("replies");
    inputs
        .into_iter()
        .map(|input| match input {
            Input::Answered { conn: ConnId(1), answer } => answer,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn queries_are_spelled_as_by_the_reference() {
    let node = ReplicationTarget::Node(Endpoint::new("::1", 6380));
    let cases = [
        (Query::Ping, "PING"),
        (Query::Info, "INFO"),
        (Query::Subscribe, "SUBSCRIBE __sentinel__:hello"),
        (Query::ScriptKill, "SCRIPT KILL"),
        (Query::Auth { user: None, password: Secret::new("x") }, "AUTH x"),
        (Query::Auth { user: Some("u".into()), password: Secret::new("x") }, "AUTH u x"),
        (
            Query::SetName { id: id(), purpose: Purpose::Subscription },
            "CLIENT SETNAME sentinel-903ed8b5-pubsub",
        ),
        (
            replicate(&[]),
            "MULTI | SLAVEOF NO ONE | CONFIG REWRITE | CLIENT KILL TYPE normal | \
             CLIENT KILL TYPE pubsub | EXEC",
        ),
        (
            Query::Replicate {
                target: node,
                without: [TransactionCommand::ConfigRewrite, TransactionCommand::SlaveOf].into(),
            },
            "MULTI | SLAVEOF ::1 6380 | CLIENT KILL TYPE normal | CLIENT KILL TYPE pubsub | EXEC",
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(spelled(&mut link(Purpose::Commands), &query), expected);
    }
}

#[test]
fn what_fellow_sentinels_are_sent_is_spelled_as_by_the_reference() {
    let ask = Query::AskDown {
        address: Endpoint::new("10.0.0.1", 6379),
        epoch: Epoch::new(7).expect("in range"),
        vote_for: Some(id()),
    };
    let expected = format!("SENTINEL is-master-down-by-addr 10.0.0.1 6379 7 {ID}");
    assert_eq!(spelled(&mut link(Purpose::Commands), &ask), expected);
    let hello = Query::Hello(Arc::new(parse_hello(HELLO.as_bytes()).expect("a hello")));
    let expected = format!("PUBLISH __sentinel__:hello {HELLO}");
    assert_eq!(spelled(&mut link(Purpose::Commands), &hello), expected);
}

#[test]
fn renames_replace_the_first_word_only() {
    let mut link = link(Purpose::Commands);
    let pairs = [("CONFIG", "secret-config"), ("KILL", "no"), ("PING", "pong")];
    let renames: Renames = pairs.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
    link.set_renames(Arc::new(renames));
    assert_eq!(spelled(&mut link, &Query::Ping), "pong");
    assert_eq!(spelled(&mut link, &Query::ScriptKill), "SCRIPT KILL");
    assert!(spelled(&mut link, &replicate(&[])).contains("| secret-config REWRITE |"));
}

#[test]
fn ping_replies_are_told_apart() {
    let cases = [
        ("+PONG\r\n", PingReply::Pong),
        ("-LOADING Redis is loading\r\n", PingReply::Loading),
        ("-MASTERDOWN Link with MASTER is down\r\n", PingReply::Loading),
        ("-BUSY Redis is busy\r\n", PingReply::Busy),
        ("-NOAUTH Authentication required.\r\n", PingReply::Other),
        ("$4\r\nPONG\r\n", PingReply::Other),
    ];
    for (bytes, expected) in cases {
        assert_eq!(answers(&[Query::Ping], bytes), [Answer::Ping(expected)], "{bytes}");
    }
}

#[test]
fn answers_come_in_the_order_of_the_queries() {
    let password = Secret::new("x");
    let queries = [Query::Auth { user: None, password }, Query::Ping, Query::Info, Query::Ping];
    let bytes = "-ERR no password\r\n+PONG\r\n$13\r\nrole:master\r\n\r\n+PONG\r\n";
    let answers = answers(&queries, bytes);
    assert_eq!(answers[0], Answer::Ignored);
    assert!(matches!(answers[2], Answer::Info(InfoAnswer::Report(_))));
    assert_eq!(answers[3], Answer::Ping(PingReply::Pong));
}

#[test]
fn info_replies_are_told_apart() {
    let cases = [
        ("-LOADING\r\n", InfoAnswer::Refused),
        ("$5\r\nhello\r\n", InfoAnswer::Garbage),
        (":1\r\n", InfoAnswer::Garbage),
    ];
    for (bytes, expected) in cases {
        assert_eq!(answers(&[Query::Info], bytes), [Answer::Info(expected)]);
    }
}

#[test]
fn opinions_must_have_the_right_shape() {
    let ask = Query::AskDown { address: Endpoint::new("a", 1), epoch: Epoch::ZERO, vote_for: None };
    let check = |bytes: &str, expected: Option<Opinion>| {
        assert_eq!(answers(core::slice::from_ref(&ask), bytes), [Answer::Opinion(expected)]);
    };
    let epoch = |number| Epoch::new(number).expect("in range");
    check(
        "*3\r\n:1\r\n$1\r\n*\r\n:0\r\n",
        Some(Opinion { down: true, leader: None, leader_epoch: Epoch::ZERO }),
    );
    check(
        &format!("*3\r\n:0\r\n$40\r\n{ID}\r\n:7\r\n"),
        Some(Opinion { down: false, leader: Some(id()), leader_epoch: epoch(7) }),
    );
    check("*3\r\n:0\r\n$1\r\n*\r\n:-1\r\n", None);
    check("*2\r\n:0\r\n$1\r\n*\r\n", None);
    check("-ERR\r\n", None);
}

#[test]
fn a_transaction_gives_one_answer() {
    let done = "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n\
                *4\r\n+OK\r\n-ERR no file\r\n:1\r\n:0\r\n";
    assert_eq!(
        answers(&[replicate(&[]), Query::Ping], &format!("{done}+PONG\r\n")),
        [Answer::Replicate(TransactionOutcome::Done), Answer::Ping(PingReply::Pong)]
    );
    let aborted = "+OK\r\n+QUEUED\r\n-NOPERM\r\n+QUEUED\r\n-ERR unknown\r\n\
                   -EXECABORT Transaction discarded because of previous errors.\r\n";
    let refused: BTreeSet<_> =
        [TransactionCommand::ConfigRewrite, TransactionCommand::KillPubsub].into();
    let outcome = TransactionOutcome::Aborted(refused);
    assert_eq!(answers(&[replicate(&[])], aborted), [Answer::Replicate(outcome)]);
}

#[test]
fn a_shorter_transaction_names_the_right_commands() {
    let query = replicate(&[TransactionCommand::ConfigRewrite]);
    let aborted = "+OK\r\n+QUEUED\r\n-NOPERM\r\n+QUEUED\r\n-EXECABORT\r\n";
    let outcome = TransactionOutcome::Aborted([TransactionCommand::KillNormal].into());
    assert_eq!(answers(&[query], aborted), [Answer::Replicate(outcome)]);
}

#[test]
fn transactions_that_fail_otherwise_are_told_apart() {
    let failed =
        "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*4\r\n-ERR\r\n+OK\r\n:1\r\n:0\r\n";
    let outcome = Answer::Replicate(TransactionOutcome::SlaveOfFailed);
    assert_eq!(answers(&[replicate(&[])], failed), [outcome]);
    let refused = "-NOPERM\r\n+OK\r\n+OK\r\n:1\r\n:0\r\n-ERR EXEC without MULTI\r\n";
    let outcome = Answer::Replicate(TransactionOutcome::Refused);
    assert_eq!(answers(&[replicate(&[])], refused), [outcome]);
    let discarded = "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*-1\r\n";
    let outcome = Answer::Replicate(TransactionOutcome::Refused);
    assert_eq!(answers(&[replicate(&[])], discarded), [outcome]);
}

#[test]
fn a_subscription_brings_hellos() {
    let mut link = link(Purpose::Subscription);
    let password = Secret::new("x");
    link.send(&Query::Auth { user: None, password });
    link.send(&Query::Subscribe);
    let confirmed = "*3\r\n$9\r\nsubscribe\r\n$18\r\n__sentinel__:hello\r\n:1\r\n";
    let message = |payload: &str| {
        let head = "*3\r\n$7\r\nmessage\r\n$18\r\n__sentinel__:hello\r\n";
        format!("{head}${}\r\n{payload}\r\n", payload.len())
    };
    let bytes = format!("+OK\r\n{confirmed}{}{}", message(HELLO), message("nonsense"));
    let (inputs, end) = received(&mut link, bytes.as_bytes());
    end.expect("replies");
    let conn = ConnId(1);
    let hello = parse_hello(HELLO.as_bytes()).map(Arc::new);
    assert_eq!(inputs[1], Input::Answered { conn, answer: Answer::Subscribed { accepted: true } });
    assert_eq!(inputs[2], Input::MessageReceived { conn, hello });
    assert_eq!(inputs[3], Input::MessageReceived { conn, hello: None });
}

#[test]
fn a_refused_subscription_is_told() {
    let mut link = link(Purpose::Subscription);
    link.send(&Query::Subscribe);
    let (inputs, end) = received(&mut link, b"-NOPERM no\r\n");
    let answer = Answer::Subscribed { accepted: false };
    assert_eq!(inputs, [Input::Answered { conn: ConnId(1), answer }]);
    end.expect("a reply");
}

#[test]
fn what_nobody_asked_for_ends_the_link() {
    let mut link = link(Purpose::Commands);
    link.send(&Query::Ping);
    let both = b"+PONG\r\n-ERR max number of clients reached\r\n";
    let (inputs, end) = received(&mut link, both);
    assert_eq!(end, Err(LinkError::Unexpected));
    assert_eq!(inputs.len(), 1, "the answer before it still counts");
    let (_, end) = received(&mut self::link(Purpose::Commands), b"HTTP/1.1 400\r\n");
    assert!(matches!(end, Err(LinkError::NotResp(_))));
}

/// Between replies a link keeps no room for them.
#[test]
fn the_room_of_a_long_reply_is_given_back() {
    let mut link = link(Purpose::Commands);
    link.send(&Query::Info);
    link.send(&Query::Ping);
    let long = [b"$5000\r\n".as_slice(), &[b'x'; 5000], b"\r\n+"].concat();
    let (inputs, end) = received(&mut link, &long);
    assert_eq!((inputs.len(), end), (1, Ok(())));
    assert!(link.decoder.is_some(), "the next reply has begun");
    let (inputs, end) = received(&mut link, b"PONG\r\n");
    let answer = Answer::Ping(PingReply::Pong);
    assert_eq!((inputs, end), (vec![Input::Answered { conn: ConnId(1), answer }], Ok(())));
    assert!(link.decoder.is_none());
}
