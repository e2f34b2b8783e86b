//! Operators' commands (spec: interface 2). Changes are staged: they take effect, whole, when they
//! are on disk, or not at all (spec: holes H33, H38).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::address::{Address, Endpoint};
use crate::durable::{DurableChange, SavedMaster};
use crate::event::{Detail, EventKind};
use crate::failover::Cause;
use crate::gate::Staged;
use crate::group::Group;
use crate::host::Cx;
use crate::ident::{MasterId, MasterName, Ticket};
use crate::limits;
use crate::note::Note;
use crate::request::{ConfigOption, Manner, Refusal, Request, Response, SetItem, SetOption};
use crate::sentinel::Sentinel;
use crate::settings::{MasterSettings, Renames, Settings, Tunable};
use crate::time::Now;
use crate::vote;

impl Sentinel {
    /// Serves a request. None if the answer comes later.
    pub(crate) fn serve_request(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: Request,
    ) -> Option<Response> {
        if self.must_park(&request) {
            if self.host.parked.len() >= limits::PARKED_REQUESTS {
                return Some(Response::Refused(Refusal::SaveFailed));
            }
            self.host.parked.push_back((ticket, request));
            return None;
        }
        match request {
            Request::IsMasterDown { address, epoch, wants } => {
                self.answer_question(now, ticket, &address, epoch, wants);
                None
            }
            Request::Hello(hello) => Some(self.take_hello(now, hello)),
            Request::Failover(name, manner) => Some(self.order_failover(now, &name, manner)),
            Request::Tune(values) => {
                for (tunable, value) in values {
                    self.host.tunables.set(tunable, value);
                }
                self.host.outbox.process_changed = true;
                self.review_ping_pace();
                self.host.touched.extend(self.groups.keys().copied());
                self.host.touched_peers.extend(self.peers.keys().copied());
                Some(Response::Done)
            }
            Request::SimulateFailure(flags) => {
                self.host.simulated = flags;
                let armed = [(flags.after_election, false), (flags.after_promotion, true)];
                for (_, after_promotion) in armed.into_iter().filter(|(armed, _)| *armed) {
                    let note = Note::CrashArmed { after_promotion };
                    self.host.outbox.order(crate::Effect::Log(note));
                }
                self.host.outbox.process_changed = true;
                Some(Response::Done)
            }
            Request::Monitor { .. }
            | Request::Remove(_)
            | Request::Set { .. }
            | Request::Reset(_)
            | Request::ConfigSet(_)
            | Request::FlushConfig => self.stage_change(ticket, request),
        }
    }

    fn answer_question(
        &mut self,
        now: Now,
        ticket: Ticket,
        address: &Endpoint,
        epoch: crate::Epoch,
        wants: crate::Wants,
    ) {
        let address = Address::new(address);
        let mut cx = Cx::new(now, &mut self.host, &mut self.peers, false);
        let all = self.groups.values_mut().map(|group| &mut **group);
        let mut groups: Vec<_> = all.filter(|group| group.is_asked(&cx, &address)).collect();
        cx.host.touched.extend(groups.iter().map(|group| group.id));
        vote::answer_question(&mut cx, &mut groups, ticket, &address, epoch, wants);
    }

    fn take_hello(&mut self, now: Now, hello: Option<Arc<crate::Hello>>) -> Response {
        match hello {
            Some(hello) => self.hear_hello(now, &hello, None),
            None => self.host.counters.garbage_hellos += 1,
        }
        Response::HelloTaken
    }

    /// Rule C1; a coordinated one needs a master that can hand over.
    fn order_failover(&mut self, now: Now, name: &MasterName, manner: Manner) -> Response {
        let Some(id) = self.find(name) else { return Self::no_such_master() };
        let refusal = self.with_group(now, id, |group, cx| {
            let refusal = group.refuse_failover(cx).or_else(|| match manner {
                Manner::Forced => None,
                Manner::Coordinated => group.refuse_hand_over(cx),
            });
            if let Some(refusal) = refusal {
                return Some(refusal);
            }
            cx.note(Note::UserFailover { master: group.name.clone() });
            let cause = match manner {
                Manner::Forced => Cause::Forced,
                Manner::Coordinated => Cause::Coordinated,
            };
            group.begin_failover(cx, cause);
            None
        });
        match refusal.flatten() {
            Some(refusal) => Response::Refused(refusal),
            None => Response::Done,
        }
    }

