//! A data node: the present master or a replica. A switch moves nodes between the two places;
//! links, clocks and INFO of a node that stays are kept (spec: DESIGN 2).

use alloc::collections::BTreeSet;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::{Address, Endpoint};
use crate::hello::HelloClock;
use crate::host::{Cx, NodeId, Owner};
use crate::ident::{ConnId, MasterId, RunId};
use crate::limits;
use crate::link::{Expected, Line, PingClock, Target};
use crate::query::{InfoReport, Purpose, Query, Role, TransactionCommand};
use crate::rules::Rule;
use crate::settings::{MasterSettings, Tunable};
use crate::time::{Span, Time};
use crate::view::NodeView;

/// A data node and all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) address: Address,
    pub(crate) commands: Line,
    pub(crate) subscription: Line,
    pub(crate) ping: PingClock,
    /// Since when the subscription is confirmed.
    pub(crate) subscribed_at: Option<Time>,
    pub(crate) hello: HelloClock,
    pub(crate) info: InfoClock,
    pub(crate) run_id: Option<RunId>,
    pub(crate) role: Role,
    pub(crate) role_at: Time,
    pub(crate) down: DownState,
    pub(crate) script_kill_sent: bool,
    /// Since a reboot was noticed, until PONG (spec: behaviour 8.3).
    pub(crate) rebooting_since: Option<Time>,
    pub(crate) reported: Reported,
    /// It was seen following the present master in this configuration, under this run id.
    pub(crate) followed_as: Option<RunId>,
    /// When it turned to master after having followed (rule L4).
    pub(crate) turned_at: Option<Time>,
    /// Since when its INFO says that it hands over.
    pub(crate) handing_over_since: Option<Time>,
    /// This Sentinel failed it over without a word from it in its term, nor since (rule F5).
    pub(crate) left_unheard: bool,
    /// Commands it refuses within a transaction (rule L6).
    pub(crate) refused: BTreeSet<TransactionCommand>,
    /// A transaction is on its way on this connection.
    pub(crate) transaction_on: Option<ConnId>,
    /// When it last refused to follow anybody else.
    pub(crate) declined_at: Option<Time>,
    /// When it was last told whom to follow.
    pub(crate) told_at: Option<Time>,
    pub(crate) garbage_noted: bool,
}

/// What a replica's INFO says about its replication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reported {
    pub(crate) link_down_ms: i64,
    pub(crate) master: Option<Endpoint>,
    pub(crate) link_up: bool,
    pub(crate) priority: u32,
    pub(crate) offset: u64,
    pub(crate) announced: bool,
    /// When it last changed whom it follows.
    pub(crate) changed_at: Time,
}

/// Subjectively down, now or before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DownState {
    pub(crate) since: Option<Time>,
    /// When the last down period ended (spec: holes H13).
    pub(crate) ended_at: Option<Time>,
    /// When it began.
    pub(crate) began_at: Option<Time>,
}

impl DownState {
    /// Whether no down period reaches into the last `window`.
    pub(crate) fn calm_from(&self, cx: &Cx<'_>, window: Span) -> Time {
        let last = if cx.keeps(Rule::H13) { self.ended_at } else { self.began_at };
        last.map_or(Time::default(), |ended| ended + window + Span(1))
    }
}

/// When INFO was asked and answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InfoClock {
    pub(crate) report: Option<Arc<InfoReport>>,
    /// When the last answer came.
    pub(crate) at: Option<Time>,
    /// When the question to that answer left.
    pub(crate) asked_at: Option<Time>,
    /// The connection it came on (rule L5).
    pub(crate) conn: Option<ConnId>,
    outstanding_on: Option<ConnId>,
    /// When the last answer on the present connection was none: the next question waits.
    failed_at: Option<Time>,
    /// Asked again as soon as the outstanding one is answered.
    again: bool,
    poll: Option<Poll>,
}

/// INFO at short, growing intervals after a transaction (rule L6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Poll {
    next_at: Time,
    pause: Span,
}

impl Node {
    pub(crate) fn new(id: NodeId, address: Address, role: Role, now: Time) -> Self {
        Self {
            id,
            address,
            commands: Line::new(Purpose::Commands, now),
            subscription: Line::new(Purpose::Subscription, now),
            ping: PingClock::new(now),
            subscribed_at: None,
            hello: HelloClock::new(now),
            info: InfoClock::default(),
            run_id: None,
            role,
            role_at: now,
            down: DownState::default(),
            script_kill_sent: false,
            rebooting_since: None,
            reported: Reported::new(now),
            followed_as: None,
            turned_at: None,
            handing_over_since: None,
            left_unheard: false,
            refused: BTreeSet::new(),
            transaction_on: None,
            declined_at: None,
            told_at: None,
            garbage_noted: false,
        }
    }

    /// Both connections exist; a hand-shake in progress counts (spec: behaviour 4.1).
    pub(crate) fn is_linked(&self) -> bool {
        self.commands.conn.is_some() && self.subscription.conn.is_some()
    }

