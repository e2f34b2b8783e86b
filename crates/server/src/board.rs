//! One truth for clients (spec: DESIGN 1): what the control thread shows to client threads.
//!
//! The order that everything rests on: events are left in every thread's mailbox, then the snapshot
//! they belong to is shown, then the threads are woken. A thread takes a snapshot first and its
//! mailbox afterwards ([`crate::clients`]), so it holds every event up to the snapshot's number.
//! Those it may deliver, and does so to each subscriber before that is told anything from the
//! snapshot; it keeps the others until it takes a newer one.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use vedette_core::{Event, LogLevel, Publication};
use vedette_wire::Snapshot;
use vedette_wire::events::{self, RenderedEvent};

use crate::channels::Channels;

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

/// The events of one publication, rendered at most once, by the first thread whose subscribers want
/// one of them. The pictures of the publication are not kept: it may wait for slow subscribers.
#[derive(Debug)]
pub(crate) struct Announcement {
    /// The snapshot that must be visible first.
    seq: u64,
    events: Vec<Event>,
    /// Where there is something to hear.
    channels: Channels,
    rendered: OnceLock<Rendered>,
}

/// Side by side: the channels alone are quickly looked through.
#[derive(Debug)]
struct Rendered {
    channels: Vec<Channels>,
    events: Vec<RenderedEvent>,
}

impl Announcement {
    /// The announcement of a publication, if it has one.
    pub(crate) fn of(publication: Publication) -> Option<Arc<Self>> {
        let Publication { seq, mut events, .. } = publication;
        events.retain(|event| event.kind.level() != LogLevel::Debug);
        let channels = events.iter().map(|event| Channels::of(event.kind));
        let channels = channels.reduce(Channels::and)?;
        Some(Arc::new(Self { seq, events, channels, rendered: OnceLock::new() }))
    }

    /// The snapshot that must be visible first.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// The events on these channels, as subscribers get them.
    pub(crate) fn events(&self, wanted: Channels) -> impl Iterator<Item = &RenderedEvent> {
        let rendered = self.channels.meet(wanted).then(|| self.rendered());
        let all = rendered.into_iter().flat_map(|all| all.channels.iter().zip(&all.events));
        all.filter(move |(channels, _)| channels.meet(wanted)).map(|(_, event)| event)
    }

    fn rendered(&self) -> &Rendered {
        self.rendered.get_or_init(|| {
            let rendered = self.events.iter();
            let rendered = rendered.map(|event| (Channels::of(event.kind), events::render(event)));
            let (channels, events) = rendered.unzip();
            Rendered { channels, events }
        })
    }
}
