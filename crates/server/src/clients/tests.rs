//! Client threads with the test in the place of the control thread.

mod slices;

use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::task::{Poll, Waker};
use std::time::Duration;

use vedette_core::{
    Counters, Detail, Event, EventKind, Input, LogLevel, MasterName, ProcessView, Publication,
    SentinelId, Settings, SimulatedFailures, Span, Tunable, Tunables,
};
use vedette_wire::Client;
use vedette_wire::client::{ClientLimits, Ends, Told};

use super::connection::{Connection, OUTPUT_KEPT};
use super::listen::Line;
use super::rounds::Desk;
use super::*;
use crate::log::LogTarget;

/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// Client threads and what surrounds them.
struct Harness {
    house: Arc<House>,
}

/// A client of theirs.
struct Peer(UnixStream);

impl Harness {
    fn start(threads: usize, change: impl FnOnce(&mut Rules)) -> Self {
        let harness = Self::without_threads(threads, change);
        (0..threads).for_each(|number| spawn(number, harness.house.clone()).unwrap());
        harness
    }

    /// Nobody is at work yet.
    fn without_threads(threads: usize, change: impl FnOnce(&mut Rules)) -> Self {
        let mut rules = Rules {
            greets_as_redis: false,
            limits: ClientLimits::default(),
            timeout_secs: 0,
            keepalive_secs: 0,
            maxclients: 100,
            protected_mode: false,
            told: Told::Names,
            names: Arc::default(),
        };
        change(&mut rules);
        let house = Arc::new(House {
            dialect: vedette_wire::Dialect::Redis,
            clock: Clock::start(),
            heart: Heartbeat::new(),
            board: Arc::default(),
            control: Arc::new(Mailbox::new(Arc::default())),
            log: Log::new(LogTarget::default(), LogLevel::Nothing),
            accounts: Arc::new(AccountsBoard::new(Accounts::default(), None, 128)),
            rules,
            facts: ProcessFacts::default(),
            control_thread: rustix::process::getpid(),
            exit: ExitRequest::default(),
            threads: (0..threads).map(|_| Inbox::new()).collect(),
            counters: Default::default(),
            budget: Default::default(),
            roll: Roll::default(),
            pause: Mutex::default(),
        });
        Self { house }
    }

    fn connect(&self, thread: usize) -> Peer {
        let (peer, ours) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        let id = self.house.roll.admit(u64::MAX).unwrap();
        let newcomer =
            Newcomer::new(id, Line::Plain(ours.into()), Ends::Unix { path: "/test".into() });
        self.house.threads[thread].letters.post(ClientLetter::Accepted(newcomer));
        Peer(peer)
    }

    /// The request that the core would get.
    fn next_request(&self) -> Ticket {
        let mut letters = Vec::new();
        loop {
            self.house.control.take(&mut letters);
            match letters.pop() {
                Some(Input::Requested { ticket, .. }) => return ticket,
                Some(other) => panic!("{other:?}"),
                None => std::thread::yield_now(),
            }
        }
    }

    fn respond(&self, ticket: Ticket, response: Response) {
        let letter = ClientLetter::Responded { ticket, response };
        self.house.threads[thread_of(ticket)].letters.post(letter);
    }

    /// Leaves an event in the mailboxes, as the control thread does before it shows its snapshot.
    fn leave_event(&self, publication: &Arc<Publication>) {
        let announcement = Announcement::of(Publication::clone(publication)).unwrap();
        for inbox in &self.house.threads {
            inbox.announcements.leave(announcement.clone());
        }
    }

    fn show(&self, publication: &Publication) {
        let board = &self.house.board;
        board.show(Arc::new(board.snapshot().apply(publication)));
        self.house.threads.iter().for_each(|inbox| inbox.bell.ring());
    }
}

impl Peer {
    fn say(&mut self, words: &str) {
        self.0.write_all(format!("{words}\r\n").as_bytes()).unwrap();
    }

    /// Fails unless exactly these bytes come next.
    fn hear(&mut self, expected: &str) {
        let mut bytes = vec![0; expected.len()];
        self.0.read_exact(&mut bytes).unwrap_or_else(|error| panic!("{expected:?}: {error}"));
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    fn hear_line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap()
    }

    fn hear_the_end(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        rest
    }

    fn asks(&mut self, words: &str, expected: &str) {
        self.say(words);
        self.hear(expected);
    }
}

