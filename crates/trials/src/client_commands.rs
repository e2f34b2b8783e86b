//! Commands: each gets exactly one reply or ends the connection, in the protocol that was agreed on
//! and in no other spelling; what is a secret is never repeated.
//!
//! Input: options, then one command a line, quoted as inline commands are. `!event` and `!wait`
//! stand for what happens meanwhile.

use bytes::{Bytes, BytesMut};
use vedette_core::Span;
use vedette_resp::{Frame, Protocol, encode_command, split_words};
use vedette_wire::Client;
use vedette_wire::events::RenderedEvent;

use crate::client_bytes::contains;
use crate::host::{AUTH_PASS, Host, Outcome, PASSWORD};
use crate::{Tape, frames, shown};

/// Lines of one input: more say nothing new.
const LINES_MAX: usize = 64;
/// `timeout` in seconds.
const TIMEOUT_SECS: u64 = 60;
/// What nobody must be told.
const SECRETS: [&str; 2] = [PASSWORD, AUTH_PASS];

/// A connection and what its client knows of it.
struct Dialogue {
    host: Host,
    client: Client,
    protocol: Protocol,
    /// After `CLIENT REPLY OFF` or `SKIP`, until a reply came.
    may_be_muted: bool,
    /// Names, in the order of subscription: channels, patterns.
    subscriptions: [Vec<Bytes>; 2],
    /// The secrets that were typed where none belongs: they may come back at any time.
    given_away: [bool; SECRETS.len()],
}

/// The trial.
pub fn run(data: &[u8]) {
    let mut tape = Tape::new(data);
    let host = Host::new(tape.flag());
    let mut dialogue = Dialogue {
        client: host.client(),
        host,
        protocol: Protocol::Resp2,
        may_be_muted: false,
        subscriptions: [Vec::new(), Vec::new()],
        given_away: [false; SECRETS.len()],
    };
    for line in tape.rest().split(|byte| *byte == b'\n').take(LINES_MAX) {
        let goes_on = match line {
            b"!event" => dialogue.hears(),
            b"!wait" => dialogue.waits(),
            line => match split_words(line) {
                Ok(words) if !words.is_empty() => dialogue.says(&words),
                Ok(_) | Err(_) => true,
            },
        };
        if !goes_on {
            break;
        }
    }
}

impl Dialogue {
    /// One command; whether the connection goes on.
    fn says(&mut self, words: &[Bytes]) -> bool {
        let mut bytes = BytesMut::new();
        let slices: Vec<&[u8]> = words.iter().map(Bytes::as_ref).collect();
        encode_command(&mut bytes, &slices);
        let outcome = self.host.run(&mut self.client, &bytes);
        self.keeps_secrets(words, &outcome);

        let replies = frames::read_all(&outcome.written);
        let is = |place: usize, name: &str| {
            words.get(place).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
        };
        let accepted = replies.first().is_some_and(|reply| !reply.is_error());
        if is(0, "hello") && accepted {
            match words.get(1).map(Bytes::as_ref) {
                Some(b"2") => self.protocol = Protocol::Resp2,
                Some(b"3") => self.protocol = Protocol::Resp3,
                _ => {}
            }
        }
        self.is_well_spelled(&replies, &outcome.written);
        if outcome.ended {
            assert!(replies.len() <= 1, "{words:?}: {replies:?}");
            return false;
        }
        if is(0, "client") && is(1, "reply") {
            self.may_be_muted = replies.is_empty();
            assert!(replies.len() <= 1, "{words:?}: {replies:?}");
            return true;
        }
        let confirmations = self.confirmations(words, &replies);
        let expected = confirmations.unwrap_or(1);
        // Confirmations are messages: they come whether replies are wanted or not.
        let is_muted = self.may_be_muted && confirmations.is_none() && replies.is_empty();
        assert!(is_muted || replies.len() == expected, "{words:?}: {replies:?}");
        true
    }

