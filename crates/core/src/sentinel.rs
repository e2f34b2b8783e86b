//! The host loop: facts come in, rules run, orders go out.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::address::Endpoint;
use crate::deadlines::Deadlines;
use crate::durable::{Config, DurableState};
use crate::effect::Effect;
use crate::group::{Group, News};
use crate::host::{Cx, Host, Peers};
use crate::ident::{ConnId, MasterId, MasterName, SentinelId};
use crate::input::Input;
use crate::limits;
use crate::link::Line;
use crate::request::{Request, Response};
use crate::rules::{Rule, Rules};
use crate::settings::Tunable;
use crate::time::{Now, Span, Time};

/// A Sentinel. See the crate's documentation for how it is driven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentinel {
    pub(crate) now: Now,
    pub(crate) host: Host,
    pub(crate) peers: Peers,
    /// Boxed: the tree is half empty.
    pub(crate) groups: BTreeMap<MasterId, Box<Group>>,
    pub(crate) names: BTreeMap<MasterName, MasterId>,
    pub(crate) deadlines: Deadlines,
    pub(crate) next_master: u64,
}

/// Rounds in which groups touch each other within one input; more would be a loop.
const ROUNDS: usize = 4;

impl Sentinel {
    /// A Sentinel that just started. It wants to be driven at once.
    #[must_use]
    pub fn start(config: Config, saved: DurableState, seed: u64, now: Now) -> Self {
        Self::start_under(Rules::ALL, config, saved, seed, now)
    }

    /// As [`Self::start`], with some rules of agreement turned off: for the simulator and the
    /// scenarios alone.
    #[must_use]
    pub fn start_under(
        rules: Rules,
        config: Config,
        saved: DurableState,
        seed: u64,
        now: Now,
    ) -> Self {
        let settings = Arc::new(saved.settings);
        let host =
            Host::new(config, rules, saved.my_id, settings, saved.current_epoch, seed, now.mono);
        let mut sentinel = Self {
            now,
            host,
            peers: Peers::new(),
            groups: BTreeMap::new(),
            names: BTreeMap::new(),
            deadlines: Deadlines::default(),
            next_master: 0,
        };
        for master in saved.masters {
            sentinel.load(now, master);
        }
        sentinel.host.outbox.listing_changed = true;
        sentinel.host.outbox.process_changed = true;
        sentinel.review_ping_pace();
        sentinel
    }

    /// Takes a fact in. `now` is read immediately before the call. Sockets are to be read before
    /// [`Input::DeadlineReached`] is reported (rule E3).
    pub fn handle_input(&mut self, now: Now, input: Input) {
        self.notice_stall(now);
        self.now = now;
        self.judge_at_tick(now);
        let is_deadline = input == Input::DeadlineReached;
        let may_judge = is_deadline && self.host.rules.keeps(Rule::E3);
        self.take_in(now, input);
        if is_deadline {
            self.leave_tilt_if_due(now);
            self.touch_due(now.mono);
        }
        self.run_touched(now, may_judge);
        self.host.run_scripts(now.mono);
    }