/// A publication with the name of one event's level change: `+tilt`.
fn publication(seq: u64) -> Arc<Publication> {
    let event = Event { kind: EventKind::TiltEntered, about: None, detail: Detail::None };
    let process = ProcessView {
        my_id: SentinelId::from_random([seq as u8; 20]),
        current_epoch: vedette_core::Epoch::ZERO,
        settings: Arc::new(Settings::default()),
        tunables: Tunables::default(),
        tilt_since: None,
        simulated_failures: SimulatedFailures::default(),
        scripts: Vec::new(),
        disk_failing_since: None,
        counters: Counters::default(),
    };
    let listing: Arc<[(MasterName, vedette_core::MasterId)]> = Arc::new([]);
    Arc::new(Publication {
        seq,
        masters: Vec::new(),
        listing: Some(listing),
        process: Some(Arc::new(process)),
        events: vec![event],
    })
}

const SUBSCRIBED: &str = "*3\r\n$9\r\nsubscribe\r\n$5\r\n+tilt\r\n:1\r\n";

/// The first line of the id that the snapshot of this number shows.
fn my_id(seq: u64) -> String {
    format!("$40\r\n{}\r\n", SentinelId::from_random([seq as u8; 20]))
}

#[test]
fn replies_come_in_order_over_pipelined_requests() {
    let harness = Harness::start(1, |_| {});
    let mut peer = harness.connect(0);
    peer.asks("PING\r\nPING x\r\nNOPE", "+PONG\r\n$1\r\nx\r\n-ERR unknown command 'NOPE'");
}

#[test]
fn an_event_waits_for_its_snapshot() {
    let harness = Harness::start(1, |_| {});
    harness.show(&publication(1));
    let (mut listener, mut asker) = (harness.connect(0), harness.connect(0));
    listener.asks("SUBSCRIBE +tilt", SUBSCRIBED);
    harness.leave_event(&publication(2));
    // The thread works, and keeps the event to itself.
    asker.asks("SENTINEL MYID", &my_id(1));
    listener.asks("PING", "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    harness.show(&publication(2));
    let message = listener.hear_line();
    assert_eq!(message, "*3\r\n");
    listener.hear("$7\r\nmessage\r\n$5\r\n+tilt\r\n");
    asker.asks("SENTINEL MYID", &my_id(2));
}

/// Who hears an event and asks is never told the old state; who subscribes and then asks misses
/// nothing (spec: DESIGN 1).
#[test]
fn events_and_answers_agree_under_load() {
    let harness = Harness::start(2, |_| {});
    harness.show(&publication(1));
    let mut peers = [harness.connect(0), harness.connect(1)];
    for peer in &mut peers {
        peer.asks("HELLO 3", "%6\r\n");
        while peer.hear_line() != "*0\r\n" {}
        peer.asks("SUBSCRIBE +tilt", ">3\r\n");
        while peer.hear_line() != ":1\r\n" {}
    }
    const LAST: u64 = 200;
    let house = harness.house.clone();
    let publisher = std::thread::spawn(move || {
        let harness = Harness { house };
        for seq in 2..=LAST {
            let publication = publication(seq);
            harness.leave_event(&publication);
            harness.show(&publication);
        }
    });
    for peer in &mut peers {
        let mut heard = 1;
        while heard < LAST {
            peer.say("SENTINEL MYID");
            loop {
                let line = peer.hear_line();
                if line == ">3\r\n" {
                    heard += 1;
                } else if line.len() == 42 {
                    assert_eq!(format!("$40\r\n{line}"), my_id(heard), "after {heard} events");
                    break;
                }
            }
        }
    }
    publisher.join().unwrap();
}

#[test]
fn a_response_finds_its_client_though_it_said_good_bye() {
    let harness = Harness::start(2, |_| {});
    let (mut one, mut two) = (harness.connect(0), harness.connect(1));
    one.say("SENTINEL FLUSHCONFIG\r\nPING");
    let ticket = harness.next_request();
    assert_eq!(thread_of(ticket), 0);
    two.asks("PING", "+PONG\r\n");
    one.0.shutdown(Shutdown::Write).unwrap();
    harness.respond(ticket, Response::Done);
    assert_eq!(one.hear_the_end(), b"+OK\r\n+PONG\r\n");
}

#[test]
fn clients_are_listed_and_killed_across_threads() {
    let harness = Harness::start(2, |_| {});
    let mut peers = [harness.connect(0), harness.connect(1), harness.connect(1)];
    peers.iter_mut().for_each(|peer| peer.asks("PING", "+PONG\r\n"));
    peers[1].say("CLIENT LIST");
    let length: usize = peers[1].hear_line()[1..].trim().parse().unwrap();
    let mut list = vec![0; length + 2];
    peers[1].0.read_exact(&mut list).unwrap();
    let list = String::from_utf8(list).unwrap();
    let ids: Vec<_> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ids, ["id=1", "id=2", "id=3", ""]);
    peers[1].asks("CLIENT KILL TYPE normal", ":2\r\n");
    assert!(peers[0].hear_the_end().is_empty() && peers[2].hear_the_end().is_empty());
    peers[1].asks("PING", "+PONG\r\n");
}