    /// Somebody was found down.
    fn hears(&mut self) -> bool {
        let event = RenderedEvent::new("+sdown", "master mymaster 10.0.0.1 6379");
        self.client.deliver(&event, self.host.now);
        let outcome = self.host.run(&mut self.client, b"");
        let messages = frames::read_all(&outcome.written);
        self.is_well_spelled(&messages, &outcome.written);
        let [channels, patterns] = &self.subscriptions;
        let most = usize::from(channels.iter().any(|name| name == "+sdown"));
        assert!((most..=most + patterns.len()).contains(&messages.len()), "{messages:?}");
        for message in &messages {
            let items = message.items().expect("a message");
            assert_eq!(items.last(), Some(&Frame::Bulk(event.payload().clone())));
        }
        true
    }

    /// Silence, too long for a client that listens to nothing.
    fn waits(&mut self) -> bool {
        self.host.wait(Span::from_secs(TIMEOUT_SECS + 1));
        self.client.check_time(self.host.now, TIMEOUT_SECS);
        let outcome = self.host.run(&mut self.client, b"");
        assert_eq!(outcome.ended, self.subscriptions.iter().all(Vec::is_empty));
        assert!(outcome.written.is_empty());
        !outcome.ended
    }

    /// A password that was typed where a password belongs, or that the configuration holds, is
    /// never sent back nor logged.
    fn keeps_secrets(&mut self, words: &[Bytes], outcome: &Outcome) {
        let shown = [outcome.warnings.concat(), format!("{:?}", self.client)].concat();
        for (secret, given_away) in SECRETS.iter().zip(&mut self.given_away) {
            let secret = secret.as_bytes();
            let mut places = words.iter().enumerate();
            *given_away |= places
                .any(|(place, word)| contains(word, secret) && !is_secret_place(words, place));
            if !*given_away {
                assert!(!contains(&outcome.written, secret), "{words:?}");
                assert!(!contains(shown.as_bytes(), secret), "{words:?}: {shown}");
            }
        }
    }

    /// What was decoded is written in the same bytes: no type of the other protocol was used.
    fn is_well_spelled(&self, replies: &[Frame], written: &[u8]) {
        let again: Vec<u8> =
            replies.iter().flat_map(|reply| frames::written(reply, self.protocol)).collect();
        assert_eq!(shown(&again), shown(written), "{:?}", self.protocol);
    }

    /// Follows SUBSCRIBE and its relatives; how many confirmations they must give. None for another
    /// command, and for one that was refused.
    fn confirmations(&mut self, words: &[Bytes], replies: &[Frame]) -> Option<usize> {
        let (is_subscribing, kind) = match words[0].to_ascii_lowercase().as_slice() {
            b"subscribe" => (true, 0),
            b"unsubscribe" => (false, 0),
            b"psubscribe" => (true, 1),
            b"punsubscribe" => (false, 1),
            _ => return None,
        };
        if replies.first().is_none_or(Frame::is_error) {
            return None;
        }
        let names = &mut self.subscriptions[kind];
        let count = match &words[1..] {
            [] => names.len().max(1),
            named => named.len(),
        };
        if words.len() == 1 {
            names.clear();
        }
        for name in &words[1..] {
            names.retain(|known| known != name);
            if is_subscribing {
                names.push(name.clone());
            }
        }
        let total = self.subscriptions.iter().map(Vec::len).sum::<usize>();
        let last = replies.last().and_then(Frame::items).and_then(<[Frame]>::last);
        assert_eq!(last, Some(&Frame::Integer(i64::try_from(total).unwrap_or(i64::MAX))));
        Some(count)
    }
}

/// Whether a password belongs there.
fn is_secret_place(words: &[Bytes], place: usize) -> bool {
    let is = |place: usize, name: &str| {
        words.get(place).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    let sentinel = |name| is(0, "sentinel") && is(1, name);
    (is(0, "auth") && words.len() <= 3 && place + 1 == words.len())
        || (is(0, "hello") && place == 4 && is(2, "auth"))
        || (sentinel("set") && place >= 4 && place.is_multiple_of(2) && is(place - 1, "auth-pass"))
        || (sentinel("config")
            && is(2, "set")
            && place >= 4
            && place.is_multiple_of(2)
            && is(place - 1, "sentinel-pass"))
}