    /// Checks a change and stages it.
    fn stage_change(&mut self, ticket: Ticket, request: Request) -> Option<Response> {
        if let Some(refusal) = self.refuse_change(&request) {
            return Some(Response::Refused(refusal));
        }
        if let Request::Reset(names) = &request
            && names.iter().all(|name| self.find(name).is_none())
        {
            return Some(Response::Count(0));
        }
        if let Request::Monitor { address, .. } = &request
            && Address::new(address).is_name()
        {
            self.host.unresolved.push((ticket, request.clone()));
            if self.host.resolving.insert(address.host.clone()) {
                let host = address.host.clone();
                self.host.outbox.order(crate::Effect::Resolve { host });
            }
            return None;
        }
        if crate::mutant::Mutant::OkBeforeSave.lives() {
            self.host.outbox.respond(ticket, Response::Done);
        }
        if crate::mutant::Mutant::SetShownBeforeSave.lives()
            && let Request::Set { name, options } = &request
            && let Some(id) = self.find(name)
        {
            self.with_group(self.now, id, |group, cx| group.apply_set(cx, options));
        }
        self.host.gate.stage(Staged::Request { ticket, request });
        None
    }

    fn refuse_change(&self, request: &Request) -> Option<Refusal> {
        match request {
            Request::Monitor { name, address, .. } => {
                let is_name = Address::new(address).is_name();
                if is_name && !self.host.settings.resolve_hostnames {
                    return Some(Refusal::InvalidAddress);
                }
                self.find(name).map(|_| Refusal::DuplicateMaster)
            }
            Request::Remove(name) | Request::Set { name, .. } => {
                self.find(name).is_none().then_some(Refusal::NoSuchMaster)
            }
            Request::Reset(_)
            | Request::ConfigSet(_)
            | Request::FlushConfig
            | Request::IsMasterDown { .. }
            | Request::Failover(..)
            | Request::Tune(_)
            | Request::SimulateFailure(_)
            | Request::Hello(_) => None,
        }
    }

    /// A MONITOR by name goes on when the name is known, or is refused.
    pub(crate) fn serve_resolved(&mut self, host: &Arc<str>, ip: Option<IpAddr>) {
        let waiting = core::mem::take(&mut self.host.unresolved);
        for (ticket, request) in waiting {
            let waits =
                matches!(&request, Request::Monitor { address, .. } if address.host == *host);
            match (waits, ip) {
                (false, _) => self.host.unresolved.push((ticket, request)),
                (true, None) => {
                    let refusal = Response::Refused(Refusal::InvalidAddress);
                    self.host.outbox.respond(ticket, refusal);
                }
                (true, Some(_)) => match self.refuse_change(&request) {
                    Some(refusal) => self.host.outbox.respond(ticket, Response::Refused(refusal)),
                    None => self.host.gate.stage(Staged::Request { ticket, request }),
                },
            }
        }
    }

    /// Whether an earlier change of the same name is not decided yet.
    fn must_park(&self, request: &Request) -> bool {
        let parked = self.host.parked.iter().map(|(_, parked)| parked);
        let pending = self.host.gate.staged_requests().chain(parked);
        pending.into_iter().any(|earlier| concerns_same(earlier, request))
    }

