//! The core's orders, carried out in the order in which they come.

use std::collections::VecDeque;
use std::sync::Arc;

use vedette_core::{Effect, Event, Input, Publication, Response, Ticket, Time};
use vedette_wire::{Snapshot, events, notes};

use super::links::Links;
use crate::board::{Announcement, Board};
use crate::clients::{ClientLetter, Inbox};
use crate::clock::Heartbeat;
use crate::errands::{Errand, Errands};
use crate::log::{Log, local_date};
use crate::process::EXIT_SIMULATED_CRASH;
use crate::store::Store;

/// Where effects go, beside the links.
pub(crate) struct Outlets {
    store: Store,
    errands: Errands,
    board: Arc<Board>,
    /// Of the client threads, by their number.
    clients: Vec<Arc<Inbox>>,
    log: Log,
    /// Responses of the present turn: they are posted at its end, when everything that they depend
    /// on is visible.
    responses: Vec<(Ticket, Response)>,
}

impl Outlets {
    pub(crate) fn new(
        store: Store,
        errands: Errands,
        board: Arc<Board>,
        clients: Vec<Arc<Inbox>>,
        log: Log,
    ) -> Self {
        Self { store, errands, board, clients, log, responses: Vec::new() }
    }

    /// Tells client threads that this thread is alive.
    pub(super) fn sign_of_life(&self, heart: &Heartbeat, next: Option<Time>) {
        if heart.beat(next) {
            self.clients.iter().for_each(|inbox| inbox.bell.ring());
        }
    }

    pub(super) fn carry_out(
        &mut self,
        effect: Effect,
        links: &mut Links,
        inputs: &mut VecDeque<Input>,
    ) {
        match effect {
            Effect::Connect { conn, purpose, to, renames } => {
                links.connect((conn, purpose), to, renames, inputs);
            }
            Effect::Close { conn } => links.close(conn),
            Effect::Send { conn, query } => links.send(conn, &query),
            Effect::Rename { conn, renames } => links.rename(conn, renames),
            Effect::Resolve { host } => self.errands.send(Errand::Resolve { host }),
            Effect::Persist { generation, changes } => self.store.save(generation, changes),
            Effect::Publish(publication) => self.publish(publication),
            Effect::Respond { ticket, response } => self.responses.push((ticket, response)),
            Effect::RunScript { job, call } => {
                let argv = events::script_argv(&call);
                self.errands.send(Errand::RunScript { job, argv });
            }
            Effect::KillScript { job } => self.errands.send(Errand::KillScript { job }),
            Effect::Log(note) => {
                let (level, text) = notes::note_text(&note, &local_date);
                self.log.line(level, &text);
            }
            Effect::Crash => self.crash(),
        }
    }

    /// Posts the responses of this turn. Each thread is woken once, when it has all of its own: one
    /// that wakes up between two of them writes them one by one.
    pub(super) fn post_responses(&mut self) {
        for (ticket, response) in self.responses.drain(..) {
            let thread = crate::clients::thread_of(ticket);
            if let Some(inbox) = self.clients.get(thread) {
                inbox.letters.leave(ClientLetter::Responded { ticket, response });
            }
        }
        for inbox in self.clients.iter().filter(|inbox| !inbox.letters.is_empty()) {
            inbox.bell.ring();
        }
    }

    fn publish(&self, publication: Arc<Publication>) {
        if let Some(process) = &publication.process {
            self.log.set_threshold(process.settings.log_level);
        }
        publication.events.iter().for_each(|event| self.log_event(event));
        let snapshot: Snapshot = self.board.snapshot().apply(&publication);
        let announcement = Announcement::of(Arc::unwrap_or_clone(publication));
        if let Some(announcement) = &announcement {
            for inbox in &self.clients {
                inbox.announcements.leave(announcement.clone());
            }
        }
        self.board.show(Arc::new(snapshot));
        if announcement.is_some() {
            self.clients.iter().for_each(|inbox| inbox.bell.ring());
        }
    }

    fn log_event(&self, event: &Event) {
        let level = event.kind.level();
        if self.log.takes(level) {
            self.log.line(level, &events::log_line(event));
        }
    }

    fn crash(&self) -> ! {
        self.log.flush();
        std::process::exit(EXIT_SIMULATED_CRASH)
    }
}
