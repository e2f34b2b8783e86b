//! Connections and their clocks (spec: behaviour 3.4, 4; rules E1, E6).
//!
//! A [`Line`] is one connection that should exist. A data node has two, which are independent of
//! each other (spec: holes H16); a fellow Sentinel has one, shared by all masters.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::net::{IpAddr, SocketAddr};

use alloc::sync::Arc;
use serde::{Deserialize, Serialize};

use crate::ask::Question;
use crate::effect::Effect;
use crate::host::{Cx, Owner};
use crate::ident::{ConnId, MasterId, Secret};
use crate::limits;
use crate::query::{Purpose, Query};
use crate::rules::Rule;
use crate::settings::{Renames, Tunable};
use crate::time::{Span, Time};
use crate::view::LinkView;

/// Whom to connect to, and how.
pub(crate) struct Target<'a> {
    pub(crate) owner: Owner,
    pub(crate) socket: Option<SocketAddr>,
    pub(crate) user: Option<&'a Arc<str>>,
    pub(crate) password: Option<&'a Secret>,
    pub(crate) renames: &'a Arc<Renames>,
}

/// What the next answer on a connection belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Expected {
    /// The answer does not matter.
    Nothing,
    Ping,
    Info {
        asked_at: Time,
    },
    Subscribe,
    Hello {
        master: MasterId,
    },
    /// Boxed: it is rare, and every connection keeps room for some of these.
    Ask(Box<Question>),
    Replicate,
    HandOver,
}

/// A connection that was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conn {
    pub(crate) id: ConnId,
    pub(crate) opened_at: Time,
    /// Known once it is established.
    pub(crate) local_ip: Option<IpAddr>,
    /// Last sign of life on it.
    pub(crate) active_at: Time,
    expected: VecDeque<Expected>,
    pending: u32,
}

impl Conn {
    /// Sends a query and remembers what its answer will be about.
    pub(crate) fn send(&mut self, cx: &mut Cx<'_>, query: Query, expected: Expected) {
        self.pending += weight(&query);
        self.expected.push_back(expected);
        cx.order(Effect::Send { conn: self.id, query });
    }

    /// Sends what is never answered.
    pub(crate) fn send_unanswered(&self, cx: &mut Cx<'_>, query: Query) {
        cx.order(Effect::Send { conn: self.id, query });
    }

    /// Takes what the oldest outstanding query was about.
    pub(crate) fn answered(&mut self) -> Option<Expected> {
        let expected = self.expected.pop_front()?;
        self.pending = self.pending.saturating_sub(match expected {
            Expected::Replicate => TRANSACTION_COMMANDS,
            Expected::Nothing
            | Expected::Ping
            | Expected::Info { .. }
            | Expected::Hello { .. }
            | Expected::Ask(_)
            | Expected::HandOver => 1,
            Expected::Subscribe => 0,
        });
        Some(expected)
    }

    pub(crate) fn pending(&self) -> u32 {
        self.pending
    }

    /// A hello about this master is not answered yet.
    pub(crate) fn awaits_hello(&self, about: MasterId) -> bool {
        self.expected.contains(&Expected::Hello { master: about })
    }

    pub(crate) fn is_established(&self) -> bool {
        self.local_ip.is_some()
    }
}

/// Commands of a SLAVEOF transaction, `MULTI` and `EXEC` included.
const TRANSACTION_COMMANDS: u32 = 6;

/// What a query adds to the pending count; SUBSCRIBE is not counted (spec: behaviour 4.7).
fn weight(query: &Query) -> u32 {
    match query {
        Query::Replicate { .. } => TRANSACTION_COMMANDS,
        Query::Subscribe | Query::TellOffset => 0,
        Query::Auth { .. }
        | Query::SetName { .. }
        | Query::Ping
        | Query::Info
        | Query::Hello(_)
        | Query::AskDown { .. }
        | Query::ScriptKill
        | Query::HandOver { .. }
        | Query::RecallHandOver
        | Query::RewriteConfig => 1,
    }
}

/// One connection that should exist, and when to try again while it does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    purpose: Purpose,
    pub(crate) conn: Option<Conn>,
    retry_at: Time,
    failures: usize,
    /// The last attempt failed or the connection was lost; cleared when established.
    pub(crate) failed_at: Option<Time>,
}

impl Line {
    pub(crate) fn new(purpose: Purpose, now: Time) -> Self {
        Self { purpose, conn: None, retry_at: now, failures: 0, failed_at: None }
    }

