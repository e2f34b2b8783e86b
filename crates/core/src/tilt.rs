//! Stalls of the process, and TILT (spec: behaviour 2.2; rule E4; holes H34, H35).

use serde::{Deserialize, Serialize};

use crate::event::{Detail, Event, EventKind};
use crate::ident::MasterId;
use crate::limits;
use crate::link::{Line, PingClock};
use crate::note::Note;
use crate::rules::Rule;
use crate::sentinel::Sentinel;
use crate::settings::Tunable;
use crate::time::{Now, Span, Time};

/// Whether the process may act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tilt {
    /// Since when it may not.
    pub(crate) since: Option<Time>,
    started_at: Time,
}

impl Tilt {
    pub(crate) fn new(now: Time) -> Self {
        Self { since: None, started_at: now }
    }
}

impl Sentinel {
    /// A wake-up that comes much too late means that this process stood still.
    pub(crate) fn notice_stall(&mut self, now: Now) {
        let Some(deadline) = self.poll_deadline() else { return };
        // Inputs that come before the deadline is reported find the same stall: it counts once.
        let late = now.mono.since(deadline.max(self.now.mono));
        if late <= limits::STALL {
            return;
        }
        self.host.counters.stalls += 1;
        if self.host.rules.keeps(Rule::E4) {
            self.forgive(late, now);
        }
        if late > self.host.tunables.get(Tunable::TiltTrigger) {
            self.enter_tilt(now, late);
        }
    }

    /// The time that this process lost is nobody's silence.
    fn forgive(&mut self, late: Span, now: Now) {
        for peer in self.peers.values_mut() {
            peer.ping.forgive(late, now.mono);
        }
        for group in self.groups.values_mut() {
            group.nodes_mut().for_each(|node| node.ping.forgive(late, now.mono));
            group.watching_since = now.mono;
            // Who was down may not be any more, once everything was read.
            self.deadlines.groups.set_earlier(group.id, now.mono);
        }
    }

    fn enter_tilt(&mut self, now: Now, late: Span) {
        self.host.tilt.since = Some(now.mono);
        self.host.counters.tilts += 1;
        self.host.outbox.process_changed = true;
        self.host.outbox.order(crate::Effect::Log(Note::Stalled { span: late }));
        self.host.emit(Event { kind: EventKind::TiltEntered, about: None, detail: Detail::None });
        let ids: alloc::vec::Vec<MasterId> = self.groups.keys().copied().collect();
        for id in ids {
            self.with_group(now, id, |group, cx| group.end_failover_after_stall(cx));
        }
    }

    /// TILT ends when every link has fresh evidence, at the latest after TILT-PERIOD.
    pub(crate) fn leave_tilt_if_due(&mut self, now: Now) {
        let Some(since) = self.host.tilt.since else { return };
        let over = now.mono >= since + self.host.tunables.get(Tunable::TiltPeriod);
        let early = self.host.rules.keeps(Rule::E4) && self.all_links_are_fresh(since);
        if !over && !early {
            return;
        }
        self.host.tilt.since = None;
        self.host.outbox.process_changed = true;
        self.host.emit(Event { kind: EventKind::TiltLeft, about: None, detail: Detail::None });
        self.host.touched.extend(self.groups.keys().copied());
        self.host.touched_peers.extend(self.peers.keys().copied());
    }

    fn all_links_are_fresh(&self, since: Time) -> bool {
        let fresh = |ping: &PingClock, line: &Line| {
            ping.any_at > since || line.failed_at.is_some_and(|at| at > since)
        };
        let peers = self.peers.values().all(|peer| fresh(&peer.ping, &peer.line));
        let mut nodes = self.groups.values().flat_map(|group| group.nodes());
        peers
            && nodes
                .all(|node| node.address.socket().is_none() || fresh(&node.ping, &node.commands))
    }

    /// When TILT ends by itself.
    pub(crate) fn tilt_deadline(&self) -> Option<Time> {
        let period = self.host.tunables.get(Tunable::TiltPeriod);
        self.host.tilt.since.map(|since| since + period)
    }
}
