//! A client thread: waits for its sockets and letters, then works through everything in one round.

use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use foldhash::HashMap;
use tokio::time::{Sleep, sleep_until};
use vedette_core::{Span, Time, Tunable};

use super::connection::Connection;
use super::rounds::Desk;
use super::{ClientLetter, House, Inbox};
use crate::board::Announcement;
use crate::doorbell::{ReadySet, system_asked};

/// Bytes read at once, as in the reference.
const READ_BYTES: usize = 16 * 1024;

/// The coarse tick for idle clients and for outputs that stay above their soft limit. It runs only
/// while there is something to watch. (Nothing on the way of a vote, a PING or an event times out
/// by itself: the house rule is about those.)
pub(super) const TICK: Span = Span(1000);

/// A client thread's state.
pub(super) struct ClientThread {
    pub(super) desk: Desk,
    pub(super) inbox: Arc<Inbox>,
    pub(super) ready: ReadySet,
    /// By the number of the client.
    pub(super) connections: HashMap<u64, Connection>,
    /// Events whose snapshot is not ours yet, oldest first.
    pub(super) announced: Vec<Arc<Announcement>>,
    pub(super) letters: Vec<ClientLetter>,
    pub(super) touched: Vec<u64>,
    pub(super) scratch: Box<[u8]>,
    pub(super) ticked_at: Time,
    timer: Pin<Box<Sleep>>,
}

/// Starts the client thread of this number.
///
/// # Errors
/// If the system refuses a thread.
pub(crate) fn spawn(number: usize, house: Arc<House>) -> io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let run = move || {
        runtime.block_on(async move {
            // A task of its own rather than the runtime's main future, which is woken through the
            // operating system even by its own sockets. No cooperative budget: it polls them all.
            let thread = ClientThread::new(number, house);
            let task = tokio::spawn(tokio::task::unconstrained(thread.run()));
            task.await.unwrap_or_else(|error| panic!("client thread {number}: {error}"))
        })
    };
    std::thread::Builder::new().name(format!("clients-{number}")).spawn(run)?;
    Ok(())
}

impl ClientThread {
    pub(super) fn new(number: usize, house: Arc<House>) -> Self {
        let inbox = house.threads[number].clone();
        let now = house.clock.time();
        let timer = Box::pin(sleep_until(house.clock.instant(now).into()));
        Self {
            ready: ReadySet::new(inbox.bell.clone()),
            desk: Desk::new(number, house),
            inbox,
            connections: HashMap::default(),
            announced: Vec::new(),
            letters: Vec::new(),
            touched: Vec::new(),
            scratch: vec![0; READ_BYTES].into(),
            ticked_at: now,
            timer,
        }
    }

    async fn run(mut self) {
        loop {
            self.wait().await;
            if !self.desk.deliveries.are_done() {
                // Who asked something meanwhile is answered before the next slice.
                system_asked().await;
            }
            self.round();
        }
    }

    /// Waits for a socket, a letter, or the tick; and, whatever comes, for the control thread's
    /// next sign of life if that is overdue.
    async fn wait(&mut self) {
        let due = self.next_due();
        if let Some(due) = due {
            let instant = self.desk.house.clock.instant(due).into();
            if self.timer.deadline() != instant {
                self.timer.as_mut().reset(instant);
            }
        }
        let bell = self.inbox.bell.clone();
        poll_fn(|cx| {
            bell.answer(cx);
            if self.is_mute() {
                return Poll::Pending;
            }
            let has_events = self.can_deliver() || !self.desk.deliveries.are_done();
            let has_news = has_events || self.desk.must_follow_users();
            if !self.ready.is_empty() || !self.inbox.is_empty() || has_news {
                return Poll::Ready(());
            }
            match due {
                Some(_) => self.timer.as_mut().poll(cx),
                None => Poll::Pending,
            }
        })
        .await;
    }

    /// Whether events that were taken too early can be delivered now.
    fn can_deliver(&self) -> bool {
        let next = self.announced.first();
        next.is_some_and(|announcement| announcement.seq() <= self.desk.house.board.seq())
    }

    /// Whether the control thread is stuck, so that answering would be a lie.
    fn is_mute(&self) -> bool {
        let house = &self.desk.house;
        let process = self.desk.snapshot.process();
        let trigger = process.map(|process| process.tunables.get(Tunable::TiltTrigger));
        trigger.is_some_and(|trigger| house.heart.is_overdue(house.clock.time(), trigger))
    }

    /// When the thread must look after its clients though nothing happens.
    fn next_due(&self) -> Option<Time> {
        let desk = &self.desk;
        let idle = desk.house.rules.timeout_secs > 0 && !self.connections.is_empty();
        let tick = (idle || !desk.backlogged.is_empty()).then_some(self.ticked_at + TICK);
        let pause = desk.house.pause_end().filter(|_| !desk.held.is_empty());
        tick.into_iter().chain(pause).min()
    }
}