    /// Opens the connection if it is missing and due; says whether it did.
    pub(crate) fn keep_open(&mut self, cx: &mut Cx<'_>, target: &Target<'_>) -> bool {
        let Some(to) = target.socket else { return false };
        if self.conn.is_some() || !cx.due(self.retry_at) {
            return false;
        }
        let now = cx.now.mono;
        cx.wake(now + cx.host.tunables.get(Tunable::PingPeriod) * 2);
        let id = cx.host.mint_conn(target.owner);
        let (purpose, renames) = (self.purpose, target.renames.clone());
        cx.order(Effect::Connect { conn: id, purpose, to, renames });
        let mut conn = Conn {
            id,
            opened_at: now,
            local_ip: None,
            active_at: now,
            expected: VecDeque::new(),
            pending: 0,
        };
        if let Some(password) = target.password {
            let query = Query::Auth { user: target.user.cloned(), password: password.clone() };
            conn.send(cx, query, Expected::Nothing);
        }
        let query = Query::SetName { id: cx.host.my_id, purpose };
        conn.send(cx, query, Expected::Nothing);
        if purpose == Purpose::Subscription {
            conn.send(cx, Query::Subscribe, Expected::Subscribe);
        }
        self.conn = Some(conn);
        true
    }

    /// The connection was established.
    pub(crate) fn established(&mut self, local_ip: IpAddr, now: Time) {
        self.failures = 0;
        self.failed_at = None;
        if let Some(conn) = &mut self.conn {
            conn.local_ip = Some(local_ip);
            conn.active_at = now;
        }
    }

    /// The connection is gone: an established one is retried at once, others at the growing pace
    /// of rule E1.
    pub(crate) fn lost(&mut self, cx: &mut Cx<'_>) {
        let Some(conn) = self.conn.take() else { return };
        cx.host.forget_conn(conn.id);
        let now = cx.now.mono;
        self.failed_at = Some(now);
        if !cx.keeps(Rule::E1) {
            self.retry_at = now + cx.host.tunables.get(Tunable::PingPeriod);
            return;
        }
        if conn.is_established() && now.since(conn.opened_at) >= limits::RETRY_PAUSES[0] {
            self.failures = 0;
            self.retry_at = now;
            return;
        }
        let pause = match limits::RETRY_PAUSES.get(self.failures) {
            Some(pause) => *pause,
            None => cx.host.tunables.get(Tunable::PingPeriod),
        };
        self.failures = (self.failures + 1).min(limits::RETRY_PAUSES.len());
        self.retry_at = now + cx.host.rng.about(pause);
    }

    /// Closes the connection on our side; it is opened again at once.
    pub(crate) fn close(&mut self, cx: &mut Cx<'_>) {
        if let Some(conn) = self.conn.take() {
            cx.host.forget_conn(conn.id);
            cx.order(Effect::Close { conn: conn.id });
            self.retry_at = cx.now.mono;
            cx.wake(self.retry_at);
        }
    }

    /// Closes the connection and tries again only after PING-PERIOD: the server refuses us.
    pub(crate) fn close_and_rest(&mut self, cx: &mut Cx<'_>) {
        self.close(cx);
        let period = cx.host.tunables.get(Tunable::PingPeriod);
        self.retry_at = cx.now.mono + cx.host.rng.about(period);
    }

    /// A connect that hangs is given up after two PING-PERIODs, so that a healed network is found
    /// at our pace and not at the operating system's.
    pub(crate) fn give_up_slow_connect(&mut self, cx: &mut Cx<'_>) {
        let Some(conn) = self.conn.as_ref().filter(|conn| !conn.is_established()) else { return };
        if cx.due(conn.opened_at + cx.host.tunables.get(Tunable::PingPeriod) * 2) {
            let id = conn.id;
            cx.order(Effect::Close { conn: id });
            self.lost(cx);
            self.retry_at = cx.now.mono;
        }
    }

    /// Tries again at once, whatever failed before (rule E5).
    pub(crate) fn hurry(&mut self, now: Time) {
        self.retry_at = now;
        self.failures = 0;
    }

    pub(crate) fn owns(&self, id: ConnId) -> bool {
        self.conn.as_ref().is_some_and(|conn| conn.id == id)
    }
}

