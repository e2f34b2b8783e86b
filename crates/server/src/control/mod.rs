//! The control thread: it owns the Sentinel and all links to nodes and peers, and decides nothing.
//!
//! ```text
//! wait: a socket, a letter, or the core's deadline
//! look: read everything that is readable by now, take every letter      ─▶ inputs
//! turn: up to 256 inputs to the core, then all its effects               ─▶ sockets, letters
//! ```
//!
//! Its only timer is the core's deadline, and its only pause the core's composure. Sockets are read
//! before the deadline (rule E3): one that has come sends the thread back to the operating system
//! once more, without waiting, and only what is not readable even then counts as silent.

mod effects;
mod links;
mod thread;
mod timer;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use vedette_core::{Effect, Input, Now, Span, Time};
use vedette_flight::Recorded;

use crate::clock::{Clock, Heartbeat};
use crate::doorbell::{Doorbell, Mailbox, system_asked};
use links::Links;
use timer::Timer;

pub(crate) use effects::Outlets;
pub(crate) use links::Route;
pub(crate) use thread::{ControlThread, cpu_time_us, spawn};

/// Inputs of one turn: bounds how long effects wait for the inputs behind theirs.
const MAX_INPUTS_PER_TURN: usize = 256;

/// Where other threads leave inputs for the core.
pub(crate) type ControlMailbox = Mailbox<Input>;

/// The core as this thread uses it; tests put another machine in its place.
pub(crate) trait Core: Send + 'static {
    /// Takes a fact.
    fn handle_input(&mut self, now: Now, input: Input);
    /// Gives an order.
    fn poll_effect(&mut self) -> Option<Effect>;
    /// When it next wants [`Input::DeadlineReached`].
    fn poll_deadline(&self) -> Option<Time>;
    /// How long what comes in may be left unread.
    fn poll_composure(&self) -> Span;
}

impl Core for Recorded {
    fn handle_input(&mut self, now: Now, input: Input) {
        Self::handle_input(self, now, input);
    }

    fn poll_effect(&mut self) -> Option<Effect> {
        Self::poll_effect(self)
    }

    fn poll_deadline(&self) -> Option<Time> {
        Self::poll_deadline(self)
    }

    fn poll_composure(&self) -> Span {
        Self::poll_composure(self)
    }
}

/// The control thread's state.
struct Control<C> {
    core: C,
    clock: Clock,
    heart: Arc<Heartbeat>,
    bell: Arc<Doorbell>,
    mail: Arc<ControlMailbox>,
    links: Links,
    outlets: Outlets,
    inputs: VecDeque<Input>,
    letters: Vec<Input>,
    timer: Timer,
    stop: Arc<AtomicBool>,
}

/// What the control thread is made of.
pub(crate) struct Parts<C> {
    pub(crate) core: C,
    pub(crate) clock: Clock,
    pub(crate) heart: Arc<Heartbeat>,
    pub(crate) bell: Arc<Doorbell>,
    pub(crate) mail: Arc<ControlMailbox>,
    pub(crate) outlets: Outlets,
    pub(crate) route: Route,
}

/// What woke the thread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Woken {
    BySomething,
    ByDeadline,
    ToStop,
}

impl<C: Core> Control<C> {
    /// Carries out what the core wants at its start. Must be called within a runtime: sockets and
    /// the timer belong to it.
    fn start(parts: Parts<C>, stop: Arc<AtomicBool>) -> io::Result<Self> {
        let Parts { core, clock, heart, bell, mail, outlets, route } = parts;
        let mut control = Self {
            core,
            clock,
            heart,
            mail,
            links: Links::new(bell.clone(), route),
            bell,
            outlets,
            inputs: VecDeque::new(),
            letters: Vec::new(),
            timer: Timer::new()?,
            stop,
        };
        control.carry_out();
        Ok(control)
    }

    /// Runs until it is told to stop. No cooperative budget may be imposed on it: it polls all
    /// sockets itself.
    async fn run(mut self) {
        loop {
            let woken = self.wait().await;
            self.outlets.sign_of_life(&self.heart, Some(self.clock.time()));
            match woken {
                Woken::ByDeadline => system_asked().await,
                Woken::BySomething if self.wait_for_company() => system_asked().await,
                Woken::BySomething => {}
                Woken::ToStop => return,
            }
            self.look();
            while !self.inputs.is_empty() {
                self.turn();
            }
            if woken == Woken::ByDeadline && self.is_due() {
                self.inputs.push_back(Input::DeadlineReached);
                self.turn();
            }
        }
    }

    /// While nothing is wrong, what comes a moment later is handled in the same turn. The thread
    /// itself sleeps: the runtime would be woken by each socket. Says whether it did.
    fn wait_for_company(&self) -> bool {
        let until_due = self.core.poll_deadline().map(|due| due.since(self.clock.time()));
        let composure = self.core.poll_composure().min(until_due.unwrap_or(Span(u64::MAX)));
        let composure = Duration::from_millis(composure.0);
        if !composure.is_zero() {
            std::thread::sleep(composure);
        }
        !composure.is_zero()
    }

    /// Waits for a socket, a letter or the deadline.
    async fn wait(&mut self) -> Woken {
        let deadline = self.core.poll_deadline();
        self.outlets.sign_of_life(&self.heart, deadline);
        self.timer.set(deadline.map(|deadline| self.clock.instant(deadline)));
        poll_fn(move |cx| {
            self.bell.answer(cx);
            self.timer.watch(cx);
            match self.found() {
                Some(woken) => Poll::Ready(woken),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// What there is to do, if anything.
    fn found(&self) -> Option<Woken> {
        if self.stop.load(Ordering::Acquire) {
            return Some(Woken::ToStop);
        }
        if self.is_due() {
            return Some(Woken::ByDeadline);
        }
        let quiet = self.links.are_quiet() && self.mail.is_empty() && self.inputs.is_empty();
        (!quiet).then_some(Woken::BySomething)
    }

    fn is_due(&self) -> bool {
        self.core.poll_deadline().is_some_and(|deadline| deadline <= self.clock.time())
    }

    /// Turns everything that is readable, and all letters, into inputs.
    fn look(&mut self) {
        self.links.look(&mut self.inputs);
        self.mail.take(&mut self.letters);
        self.inputs.extend(self.letters.drain(..));
    }

    /// One turn: inputs to the core, its effects to the world.
    fn turn(&mut self) {
        for _ in 0..MAX_INPUTS_PER_TURN {
            let Some(input) = self.inputs.pop_front() else { break };
            self.core.handle_input(self.clock.now(), input);
        }
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.core.poll_effect() {
            self.outlets.carry_out(effect, &mut self.links, &mut self.inputs);
        }
        self.links.flush(&mut self.inputs);
        self.outlets.post_responses();
    }
}
