//! The control loop with a machine that only takes notes.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc;
use std::time::Duration;

use vedette_core::{Answer, ConnId, PingReply, Purpose, Query, Span, Ticket};

use super::*;
use crate::board::Board;
use crate::log::{Log, LogTarget};

/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(10);
const CONN: ConnId = ConnId(1);

/// Tells what it was given, and orders what it was told to.
struct Notes<F> {
    orders: Orders,
    given: mpsc::Sender<(Time, Input)>,
    on_input: F,
}

#[derive(Default)]
struct Orders {
    effects: VecDeque<Effect>,
    deadline: Option<Time>,
}

impl<F: FnMut(&mut Orders, Now, &Input) + Send + 'static> Core for Notes<F> {
    fn handle_input(&mut self, now: Now, input: Input) {
        if input == Input::DeadlineReached {
            self.orders.deadline = None;
        }
        // The test may have seen enough.
        let _ = self.given.send((now.mono, input.clone()));
        (self.on_input)(&mut self.orders, now, &input);
    }

    fn poll_effect(&mut self) -> Option<Effect> {
        self.orders.effects.pop_front()
    }

    fn poll_deadline(&self) -> Option<Time> {
        self.orders.deadline
    }

    fn poll_composure(&self) -> Span {
        Span::ZERO
    }
}

struct Harness {
    given: mpsc::Receiver<(Time, Input)>,
    mail: Arc<ControlMailbox>,
    _thread: ControlThread,
    _folder: tempfile::TempDir,
}

impl Harness {
    fn next(&self) -> Input {
        self.given.recv_timeout(PATIENCE).expect("an input").1
    }
}

fn start(
    effects: Vec<Effect>,
    deadline: Option<Time>,
    on_input: impl FnMut(&mut Orders, Now, &Input) + Send + 'static,
) -> Harness {
    let folder = tempfile::tempdir().unwrap();
    let (given_to, given) = mpsc::channel();
    let orders = Orders { effects: effects.into(), deadline };
    let core = Notes { orders, given: given_to, on_input };
    let bell = Arc::new(Doorbell::default());
    let mail = Arc::new(Mailbox::new(bell.clone()));
    let log = Log::new(LogTarget::default(), vedette_core::LogLevel::Nothing);
    let errands = crate::errands::channel(mail.clone()).0;
    let board = Arc::new(Board::default());
    let outlets = Outlets::new(no_store(folder.path()), errands, board, Vec::new(), log);
    let parts = Parts {
        core,
        clock: Clock::start(),
        heart: Heartbeat::new(),
        bell,
        mail: mail.clone(),
        outlets,
        route: Route::default(),
    };
    Harness { given, mail, _thread: spawn(parts).unwrap(), _folder: folder }
}

fn no_store(folder: &std::path::Path) -> crate::store::Store {
    let path = folder.join("sentinel.conf");
    std::fs::write(&path, "").unwrap();
    let loaded = vedette_conf::load(&path, &[], None, &crate::store::DiskFiles).unwrap();
    let state = loaded.state.durable(vedette_core::SentinelId::from_random([0; 20]));
    crate::store::Store::open(&path, loaded.document, &state, |_| {}).unwrap()
}

fn connect(to: SocketAddr) -> Effect {
    let purpose = Purpose::Commands;
    Effect::Connect { conn: CONN, purpose, to, renames: Arc::default() }
}

fn ping() -> Effect {
    Effect::Send { conn: CONN, query: Query::Ping }
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

const PONG: Input = Input::Answered { conn: CONN, answer: Answer::Ping(PingReply::Pong) };

#[test]
fn queries_wait_for_the_connection_and_answers_come_back() {
    let (listener, address) = listener();
    let harness = start(vec![connect(address), ping(), ping()], None, |_, _, _| {});
    let (mut peer, _) = listener.accept().unwrap();
    let mut bytes = [0; 28];
    peer.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n");
    peer.write_all(b"+PONG\r\n+PONG\r\n").unwrap();
    let local_ip = Ipv4Addr::LOCALHOST.into();
    assert_eq!(harness.next(), Input::Connected { conn: CONN, local_ip });
    assert_eq!(harness.next(), PONG);
    assert_eq!(harness.next(), PONG);
    drop(peer);
    assert_eq!(harness.next(), Input::Disconnected { conn: CONN });
}

#[test]
fn a_refused_connection_is_told() {
    let (listener, address) = listener();
    drop(listener);
    let harness = start(vec![connect(address)], None, |_, _, _| {});
    let told = harness.next();
    assert!(matches!(told, Input::ConnectFailed { conn: CONN, .. }), "{told:?}");
}

/// What is not RESP ends the connection, and the core hears of it.
#[test]
fn nonsense_disconnects() {
    let (listener, address) = listener();
    let harness = start(vec![connect(address), ping()], None, |_, _, _| {});
    let (mut peer, _) = listener.accept().unwrap();
    peer.write_all(b"HTTP/1.1 400 Bad Request\r\n").unwrap();
    assert!(matches!(harness.next(), Input::Connected { .. }));
    assert_eq!(harness.next(), Input::Disconnected { conn: CONN });
}

#[test]
fn the_deadline_is_told_when_it_has_come_and_not_before() {
    let harness = start(Vec::new(), Some(Time(30)), |_, _, _| {});
    let (at, input) = harness.given.recv_timeout(PATIENCE).unwrap();
    assert_eq!(input, Input::DeadlineReached);
    assert!(at >= Time(30), "{at:?}");
}

/// spec: rules E3. The thread is kept busy over a deadline while a reply arrives: the reply is
/// handled first.
#[test]
fn what_is_readable_is_read_before_the_deadline() {
    let (listener, address) = listener();
    let (go, wait_for_go) = mpsc::channel::<()>();
    let busy = move |orders: &mut Orders, now: Now, input: &Input| match input {
        Input::Connected { .. } => orders.effects.push_back(ping()),
        Input::Requested { .. } => {
            orders.deadline = Some(now.mono);
            wait_for_go.recv_timeout(PATIENCE).expect("the word to go on");
        }
        _ => {}
    };
    let harness = start(vec![connect(address)], None, busy);
    let (mut peer, _) = listener.accept().unwrap();
    peer.read_exact(&mut [0; 14]).unwrap();
    assert!(matches!(harness.next(), Input::Connected { .. }));
    let request = vedette_core::Request::FlushConfig;
    harness.mail.post(Input::Requested { ticket: Ticket(0), request });
    assert!(matches!(harness.next(), Input::Requested { .. }));
    // The thread is stuck in that request now; the reply waits when it comes back.
    peer.write_all(b"+PONG\r\n").unwrap();
    go.send(()).unwrap();
    assert_eq!(harness.next(), PONG);
    assert_eq!(harness.next(), Input::DeadlineReached);
}
