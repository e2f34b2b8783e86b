//! A fellow Sentinel as a process: one link for all the masters it shares with us
//! (spec: behaviour 3.5).

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::{Address, Endpoint};
use crate::host::{Cx, Owner};
use crate::ident::{MasterId, SentinelId};
use crate::limits;
use crate::link::{Line, PingClock, Target};
use crate::query::{PingReply, Purpose};
use crate::settings::{Renames, Tunable};
use crate::time::{Span, Time};
use crate::view::LinkView;

/// A fellow Sentinel and the link to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Peer {
    pub(crate) id: SentinelId,
    pub(crate) address: Address,
    pub(crate) line: Line,
    pub(crate) ping: PingClock,
    /// Masters it watches with us, and after which silence each calls it down.
    pub(crate) sharers: BTreeMap<MasterId, Span>,
    /// Last word from it on any path (rule F1).
    pub(crate) heard_at: Time,
    /// Last round trip (rule S3).
    pub(crate) round_trip: Span,
    moves: Moves,
    /// Always empty: renamed commands are for data nodes (spec: holes H23).
    pub(crate) renames: Arc<Renames>,
}

/// How often it changed its address lately (spec: holes H21).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Moves {
    since: Time,
    count: u32,
}

impl Peer {
    pub(crate) fn new(id: SentinelId, address: Address, now: Time) -> Self {
        Self {
            id,
            address,
            line: Line::new(Purpose::Commands, now),
            ping: PingClock::new(now),
            sharers: BTreeMap::new(),
            heard_at: now,
            round_trip: Span::ZERO,
            moves: Moves::default(),
            renames: Arc::default(),
        }
    }

    pub(crate) fn is_reachable(&self) -> bool {
        self.line.conn.as_ref().is_some_and(crate::link::Conn::is_established)
    }

    /// Whether this is the address that it announced last.
    pub(crate) fn listens_at(&self, sentinel: &Endpoint) -> bool {
        self.address.host() == &sentinel.host && self.address.port() == sentinel.port
    }

    fn shortest_down_after(&self) -> Span {
        self.sharers.values().copied().min().unwrap_or_default()
    }

    pub(crate) fn pending_limit(&self) -> u32 {
        let sharers = u32::try_from(self.sharers.len()).unwrap_or(u32::MAX).max(1);
        limits::PENDING_PER_SHARER.saturating_mul(sharers)
    }

    /// Keeps the link open and alive. Masters that may now judge it are touched.
    pub(crate) fn keep_in_touch(&mut self, cx: &mut Cx<'_>) {
        if self.address.ip().is_none() && self.address.port() != 0 {
            cx.resolve(&self.address.host().clone());
        }
        let down_after = self.shortest_down_after();
        self.line.give_up_slow_connect(cx);
        if !cx.in_tilt() {
            self.ping.close_if_idle(cx, &mut self.line, down_after);
        }
        self.connect(cx);
        let limit = self.pending_limit();
        let every = down_after.min(cx.host.tunables.get(Tunable::PingPeriod));
        if let Some(conn) = self.line.conn.as_mut().filter(|conn| conn.pending() < limit) {
            self.ping.keep_asking(cx, conn, every);
        }
        self.wake_judges(cx);
    }

    fn connect(&mut self, cx: &mut Cx<'_>) {
        let settings = cx.host.settings.clone();
        let local = cx.host.config.local_password.clone();
        let (user, password) = match &settings.sentinel_pass {
            Some(password) => (settings.sentinel_user.as_ref(), Some(password)),
            None => (None, local.as_ref()),
        };
        let renames = self.renames.clone();
        let target = Target {
            owner: Owner::Peer(self.id),
            socket: self.address.socket(),
            user,
            password,
            renames: &renames,
        };
        if self.line.keep_open(cx, &target) {
            self.ping.connection_lost(cx.now.mono);
            self.touch_sharers(cx);
            if let Some(conn) = &mut self.line.conn {
                self.ping.send(cx, conn);
            }
        }
    }

    /// Groups judge silence; this wakes those for which the moment has come.
    fn wake_judges(&self, cx: &mut Cx<'_>) {
        for (master, down_after) in &self.sharers {
            let Some(at) = self.ping.silent_from(*down_after) else { return };
            if at > cx.now.mono {
                cx.wake(at);
            } else if at + Span(1) >= cx.now.mono || cx.may_judge {
                cx.host.touched.insert(*master);
            }
        }
    }

    pub(crate) fn touch_sharers(&self, cx: &mut Cx<'_>) {
        for master in self.sharers.keys() {
            cx.host.touched.insert(*master);
            cx.host.outbox.changed.insert(*master);
        }
    }

    /// A PING was answered.
    pub(crate) fn ponged(&mut self, cx: &mut Cx<'_>, reply: PingReply) {
        let acceptable = match reply {
            PingReply::Pong | PingReply::Loading => true,
            PingReply::Busy | PingReply::Other => false,
        };
        self.round_trip = cx.age(self.ping.sent_at());
        // Only masters that may hold it down have news: with hundreds of masters every PONG would
        // have all of them run and be drawn anew.
        for (master, down_after) in &self.sharers {
            if self.ping.silent_from(*down_after).is_some_and(|at| at <= cx.now.mono) {
                cx.host.touched.insert(*master);
                cx.host.outbox.changed.insert(*master);
            }
        }
        if !cx.host.crowded {
            cx.host.outbox.changed.extend(self.sharers.keys().copied());
        }
        self.ping.replied(acceptable, cx.now.mono);
    }

    /// The link broke.
    pub(crate) fn lost(&mut self, cx: &mut Cx<'_>) {
        self.line.lost(cx);
        self.ping.connection_lost(cx.now.mono);
        self.touch_sharers(cx);
    }

    /// It listens elsewhere now. Says whether that was one move too many within a minute.
    pub(crate) fn move_to(&mut self, cx: &mut Cx<'_>, address: Address) -> bool {
        self.address = address;
        cx.host.touched_peers.insert(self.id);
        self.line.close(cx);
        self.ping.connection_lost(cx.now.mono);
        self.touch_sharers(cx);
        if cx.age(self.moves.since) > Span::from_secs(60) {
            self.moves = Moves { since: cx.now.mono, count: 0 };
        }
        self.moves.count += 1;
        self.moves.count == limits::FLAPPING_MOVES
    }

    /// Moved so often lately that its moves are no longer followed at once.
    pub(crate) fn is_flapping(&self, now: Time) -> bool {
        self.moves.count >= limits::FLAPPING_MOVES
            && now.since(self.moves.since) <= Span::from_secs(60)
    }

    pub(crate) fn view(&self) -> LinkView {
        let sharers = u32::try_from(self.sharers.len()).unwrap_or(u32::MAX);
        self.ping.view(self.line.conn.is_some(), &self.line, sharers)
    }
}