    /// The command connection is established.
    pub(crate) fn is_reachable(&self) -> bool {
        self.commands.conn.as_ref().is_some_and(super::link::Conn::is_established)
    }

    /// So much waits for an answer that nothing regular is added (spec: behaviour 4.7).
    pub(crate) fn is_crowded(&self) -> bool {
        let conn = self.commands.conn.as_ref();
        conn.is_some_and(|conn| conn.pending() >= limits::PENDING_PER_SHARER)
    }

    /// A transaction is on its way on the present connection: one that we closed ourselves takes
    /// what was on it along.
    pub(crate) fn awaits_transaction(&self) -> bool {
        self.transaction_on.is_some_and(|conn| self.commands.owns(conn))
    }

    /// Its last INFO says that it is a master, whatever it is assumed to be since a switch.
    pub(crate) fn says_master(&self) -> bool {
        self.info.report.as_ref().is_some_and(|report| report.role == Role::Master)
    }

    /// Its last INFO says that it is handing its role over. It holds writes meanwhile, PUBLISH and
    /// all that is behind it on a connection, and refuses to follow anybody else.
    pub(crate) fn is_handing_over(&self) -> bool {
        self.handing_over_since.is_some()
    }

    /// Whether hellos would only be held up. A master that holds writes for longer than a hand-over
    /// may take is no master any more: then a hello finds that out, as with the reference.
    pub(crate) fn holds_hellos(&self, cx: &mut Cx<'_>, down_after: Span) -> bool {
        let patience = down_after.max(limits::HAND_OVER_PATIENCE + limits::HAND_OVER_GRACE);
        let Some(since) = self.handing_over_since else { return false };
        self.role == Role::Replica || !cx.due(since + patience)
    }

    pub(crate) fn is_down(&self) -> bool {
        self.down.since.is_some()
    }

    /// INFO was answered on the present connection within the last second (rule L5).
    pub(crate) fn has_fresh_info(&self, cx: &Cx<'_>) -> bool {
        if crate::mutant::Mutant::StaleInfo.lives() || !cx.keeps(Rule::L5) {
            return self.is_reachable();
        }
        let here = self.commands.conn.as_ref().map(|conn| conn.id);
        here.is_some()
            && self.info.conn == here
            && self.info.at.is_some_and(|at| cx.age(at) <= limits::FRESH_INFO)
    }

    /// Opens missing connections, and drops dead ones (spec: behaviour 4.2, 4.6).
    pub(crate) fn keep_linked(
        &mut self,
        cx: &mut Cx<'_>,
        master: MasterId,
        settings: &MasterSettings,
    ) {
        if self.address.ip().is_none() && self.address.port() != 0 {
            cx.resolve(&self.address.host().clone());
        }
        let target = |purpose| Target {
            owner: Owner::Node { master, node: self.id, purpose },
            socket: self.address.socket(),
            user: settings.auth_user.as_ref(),
            password: settings.auth_pass.as_ref(),
            renames: &settings.renames,
        };
        self.commands.give_up_slow_connect(cx);
        self.subscription.give_up_slow_connect(cx);
        if self.commands.keep_open(cx, &target(Purpose::Commands)) {
            cx.host.outbox.changed.insert(master);
            self.ping.connection_lost(cx.now.mono);
            if let Some(conn) = &mut self.commands.conn {
                self.ping.send(cx, conn);
            }
        }
        if self.subscription.keep_open(cx, &target(Purpose::Subscription)) {
            cx.host.outbox.changed.insert(master);
        }
        self.close_idle(cx, settings.down_after);
    }

    fn close_idle(&mut self, cx: &mut Cx<'_>, down_after: Span) {
        if cx.in_tilt() {
            return;
        }
        self.ping.close_if_idle(cx, &mut self.commands, down_after);
        let Some(conn) = &self.subscription.conn else { return };
        let young = conn.opened_at + cx.host.tunables.get(Tunable::MinLinkReconnectPeriod);
        let silent = conn.active_at + cx.host.tunables.get(Tunable::PublishPeriod) * 3;
        if cx.verdict_due(young.max(silent) + Span(1)) {
            self.subscription.close(cx);
            self.subscribed_at = None;
        }
    }

    /// Sends PING and INFO when they are due (spec: behaviour 5.1, 5.2).
    pub(crate) fn keep_asking(&mut self, cx: &mut Cx<'_>, ping_every: Span, info_every: Span) {
        if self.is_crowded() {
            return;
        }
        let Some(conn) = &mut self.commands.conn else { return };
        self.ping.keep_asking(cx, conn, ping_every);
        let waits = self.info.is_outstanding(conn.id) && cx.keeps(Rule::E6);
        if !conn.is_established() || waits {
            return;
        }
        if self.info.failed_at.is_some_and(|at| !cx.due(at + limits::FAST_INFO)) {
            return;
        }
        let polled = self.info.poll.is_some_and(|poll| cx.due(poll.next_at));
        let regular = self.info.at.map(|at| cx.gathered(at + info_every, info_every));
        let due = regular.is_none_or(|at| cx.due(at)) || polled || self.info.again;
        if due {
            self.ask_info(cx);
        }
    }