    /// What a staged request adds to the durable state.
    pub(crate) fn overlay_request(
        &self,
        request: &Request,
        masters: &mut Vec<(MasterId, Arc<SavedMaster>)>,
        changes: &mut Vec<DurableChange>,
    ) {
        match request {
            Request::Monitor { name, address, quorum } => {
                let record = self.new_record(name, address, *quorum);
                changes.push(DurableChange::Master(Arc::new(record)));
            }
            Request::Remove(name) => {
                masters.retain(|(_, saved)| saved.name != *name);
                changes.push(DurableChange::Removed(name.clone()));
            }
            Request::Set { name, options } => {
                if let Some((_, saved)) = masters.iter_mut().find(|(_, m)| m.name == *name) {
                    let saved = Arc::make_mut(saved);
                    options.iter().for_each(|item| apply_option(&mut saved.settings, &item.option));
                }
            }
            Request::Reset(names) => {
                for id in names.iter().filter_map(|name| self.find(name)) {
                    let Some(group) = self.groups.get(&id) else { continue };
                    let mut saved = group.compose(&self.host, &self.peers);
                    saved.replicas.clear();
                    saved.sentinels.clear();
                    masters.retain(|(other, _)| *other != id);
                    masters.push((id, Arc::new(saved)));
                }
            }
            Request::ConfigSet(options) => {
                let mut settings = (*self.host.settings).clone();
                options.iter().for_each(|option| apply_config(&mut settings, option));
                changes.push(DurableChange::Settings(Arc::new(settings)));
            }
            Request::FlushConfig
            | Request::IsMasterDown { .. }
            | Request::Failover(..)
            | Request::Tune(_)
            | Request::SimulateFailure(_)
            | Request::Hello(_) => {}
        }
    }

    /// A staged request is on disk: it takes effect and is answered.
    pub(crate) fn commit_request(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: Request,
        created: &[Arc<SavedMaster>],
    ) {
        let mut response = Response::Done;
        match request {
            Request::Monitor { name, .. } => {
                if let Some(record) = created.iter().find(|record| record.name == name) {
                    self.monitor(now, record.clone());
                }
            }
            Request::Remove(name) => {
                if let Some(id) = self.find(&name) {
                    self.remove(now, id);
                }
            }
            Request::Set { name, options } => {
                if let Some(id) = self.find(&name) {
                    self.with_group(now, id, |group, cx| group.apply_set(cx, &options));
                    self.review_ping_pace();
                }
            }
            Request::Reset(names) => {
                let ids: Vec<MasterId> = names.iter().filter_map(|name| self.find(name)).collect();
                ids.iter().for_each(|id| self.reset(now, *id));
                response = Response::Count(ids.len() as u64);
            }
            Request::ConfigSet(options) => self.apply_config_set(now, &options),
            Request::FlushConfig
            | Request::IsMasterDown { .. }
            | Request::Failover(..)
            | Request::Tune(_)
            | Request::SimulateFailure(_)
            | Request::Hello(_) => {}
        }
        self.host.outbox.respond(ticket, response);
    }

    fn apply_config_set(&mut self, now: Now, options: &[ConfigOption]) {
        let settings = Arc::make_mut(&mut self.host.settings);
        options.iter().for_each(|option| apply_config(settings, option));
        self.host.outbox.process_changed = true;
        crate::group::show_all(&mut self.host.outbox, self.groups.keys().copied());
        let credentials = |option: &ConfigOption| {
            matches!(option, ConfigOption::SentinelUser(_) | ConfigOption::SentinelPass(_))
        };
        if options.iter().any(credentials) {
            let ids: Vec<crate::SentinelId> = self.peers.keys().copied().collect();
            for id in ids {
                self.with_peer(now, id, |peer, cx| {
                    peer.line.close(cx);
                    peer.ping.connection_lost(cx.now.mono);
                });
            }
        }
    }
}

/// Two changes of which the second must see the first.
fn concerns_same(earlier: &Request, later: &Request) -> bool {
    fn names(request: &Request) -> &[MasterName] {
        match request {
            Request::Monitor { name, .. }
            | Request::Remove(name)
            | Request::Set { name, .. }
            | Request::Failover(name, _) => core::slice::from_ref(name),
            Request::Reset(names) => names,
            Request::ConfigSet(_)
            | Request::FlushConfig
            | Request::IsMasterDown { .. }
            | Request::Tune(_)
            | Request::SimulateFailure(_)
            | Request::Hello(_) => &[],
        }
    }
    let both_config = matches!((earlier, later), (Request::ConfigSet(_), Request::ConfigSet(_)));
    both_config || names(earlier).iter().any(|name| names(later).contains(name))
}