#[test]
fn a_pause_holds_and_ends_by_itself() {
    let harness = Harness::start(2, |_| {});
    let (mut one, mut two) = (harness.connect(0), harness.connect(1));
    one.asks("CLIENT PAUSE 100", "+OK\r\n");
    let paused = harness.house.clock.time();
    two.asks("PING", "+PONG\r\n");
    assert!(harness.house.clock.time().since(paused) >= Span(50), "it was held");
}

/// spec: DESIGN 1, "The shell"
#[test]
fn nobody_answers_while_the_control_thread_is_stuck() {
    let harness = Harness::start(1, |_| {});
    harness.show(&publication(1));
    let mut peer = harness.connect(0);
    peer.asks("PING", "+PONG\r\n");
    // As if a sign had been due so long ago that it is overdue at once.
    let mut tunables = Tunables::default();
    tunables.set(Tunable::TiltTrigger, Span(0));
    let mut stuck = (*publication(2)).clone();
    let process = stuck.process.as_deref().unwrap().clone();
    stuck.process = Some(Arc::new(ProcessView { tunables, ..process }));
    stuck.events.clear();
    harness.show(&stuck);
    peer.asks("SENTINEL MYID", &my_id(2));
    while harness.house.clock.time() == Time(0) {}
    harness.house.heart.beat(Some(Time(0)));
    peer.say("PING");
    peer.0.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(peer.0.read(&mut [0]).is_err(), "it answered");
    peer.0.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(harness.house.heart.beat(None), "somebody waits for the sign");
    harness.house.threads[0].bell.ring();
    peer.hear("+PONG\r\n");
}

#[test]
fn an_idle_client_is_closed() {
    let harness = Harness::start(1, |rules| rules.timeout_secs = 1);
    let mut peer = harness.connect(0);
    peer.asks("PING", "+PONG\r\n");
    assert!(peer.hear_the_end().is_empty());
}

#[test]
fn the_largest_query_buffer_is_closed_when_all_are_too_much() {
    let harness = Harness::start(2, |_| {});
    let (mut large, mut small) = (harness.connect(0), harness.connect(1));
    let chunk = vec![b'x'; 1 << 20];
    large.say("*2\r\n$4\r\nPING\r\n$60000000");
    (0..50).for_each(|_| large.0.write_all(&chunk).unwrap());
    small.say("*2\r\n$4\r\nPING\r\n$20000000");
    (0..18).for_each(|_| small.0.write_all(&chunk).unwrap());
    assert!(large.hear_the_end().is_empty());
    small.0.write_all(&chunk).unwrap();
}

#[test]
fn memory_of_a_long_reply_is_given_back() {
    let house = Harness::start(1, |_| {}).house;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _entered = runtime.enter();
    let (_peer, ours) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let ends = Ends::Unix { path: "/test".into() };
    let newcomer = Newcomer::new(ClientId(1), Line::Plain(ours.into()), ends);
    let (stream, facts) = newcomer.settle(&house).unwrap();
    let mut desk = Desk::new(0, house.clone());
    let client = Client::new(ClientId(1), facts, ClientLimits::default(), &desk.view());
    let mut connection = Connection::new(client, stream, Waker::noop().clone());
    connection.client.output().extend_from_slice(&[b'x'; 2 * OUTPUT_KEPT]);
    runtime.block_on(poll_fn(|cx| {
        connection.waker = cx.waker().clone();
        connection.write(&house.counters);
        if connection.client.output().is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }));
    assert!(!connection.client.output().try_reclaim(OUTPUT_KEPT), "it is still held");
}