    /// Asks for INFO now, or as soon as the outstanding one is answered (rule E6).
    pub(crate) fn ask_info(&mut self, cx: &mut Cx<'_>) {
        let Some(conn) = self.commands.conn.as_mut().filter(|conn| conn.is_established()) else {
            self.info.again = true;
            return;
        };
        let rests = self.info.failed_at.is_some_and(|at| cx.age(at) < limits::FAST_INFO);
        let waits = self.info.is_outstanding(conn.id) && cx.keeps(Rule::E6);
        if rests || waits {
            self.info.again = true;
            return;
        }
        let asked_at = cx.now.mono;
        self.info.again = false;
        self.info.outstanding_on = Some(conn.id);
        if let Some(poll) = &mut self.info.poll {
            poll.next_at = asked_at + poll.pause;
            poll.pause = (poll.pause + poll.pause / 2).min(limits::POLL_PAUSE_MAX);
        }
        conn.send(cx, Query::Info, Expected::Info { asked_at });
    }

    /// Whether [`Node::ask_info`] would send it now.
    pub(crate) fn can_ask_info(&self, cx: &Cx<'_>) -> bool {
        let conn = self.commands.conn.as_ref().filter(|conn| conn.is_established());
        let rests = self.info.failed_at.is_some_and(|at| cx.age(at) < limits::FAST_INFO);
        conn.is_some_and(|conn| !self.info.is_outstanding(conn.id)) && !rests
    }

    /// Asks for INFO as soon as the last one is so old, unless an answer is awaited anyway.
    pub(crate) fn refresh_info(&mut self, cx: &mut Cx<'_>, age: Span) {
        let at = self.info.at.map_or(cx.now.mono, |at| at + age);
        if self.info.outstanding_on.is_none() && cx.due(at) {
            self.ask_info(cx);
        }
    }

    /// Polls INFO at short, growing intervals from now on (rule L6).
    pub(crate) fn poll_info(&mut self, cx: &mut Cx<'_>) {
        let pause = limits::POLL_PAUSE;
        self.info.poll = Some(Poll { next_at: cx.now.mono + pause, pause });
        self.ask_info(cx);
    }

    pub(crate) fn stop_polling(&mut self) {
        self.info.poll = None;
    }

    /// The command connection ended.
    pub(crate) fn commands_lost(&mut self, cx: &mut Cx<'_>) {
        self.commands.lost(cx);
        self.ping.connection_lost(cx.now.mono);
        self.info.again = self.info.again || self.info.outstanding_on.is_some();
        self.info.outstanding_on = None;
        self.info.failed_at = None;
        self.transaction_on = None;
    }

    /// The subscription ended.
    pub(crate) fn subscription_lost(&mut self, cx: &mut Cx<'_>) {
        self.subscription.lost(cx);
        self.subscribed_at = None;
    }

    /// Both connections are closed on our side, for new credentials or another address.
    pub(crate) fn disconnect(&mut self, cx: &mut Cx<'_>) {
        self.commands.close(cx);
        self.subscription.close(cx);
        self.subscribed_at = None;
        self.ping.connection_lost(cx.now.mono);
        self.info.outstanding_on = None;
        self.info.failed_at = None;
        self.transaction_on = None;
    }

    pub(crate) fn view(&self, as_name: bool) -> NodeView {
        NodeView {
            address: self.address.announce(as_name),
            socket: self.address.socket(),
            run_id: self.run_id,
            link: self.ping.view(self.is_linked(), &self.commands, 1),
            sdown_since: self.down.since,
            script_kill_sent: self.script_kill_sent,
            info_at: self.info.at,
            info: self.info.report.clone(),
            role_reported: self.role,
            role_reported_at: self.role_at,
        }
    }
}

impl InfoClock {
    fn is_outstanding(&self, conn: ConnId) -> bool {
        self.outstanding_on == Some(conn)
    }

    /// An answer of any kind came.
    pub(crate) fn answered(&mut self) {
        self.outstanding_on = None;
    }

    /// The answer was an error or made no sense.
    pub(crate) fn failed(&mut self, now: Time) {
        self.failed_at = Some(now);
    }

    /// The answer was a report.
    pub(crate) fn received(
        &mut self,
        report: Arc<InfoReport>,
        asked_at: Time,
        conn: ConnId,
        now: Time,
    ) {
        self.report = Some(report);
        self.failed_at = None;
        self.at = Some(now);
        self.asked_at = Some(asked_at);
        self.conn = Some(conn);
    }

    /// The last answer was asked for at or after this moment.
    pub(crate) fn is_newer_than(&self, moment: Time) -> bool {
        self.asked_at.is_some_and(|asked| asked >= moment)
    }
}

impl Reported {
    pub(crate) fn new(now: Time) -> Self {
        Self {
            link_down_ms: 0,
            master: None,
            link_up: false,
            priority: 100,
            offset: 0,
            announced: true,
            changed_at: now,
        }
    }
}
