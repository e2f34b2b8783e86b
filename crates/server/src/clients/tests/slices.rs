//! Many events for many subscribers: a thread that does one round when the test says so.

use tokio::runtime::Runtime;
use vedette_core::Epoch;
use vedette_wire::client::OutputLimit;

use super::*;
use crate::clients::thread::ClientThread;
use crate::doorbell::system_asked;

/// More than a slice can serve.
const SUBSCRIBERS: usize = 200;

/// Most rounds that anything here may take.
const ROUNDS_MAX: usize = 1000;

/// What makes nine messages of each event.
const GREEDY: &str = "PSUBSCRIBE * ** *** +* +** +*** [+]* [+-]* ?new-epoch";

struct Stepped {
    harness: Harness,
    runtime: Runtime,
    thread: ClientThread,
    /// Of the last publication.
    seq: u64,
}

impl Stepped {
    fn start(pubsub: OutputLimit) -> Self {
        let harness = Harness::without_threads(1, |rules| rules.limits.pubsub = pubsub);
        harness.show(&publication(1));
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_io().enable_time().build().unwrap();
        let thread = runtime.block_on(async { ClientThread::new(0, harness.house.clone()) });
        Self { harness, runtime, thread, seq: 1 }
    }

    fn round(&mut self) {
        let thread = &mut self.thread;
        // As a thread has it, without a cooperative budget.
        self.runtime.block_on(tokio::task::unconstrained(async {
            system_asked().await;
            thread.round();
        }));
    }

    fn is_done(&self) -> bool {
        self.thread.desk.deliveries.are_done()
    }

    /// Until everybody has everything.
    fn rounds(&mut self) {
        let done = (0..ROUNDS_MAX).any(|_| {
            self.round();
            self.is_done()
        });
        assert!(done, "not done after {ROUNDS_MAX} rounds");
    }

    /// A client that has said this, and the thread has heard it.
    fn connect(&mut self, words: &str) -> Peer {
        let mut peer = self.harness.connect(0);
        peer.say(words);
        // One to admit it, one to read.
        (0..2).for_each(|_| self.round());
        peer
    }

    fn subscribers(&mut self, count: usize) -> Vec<Peer> {
        let mut peers: Vec<Peer> = (0..count).map(|_| self.harness.connect(0)).collect();
        peers.iter_mut().for_each(|peer| peer.say("SUBSCRIBE +new-epoch"));
        (0..2).for_each(|_| self.round());
        let answer = "*3\r\n$9\r\nsubscribe\r\n$10\r\n+new-epoch\r\n:1\r\n";
        peers.iter_mut().for_each(|peer| peer.hear(answer));
        peers
    }

    /// A client that may ask while it listens.
    fn talking_subscriber(&mut self) -> Peer {
        let mut peer = self.connect("HELLO 3\r\nSUBSCRIBE +new-epoch");
        while peer.hear_line() != ">3\r\n" {}
        peer.hear("$9\r\nsubscribe\r\n$10\r\n+new-epoch\r\n:1\r\n");
        peer
    }

    /// Publishes so many more events, each with its number, in as many publications.
    fn publish(&mut self, count: u64) {
        for seq in self.seq + 1..=self.seq + count {
            let mut publication = (*publication(seq)).clone();
            let detail = Detail::Epoch(Epoch::new(seq).unwrap());
            publication.events = vec![Event { kind: EventKind::NewEpoch, about: None, detail }];
            let publication = Arc::new(publication);
            self.harness.leave_event(&publication);
            self.harness.show(&publication);
        }
        self.seq += count;
    }

    fn dropped(&self) -> u64 {
        self.harness.house.counters.output_buffer_disconnections.load(Ordering::Relaxed)
    }
}

/// The message of the event with this number.
fn message(seq: u64) -> String {
    let text = seq.to_string();
    let payload = format!("${}\r\n{text}\r\n", text.len());
    format!("3\r\n$7\r\nmessage\r\n$10\r\n+new-epoch\r\n{payload}")
}

impl Peer {
    fn hears_nothing(&self) -> bool {
        rustix::io::ioctl_fionread(&self.0).unwrap() == 0
    }

    fn hear_messages(&mut self, kind: char, seqs: std::ops::RangeInclusive<u64>) {
        seqs.for_each(|seq| self.hear(&format!("{kind}{}", message(seq))));
    }
}

fn waiting(subscribers: &[Peer]) -> usize {
    subscribers.iter().filter(|peer| peer.hears_nothing()).count()
}

#[test]
fn questions_are_answered_between_two_slices() {
    let mut stepped = Stepped::start(OutputLimit::default());
    let mut subscribers = stepped.subscribers(SUBSCRIBERS);
    let mut asker = stepped.connect("PING");
    asker.hear("+PONG\r\n");
    stepped.publish(100);
    let mut still_waiting = SUBSCRIBERS;
    for _ in 0..3 {
        asker.say("SENTINEL MYID");
        stepped.round();
        asker.hear(&my_id(stepped.seq));
        let now = waiting(&subscribers);
        assert!(0 < now && now < still_waiting, "{now} of {still_waiting} wait");
        still_waiting = now;
    }
    stepped.rounds();
    for subscriber in &mut subscribers {
        subscriber.hear_messages('*', 2..=101);
        assert!(subscriber.hears_nothing());
    }
}