/// Rule E6: nothing leaves twice while it is outstanding.
fn may_double(cx: &Cx<'_>) -> bool {
    crate::mutant::Mutant::SecondPing.lives() || !cx.keeps(Rule::E6)
}

/// The liveness clocks of a link (spec: behaviour 3.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PingClock {
    /// Since when something is owed to us: a PING unanswered, or the connection lost.
    pub(crate) waiting_since: Option<Time>,
    pub(crate) ok_at: Time,
    pub(crate) any_at: Time,
    sent_at: Time,
    /// A PING is on its way on the present connection (rule E6).
    outstanding: bool,
}

impl PingClock {
    /// The clock runs from the creation, although nothing was sent yet.
    pub(crate) fn new(now: Time) -> Self {
        Self { waiting_since: Some(now), ok_at: now, any_at: now, sent_at: now, outstanding: false }
    }

    /// Fresh clocks (rule E5); a PING that is on its way stays so (rule E6).
    pub(crate) fn start_anew(&mut self, now: Time) {
        *self = Self { outstanding: self.outstanding, ..Self::new(now) };
    }

    /// Sends a PING unless one is outstanding.
    pub(crate) fn send(&mut self, cx: &mut Cx<'_>, conn: &mut Conn) {
        if self.outstanding && !may_double(cx) {
            return;
        }
        self.outstanding = true;
        self.sent_at = cx.now.mono;
        self.waiting_since.get_or_insert(cx.now.mono);
        conn.send(cx, Query::Ping, Expected::Ping);
    }

    pub(crate) fn sent_at(&self) -> Time {
        self.sent_at
    }

    /// Sends a PING when the interval has passed (spec: behaviour 5.2).
    pub(crate) fn keep_asking(&mut self, cx: &mut Cx<'_>, conn: &mut Conn, interval: Span) {
        let free = !self.outstanding || may_double(cx);
        if free && cx.due(cx.gathered(self.due_at(interval), interval)) {
            self.send(cx, conn);
        }
    }

    /// Goes along with what leaves anyway if it is nearly due, where many masters are watched.
    pub(crate) fn join(&mut self, cx: &mut Cx<'_>, conn: &mut Conn, interval: Span) {
        let is_old = self.sent_at + interval / limits::JOINING <= cx.now.mono;
        if cx.host.crowded && is_old {
            self.send(cx, conn);
        }
    }

    /// When the next PING is due, unless one is outstanding then.
    pub(crate) fn due_at(&self, interval: Span) -> Time {
        (self.any_at + interval).max(self.sent_at + interval / 2)
    }

    /// A reply of any kind came.
    pub(crate) fn replied(&mut self, acceptable: bool, now: Time) {
        self.outstanding = false;
        self.any_at = now;
        if acceptable {
            self.ok_at = now;
            self.waiting_since = None;
        }
    }

    /// The command connection is gone; the silence begins unless it has begun before.
    pub(crate) fn connection_lost(&mut self, now: Time) {
        self.outstanding = false;
        self.waiting_since.get_or_insert(now);
    }

    /// The process itself stood still for `span`: nobody else is to blame (rule E4).
    pub(crate) fn forgive(&mut self, span: Span, now: Time) {
        if let Some(since) = &mut self.waiting_since {
            *since = (*since + span).min(now);
        }
    }

    /// When the silence is longer than `down_after` (rule E3: the exact moment).
    pub(crate) fn silent_from(&self, down_after: Span) -> Option<Time> {
        self.waiting_since.map(|since| since + down_after + Span(1))
    }

    /// Whether a command connection looks dead (spec: behaviour 4.6).
    pub(crate) fn close_if_idle(&self, cx: &mut Cx<'_>, line: &mut Line, down_after: Span) {
        let (Some(conn), Some(since)) = (&line.conn, self.waiting_since) else { return };
        let young = cx.host.tunables.get(Tunable::MinLinkReconnectPeriod);
        let half = down_after / 2;
        let at = (conn.opened_at + young).max(since + half).max(self.any_at + half) + Span(1);
        if cx.verdict_due(at) {
            line.close(cx);
        }
    }

    /// As clients see it.
    pub(crate) fn view(&self, connected: bool, line: &Line, sharers: u32) -> LinkView {
        LinkView {
            connected,
            pending: line.conn.as_ref().map_or(0, Conn::pending),
            sharers,
            ping_waiting_since: self.waiting_since,
            ok_reply_at: self.ok_at,
            any_reply_at: self.any_at,
        }
    }
}