    /// The next order. None ends the turn: up to then, masters that start share an epoch, and
    /// clients are shown one picture.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        if let Some(effect) = self.host.outbox.next_effect() {
            return Some(effect);
        }
        self.save_what_waits();
        self.publish_news();
        self.host.turn_epoch = None;
        self.host.outbox.next_effect().or_else(|| self.host.outbox.next_response())
    }

    /// When it next wants [`Input::DeadlineReached`].
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Time> {
        let longest = self.host.tunables.get(Tunable::ScriptMaxRuntime);
        let scripts = self.host.scripts.deadline(longest);
        let moments = [scripts, self.host.gate.deadline(), self.tilt_deadline()];
        moments.into_iter().fold(self.deadlines.first(), earlier)
    }

    /// How long what comes in may be left unread, so that one turn handles what comes soon after,
    /// too: with many masters that halves what a quiet Sentinel costs. Nothing while few are
    /// watched, while something happens to any, or in TILT.
    #[must_use]
    pub fn poll_composure(&self) -> Span {
        let unrest = self.now.mono.since(self.host.unrest_at) < limits::CALM_AFTER;
        if !self.host.crowded || unrest || self.host.tilt.since.is_some() {
            return Span::ZERO;
        }
        limits::COMPOSURE
    }

    /// Without rule E3 silence is judged first of all, and at ticks alone.
    fn judge_at_tick(&mut self, now: Now) {
        if self.host.rules.keeps(Rule::E3) || now.mono < self.host.tick_at {
            return;
        }
        self.host.tick_at = now.mono + crate::limits::TICK;
        self.touch_due(now.mono);
        self.run_touched(now, true);
    }

    /// The monitored masters and where they are, for tools that show a recording.
    pub fn masters(&self) -> impl Iterator<Item = (&MasterName, Endpoint)> {
        let as_name = self.host.settings.announce_hostnames;
        self.groups.values().map(move |group| (&group.name, group.node.address.announce(as_name)))
    }

    /// The data nodes of a master: as they are shown, and where they are connected to. For tools
    /// that show a recording.
    pub fn nodes_of(&self, name: &str) -> impl Iterator<Item = (Endpoint, Option<SocketAddr>)> {
        let as_name = self.host.settings.announce_hostnames;
        let group = self.find(name).and_then(|id| self.groups.get(&id));
        let nodes = group.into_iter().flat_map(|group| group.nodes());
        nodes.map(move |node| (node.address.announce(as_name), node.address.socket()))
    }

    /// Where the connections to nodes and fellow Sentinels lead, for tools that show a recording.
    pub fn connections(&self) -> impl Iterator<Item = (ConnId, SocketAddr)> {
        let nodes = self.groups.values().flat_map(|group| group.nodes());
        let nodes = nodes.flat_map(|node| {
            [&node.commands, &node.subscription].map(|line| (line, &node.address))
        });
        let peers = self.peers.values().map(|peer| (&peer.line, &peer.address));
        let conn = |line: &Line| line.conn.as_ref().map(|conn| conn.id);
        let open = nodes.chain(peers);
        open.filter_map(move |(line, address)| Some((conn(line)?, address.socket()?)))
    }

    fn take_in(&mut self, now: Now, input: Input) {
        match input {
            Input::DeadlineReached => {}
            Input::Connected { conn, local_ip } => self.hear_connected(now, conn, local_ip),
            Input::ConnectFailed { conn, reason } => self.hear_connect_failed(now, conn, &reason),
            Input::Disconnected { conn } => self.hear_disconnected(now, conn),
            Input::Answered { conn, answer } => self.hear_answer(now, conn, answer),
            Input::MessageReceived { conn, hello } => self.hear_message(now, conn, hello.as_ref()),
            Input::Resolved { host, ip } => self.hear_resolved(now, &host, ip),
            Input::Persisted { generation } => self.hear_saved(now, generation),
            Input::PersistFailed { generation } => self.hear_save_failed(now, generation),
            Input::ScriptStarted { job, pid } => self.host.script_started(job, pid, now.mono),
            Input::ScriptFailedToStart { job } => self.host.script_failed_to_start(job, now.mono),
            Input::ScriptEnded { job, end } => self.host.script_ended(job, end, now.mono),
            Input::Requested { ticket, request } => self.serve(now, ticket, request),
        }
    }

    /// Lends a group to a rule, and marks it for the rules that follow.
    pub(crate) fn with_group<T>(
        &mut self,
        now: Now,
        id: MasterId,
        rule: impl FnOnce(&mut Group, &mut Cx<'_>) -> T,
    ) -> Option<T> {
        let group = self.groups.get_mut(&id)?;
        let mut cx = Cx::new(now, &mut self.host, &mut self.peers, false).about(id);
        let result = rule(group, &mut cx);
        self.host.touched.insert(id);
        Some(result)
    }

    /// As [`Self::with_group`], for what mostly repeats what is known: the other rules run only if
    /// there is news for them.
    pub(crate) fn tell_group(
        &mut self,
        now: Now,
        id: MasterId,
        rule: impl FnOnce(&mut Group, &mut Cx<'_>) -> News,
    ) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        let mut cx = Cx::new(now, &mut self.host, &mut self.peers, false).about(id);
        match rule(group, &mut cx) {
            News::Nothing => {}
            News::Later(at) => self.deadlines.groups.set_earlier(id, at),
            News::Something => {
                self.host.touched.insert(id);
            }
        }
    }

    fn touch_due(&mut self, now: Time) {
        self.host.touched.extend(self.deadlines.groups.due(now));
        self.host.touched_peers.extend(self.deadlines.peers.due(now));
    }

    /// Runs the rules of everything that was touched, until nothing is.
    fn run_touched(&mut self, now: Now, may_judge: bool) {
        for _ in 0..ROUNDS {
            let peers = core::mem::take(&mut self.host.touched_peers);
            let groups = {
                for id in peers {
                    self.run_peer(now, id, may_judge);
                }
                core::mem::take(&mut self.host.touched)
            };
            if groups.is_empty() {
                break;
            }
            for id in groups {
                self.run_group(now, id, may_judge);
            }
            self.drop_usurped_members(now);
        }
        let rest = core::mem::take(&mut self.host.touched);
        for id in rest {
            self.deadlines.groups.set(id, Some(now.mono));
        }
    }

    fn run_group(&mut self, now: Now, id: MasterId, may_judge: bool) {
        let Some(group) = self.groups.get_mut(&id) else {
            self.deadlines.groups.set(id, None);
            return;
        };
        let mut cx = Cx::new(now, &mut self.host, &mut self.peers, may_judge).about(id);
        group.run_rules(&mut cx);
        let wake = cx.take_wake();
        let judged = may_judge || !self.host.rules.keeps(Rule::E3);
        self.deadlines.groups.set(id, later(wake, now.mono, judged));
    }

    fn run_peer(&mut self, now: Now, id: SentinelId, may_judge: bool) {
        let Some(mut peer) = self.peers.remove(&id) else {
            self.deadlines.peers.set(id, None);
            return;
        };
        let mut cx = Cx::new(now, &mut self.host, &mut self.peers, may_judge);
        peer.keep_in_touch(&mut cx);
        let wake = cx.take_wake();
        let judged = may_judge || !self.host.rules.keeps(Rule::E3);
        self.peers.insert(id, peer);
        self.deadlines.peers.set(id, later(wake, now.mono, judged));
    }

    /// A Sentinel whose address another id took over leaves every master (spec: behaviour 6.3).
    fn drop_usurped_members(&mut self, now: Now) {
        for id in core::mem::take(&mut self.host.usurped) {
            let masters: Vec<MasterId> = self.groups.keys().copied().collect();
            for master in masters {
                self.with_group(now, master, |group, cx| group.drop_member(cx, id));
            }
        }
    }

    /// Rule E2: masters are pinged closely while that costs few PINGs.
    pub(crate) fn review_ping_pace(&mut self) {
        let mut per_second = 0;
        let mut peers = Peers::new();
        let cx = Cx::new(self.now, &mut self.host, &mut peers, false);
        for group in self.groups.values() {
            per_second += 1000 / group.close_ping_interval(&cx).0.max(1);
        }
        let few = per_second < crate::limits::CLOSE_PINGS_PER_SECOND;
        self.host.close_pings = few && self.host.rules.keeps(Rule::E2);
        self.host.crowded = self.groups.len() >= self.host.config.gathers_from;
    }

    /// Serves requests that waited for an earlier change of the same name.
    pub(crate) fn serve_parked(&mut self, now: Now) {
        for (ticket, request) in core::mem::take(&mut self.host.parked) {
            self.serve(now, ticket, request);
        }
    }

    fn serve(&mut self, now: Now, ticket: crate::Ticket, request: Request) {
        if let Some(response) = self.serve_request(now, ticket, request) {
            self.host.outbox.respond(ticket, response);
        }
    }

    /// Every master that is watched now.
    pub(crate) fn master_ids(&self) -> BTreeSet<MasterId> {
        self.groups.keys().copied().collect()
    }

    pub(crate) fn find(&self, name: &str) -> Option<MasterId> {
        self.names.get(name).copied()
    }

    pub(crate) fn no_such_master() -> Response {
        Response::Refused(crate::Refusal::NoSuchMaster)
    }
}

fn earlier(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// After verdicts were given, a moment that has come already would only spin.
fn later(wake: Option<Time>, now: Time, judged: bool) -> Option<Time> {
    if judged { wake.map(|at| at.max(now + crate::Span(1))) } else { wake }
}
