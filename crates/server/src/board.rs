//! One truth for clients (spec: DESIGN 1): what the control thread shows to client threads.
//!
//! The order that everything rests on: events are left in every thread's mailbox, then the snapshot
//! they belong to is shown, then the threads are woken. A thread takes a snapshot first and its
//! mailbox afterwards ([`crate::clients`]), so it holds every event up to the snapshot's number.
//! Those it may deliver, and does so to each subscriber before that is told anything from the
//! snapshot; it keeps the others until it takes a newer one.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use vedette_core::{LogLevel, Publication};
use vedette_wire::Snapshot;
use vedette_wire::events::{self, RenderedEvent};

/// Where the present snapshot hangs.
#[derive(Debug, Default)]
pub(crate) struct Board(ArcSwap<Snapshot>);

impl Board {
    /// The present snapshot.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// The number of the present snapshot.
    pub(crate) fn seq(&self) -> u64 {
        self.0.load().seq()
    }

    /// Shows a new snapshot to every thread.
    pub(crate) fn show(&self, snapshot: Arc<Snapshot>) {
        self.0.store(snapshot);
    }
}

/// The events of one publication, rendered at most once, by the first thread that has a subscriber.
#[derive(Debug)]
pub(crate) struct Announcement {
    publication: Arc<Publication>,
    rendered: OnceLock<Vec<RenderedEvent>>,
}

impl Announcement {
    /// The announcement of a publication, if it has one.
    pub(crate) fn of(publication: &Arc<Publication>) -> Option<Arc<Self>> {
        let published = |level: LogLevel| level != LogLevel::Debug;
        let any = publication.events.iter().any(|event| published(event.kind.level()));
        any.then(|| Arc::new(Self { publication: publication.clone(), rendered: OnceLock::new() }))
    }

    /// The snapshot that must be visible first.
    pub(crate) fn seq(&self) -> u64 {
        self.publication.seq
    }

    /// The events that are published, as subscribers get them.
    pub(crate) fn events(&self) -> &[RenderedEvent] {
        self.rendered.get_or_init(|| {
            let published = |level: LogLevel| level != LogLevel::Debug;
            let events = self.publication.events.iter();
            events.filter(|event| published(event.kind.level())).map(events::render).collect()
        })
    }
}