#[test]
fn a_subscriber_that_asks_gets_its_events_before_the_answer() {
    let mut stepped = Stepped::start(OutputLimit::default());
    let mut subscribers = stepped.subscribers(SUBSCRIBERS);
    let mut asker = stepped.talking_subscriber();
    asker.say("SENTINEL FLUSHCONFIG");
    stepped.round();
    let ticket = stepped.harness.next_request();
    stepped.publish(100);
    asker.say("SENTINEL MYID");
    stepped.harness.respond(ticket, Response::Done);
    stepped.round();
    assert!(waiting(&subscribers) > 0);
    asker.hear("+OK\r\n");
    asker.hear_messages('>', 2..=101);
    asker.hear(&my_id(101));
    stepped.publish(100);
    stepped.rounds();
    asker.hear_messages('>', 102..=201);
    subscribers.iter_mut().for_each(|subscriber| subscriber.hear_messages('*', 2..=201));
}

#[test]
fn who_subscribes_or_leaves_hears_only_what_is_between() {
    let mut stepped = Stepped::start(OutputLimit::default());
    let mut subscribers = stepped.subscribers(SUBSCRIBERS);
    let mut leaver = stepped.talking_subscriber();
    stepped.publish(100);
    leaver.say("UNSUBSCRIBE");
    let mut late = stepped.talking_subscriber();
    assert!(waiting(&subscribers) > 0);
    stepped.publish(1);
    stepped.rounds();
    leaver.hear_messages('>', 2..=101);
    leaver.hear(">3\r\n$11\r\nunsubscribe\r\n$10\r\n+new-epoch\r\n:0\r\n");
    assert!(leaver.hears_nothing());
    late.hear_messages('>', 102..=102);
    subscribers.iter_mut().for_each(|subscriber| subscriber.hear_messages('*', 2..=102));
}

#[test]
fn who_may_not_listen_any_more_does_not_hear_what_waited() {
    let mut stepped = Stepped::start(OutputLimit::default());
    let mut subscribers = stepped.subscribers(SUBSCRIBERS);
    let mut operator = stepped.connect("PING");
    operator.hear("+PONG\r\n");
    stepped.publish(100);
    operator.say("ACL SETUSER default resetchannels");
    stepped.rounds();
    operator.hear("+OK\r\n");
    subscribers.iter_mut().for_each(|peer| assert!(peer.hear_the_end().is_empty()));
}

#[test]
fn who_does_not_read_is_dropped_and_the_others_hear_everything_in_order() {
    let hard = OutputLimit { hard: 64 << 10, soft: 0, soft_secs: 0 };
    let soft = OutputLimit { hard: 0, soft: 64 << 10, soft_secs: 0 };
    for limit in [hard, soft] {
        let mut stepped = Stepped::start(limit);
        let mut subscribers = stepped.subscribers(100);
        let deaf: Vec<Peer> = (0..2).map(|_| stepped.connect(GREEDY)).collect();
        while stepped.dropped() < deaf.len() as u64 {
            assert!(stepped.seq < 10_000, "nobody is dropped");
            let before = stepped.seq;
            stepped.publish(100);
            stepped.rounds();
            for subscriber in &mut subscribers {
                subscriber.hear_messages('*', before + 1..=stepped.seq);
            }
            let began = stepped.harness.house.clock.time();
            while stepped.harness.house.clock.time() == began {}
        }
        stepped.publish(100);
        stepped.rounds();
        assert!(subscribers.iter().all(|subscriber| !subscriber.hears_nothing()));
        assert_eq!(stepped.dropped(), deaf.len() as u64);
    }
}

#[test]
fn who_reads_is_not_dropped_for_what_waited() {
    let mut stepped = Stepped::start(OutputLimit { hard: 32 << 10, soft: 0, soft_secs: 0 });
    let mut eager = stepped.connect(GREEDY);
    // Twice the limit, and less than what the system takes.
    stepped.publish(180);
    stepped.rounds();
    assert_eq!(stepped.dropped(), 0);
    eager.0.set_nonblocking(true).unwrap();
    let mut heard = Vec::new();
    let _ = eager.0.read_to_end(&mut heard).unwrap_err();
    assert!(heard.len() > 64 << 10, "{} bytes", heard.len());
}

#[test]
fn a_thread_does_not_sleep_before_everybody_has_everything() {
    let harness = Harness::start(1, |_| {});
    let mut subscribers: Vec<Peer> = (0..SUBSCRIBERS).map(|_| harness.connect(0)).collect();
    subscribers.iter_mut().for_each(|peer| peer.asks("SUBSCRIBE +tilt", SUBSCRIBED));
    harness.leave_event(&publication(2));
    harness.show(&publication(2));
    let message = "*3\r\n$7\r\nmessage\r\n$5\r\n+tilt\r\n$18\r\n#tilt mode entered\r\n";
    subscribers.iter_mut().for_each(|peer| peer.hear(message));
}