fn apply_option(settings: &mut MasterSettings, option: &SetOption) {
    match option {
        SetOption::DownAfter(span) => settings.down_after = *span,
        SetOption::FailoverTimeout(span) => settings.failover_timeout = *span,
        SetOption::ParallelSyncs(count) => settings.parallel_syncs = *count,
        SetOption::Quorum(quorum) => settings.quorum = *quorum,
        SetOption::NotificationScript(path) => settings.notification_script.clone_from(path),
        SetOption::ClientReconfigScript(path) => settings.client_reconfig_script.clone_from(path),
        SetOption::AuthPass(password) => settings.auth_pass.clone_from(password),
        SetOption::AuthUser(user) => settings.auth_user.clone_from(user),
        SetOption::RenameCommand { from, to } => rename(&mut settings.renames, from, to),
        SetOption::RebootDownAfter(span) => settings.reboot_down_after = *span,
    }
}

/// The same name twice removes the mapping; names of commands are kept in upper case.
fn rename(renames: &mut Arc<Renames>, from: &Arc<str>, to: &Arc<str>) {
    let table = Arc::make_mut(renames);
    let key: Arc<str> = from.to_ascii_uppercase().into();
    if from.eq_ignore_ascii_case(to) {
        table.remove(&key);
    } else {
        table.insert(key, to.clone());
    }
}

fn apply_config(settings: &mut Settings, option: &ConfigOption) {
    match option {
        ConfigOption::ResolveHostnames(yes) => settings.resolve_hostnames = *yes,
        ConfigOption::AnnounceHostnames(yes) => settings.announce_hostnames = *yes,
        ConfigOption::AnnounceIp(ip) => settings.announce_ip.clone_from(ip),
        ConfigOption::AnnouncePort(port) => settings.announce_port = *port,
        ConfigOption::SentinelUser(user) => settings.sentinel_user.clone_from(user),
        ConfigOption::SentinelPass(password) => settings.sentinel_pass.clone_from(password),
        ConfigOption::LogLevel(level) => settings.log_level = *level,
    }
}

impl Group {
    /// Why a failover cannot be forced now.
    fn refuse_failover(&mut self, cx: &mut Cx<'_>) -> Option<Refusal> {
        if self.failover.is_some() {
            return Some(Refusal::FailoverInProgress);
        }
        if cx.in_tilt() {
            return Some(Refusal::InTilt);
        }
        if cx.host.own_id_elsewhere_until().is_some_and(|until| until > cx.now.mono) {
            return Some(Refusal::OwnIdElsewhere);
        }
        if let Some(to) = self.deferral.as_ref().and_then(|deferral| deferral.to) {
            let longest = cx.host.tunables.get(Tunable::ElectionTimeout);
            if self.vote.cast_at.is_some_and(|at| cx.age(at) < longest) {
                return Some(Refusal::DeferringTo(to));
            }
        }
        if self.choose(cx).is_none() {
            return Some(Refusal::NoGoodReplica);
        }
        cx.host.gate.is_failing().then_some(Refusal::SaveFailed)
    }

    /// `SENTINEL SET` is on disk.
    fn apply_set(&mut self, cx: &mut Cx<'_>, items: &[SetItem]) {
        let mut settings = (*self.settings).clone();
        items.iter().for_each(|item| apply_option(&mut settings, &item.option));
        self.settings = Arc::new(settings);
        for item in items {
            self.emit(cx, EventKind::Set, Detail::Option(item.shown.clone()));
        }
        for member in &self.members {
            if let Some(peer) = cx.peers.get_mut(&member.id) {
                peer.sharers.insert(self.id, self.settings.down_after);
                cx.host.touched_peers.insert(member.id);
            }
        }
        let credentials =
            |item: &SetItem| matches!(item.option, SetOption::AuthPass(_) | SetOption::AuthUser(_));
        if items.iter().any(credentials) {
            self.nodes_mut().for_each(|node| node.disconnect(cx));
        }
        if items.iter().any(|item| matches!(item.option, SetOption::RenameCommand { .. })) {
            self.rename_commands(cx);
        }
        self.show(cx);
    }

    fn rename_commands(&mut self, cx: &mut Cx<'_>) {
        let renames = self.settings.renames.clone();
        for node in self.nodes() {
            for line in [&node.commands, &node.subscription] {
                if let Some(conn) = &line.conn {
                    let renames = renames.clone();
                    cx.order(crate::Effect::Rename { conn: conn.id, renames });
                }
            }
        }
    }
}
