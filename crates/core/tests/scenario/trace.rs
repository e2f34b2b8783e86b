//! The trace: what the core ordered, in words of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use vedette_core::{
    ConnId, Detail, DurableChange, Effect, Event, EventKind, Hindrance, MasterView, Note, Part,
    Purpose, Query, ReplicationTarget, Response, Role, SavedMaster, ScriptArguments,
};

use super::names::sentinel_name;
use super::network::Line;
use super::parse::Variant;
use super::store::Store;

/// What is written down unless the scenario says otherwise.
const USUAL: &[&str] =
    &["event", "ask", "slaveof", "persist", "respond", "note", "script", "resolve", "crash"];

/// The trace of a run.
pub(crate) struct Trace {
    pub(crate) me: String,
    text: String,
    visible: BTreeSet<String>,
    muted: bool,
    origin: u64,
    reveals_only: bool,
    last_hello: String,
    views: BTreeMap<String, String>,
}

impl Trace {
    pub(crate) fn new(variant: Variant) -> Self {
        Self {
            me: "a".to_owned(),
            text: String::new(),
            visible: USUAL.iter().map(|word| (*word).to_owned()).collect(),
            muted: false,
            origin: 0,
            reveals_only: variant != Variant::AsTold,
            last_hello: String::new(),
            views: BTreeMap::new(),
        }
    }

    pub(crate) fn text(self) -> String {
        if self.text.is_empty() { "nothing\n".to_owned() } else { self.text }
    }

    pub(crate) fn only(&mut self, kinds: &[&str]) {
        self.visible = kinds.iter().map(|word| (*word).to_owned()).collect();
    }

    pub(crate) fn also(&mut self, kinds: &[&str]) {
        self.visible.extend(kinds.iter().map(|word| (*word).to_owned()));
    }

    pub(crate) fn hide(&mut self, kinds: &[&str]) {
        self.visible.retain(|word| !kinds.contains(&word.as_str()));
    }

    pub(crate) fn mute(&mut self) {
        self.muted = true;
    }

    pub(crate) fn unmute(&mut self) {
        self.muted = false;
    }

    pub(crate) fn count_from(&mut self, now: u64) {
        self.origin = now;
    }

    pub(crate) fn show(&mut self, now: u64, master: &str) {
        if let Some(view) = self.views.get(master).filter(|_| !self.reveals_only) {
            let _ = writeln!(self.text, "@{} view {view}", now - self.origin);
        }
    }

    /// Writes an order down, if its kind is of interest.
    pub(crate) fn order(
        &mut self,
        now: u64,
        effect: &Effect,
        lines: &BTreeMap<ConnId, Line>,
        store: &Store,
    ) {
        match effect {
            Effect::Publish(publication) => {
                for view in &publication.masters {
                    self.views.insert(view.name.to_string(), describe_view(view));
                }
                for event in &publication.events {
                    let reveals =
                        matches!(event.kind, EventKind::SwitchMaster | EventKind::VoteForLeader);
                    let kind = match event.kind {
                        EventKind::CommandLinkReconnection
                        | EventKind::SubscriptionLinkReconnection => "link",
                        _ => "event",
                    };
                    self.write(now, kind, reveals, &describe_event(event));
                }
            }
            Effect::Send { conn, query } => {
                let name = lines.get(conn).map_or("?", |line| line.name.as_str());
                self.sent(now, name, query);
            }
            other => {
                if let Some((kind, reveals, text)) = describe_order(other, lines, store) {
                    self.write(now, kind, reveals, &text);
                }
            }
        }
    }

    fn sent(&mut self, now: u64, name: &str, query: &Query) {
        let (kind, text) = describe_query(query);
        let mut reveals = false;
        match query {
            Query::AskDown { vote_for, .. } => reveals = vote_for.is_some(),
            Query::Replicate { .. } => reveals = true,
            Query::Hello(_) => {
                reveals = self.last_hello != text;
                self.last_hello.clone_from(&text);
            }
            _ => {}
        }
        self.write(now, kind, reveals, &format!("send {name} {text}"));
    }

    fn write(&mut self, now: u64, kind: &str, reveals: bool, text: &str) {
        let wanted = if self.reveals_only { reveals } else { self.visible.contains(kind) };
        if wanted && !self.muted {
            let _ = writeln!(self.text, "@{} {text}", now - self.origin);
        }
    }
}

fn describe_query(query: &Query) -> (&'static str, String) {
    match query {
        Query::Auth { user: None, .. } => ("auth", "auth".to_owned()),
        Query::Auth { user: Some(user), .. } => ("auth", format!("auth {user}")),
        Query::SetName { purpose: Purpose::Commands, .. } => ("setname", "setname cmd".to_owned()),
        Query::SetName { .. } => ("setname", "setname pubsub".to_owned()),
        Query::Ping => ("ping", "ping".to_owned()),
        Query::Info => ("info", "info".to_owned()),
        Query::Subscribe => ("subscribe", "subscribe".to_owned()),
        Query::Hello(hello) => {
            let (epoch, config) = (hello.current_epoch, hello.config_epoch);
            let from = hello.sentinel.to_string();
            let from =
                if from.starts_with("10.0.0.1") { String::new() } else { format!(" from {from}") };
            let (master, address) = (&hello.master, &hello.address);
            ("hello", format!("hello {master} epoch={epoch} {address} config={config}{from}"))
        }
        Query::AskDown { address, epoch, vote_for } => {
            let wants = if vote_for.is_some() { "vote" } else { "opinion" };
            ("ask", format!("ask {address} epoch={epoch} {wants}"))
        }
        Query::Replicate { target, without } => {
            let target = match target {
                ReplicationTarget::NoOne => "no-one".to_owned(),
                ReplicationTarget::Node(at) => at.to_string(),
            };
            let rest =
                if without.is_empty() { String::new() } else { format!(" without {without:?}") };
            ("slaveof", format!("slaveof {target}{rest}"))
        }
        Query::ScriptKill => ("kill", "script-kill".to_owned()),
        Query::HandOver { to, patience } => {
            ("slaveof", format!("failover to {to} within {}", patience.0))
        }
        Query::RecallHandOver => ("slaveof", "failover abort".to_owned()),
        Query::RewriteConfig => ("slaveof", "config rewrite".to_owned()),
        Query::TellOffset => ("offset", "tell-offset".to_owned()),
    }
}

fn describe_order(
    effect: &Effect,
    lines: &BTreeMap<ConnId, Line>,
    store: &Store,
) -> Option<(&'static str, bool, String)> {
    let name = |conn| lines.get(conn).map_or("?", |line| line.name.as_str());
    Some(match effect {
        Effect::Connect { purpose, to, renames, .. } => {
            let purpose = match purpose {
                Purpose::Commands => "commands",
                Purpose::Subscription => "subscription",
            };
            let renames = if renames.is_empty() { String::new() } else { format!(" {renames:?}") };
            ("connect", false, format!("connect {to} {purpose}{renames}"))
        }
        Effect::Close { conn } => ("close", false, format!("close {}", name(conn))),
        Effect::Rename { conn, renames } => {
            ("rename", false, format!("rename {} {renames:?}", name(conn)))
        }
        Effect::Resolve { host } => ("resolve", false, format!("resolve {host}")),
        Effect::Persist { generation, changes } => {
            let changes: Vec<String> =
                changes.iter().map(|change| describe_change(change, store)).collect();
            ("persist", false, format!("persist {} {}", generation.0, changes.join("; ")))
        }
        Effect::Respond { ticket, response } => {
            let reveals = match response {
                Response::Done | Response::Opinion { leader: Some(_), .. } => true,
                Response::HelloTaken => return None,
                Response::Opinion { .. } | Response::Count(_) | Response::Refused(_) => false,
            };
            ("respond", reveals, format!("respond {} {}", ticket.0, describe_response(response)))
        }
        Effect::RunScript { job, call } => {
            let arguments = match &call.arguments {
                ScriptArguments::Notification(event) => describe_event(event),
                ScriptArguments::ClientReconfig { master, leader, from, to } => {
                    let role = if *leader { "leader" } else { "observer" };
                    format!("{master} {role} start {from} {to}")
                }
            };
            ("script", false, format!("script {} {} {arguments}", job.0, call.path))
        }
        Effect::KillScript { job } => ("script", false, format!("kill-script {}", job.0)),
        Effect::Log(note) => ("note", false, format!("note {}", describe_note(note))),
        Effect::Crash => ("crash", false, "crash".to_owned()),
        Effect::Publish(_) | Effect::Send { .. } => return None,
    })
}

fn describe_response(response: &Response) -> String {
    match response {
        Response::Done => "ok".to_owned(),
        Response::Opinion { down, leader, leader_epoch } => {
            let leader = leader.map_or("*".to_owned(), sentinel_name);
            format!("down={} vote={leader} epoch={leader_epoch}", u8::from(*down))
        }
        Response::Count(count) => format!("{count}"),
        Response::HelloTaken => "taken".to_owned(),
        Response::Refused(refusal) => shorten(&format!("refused {refusal:?}")),
    }
}

/// What a change is about to change on the disk.
fn describe_change(change: &DurableChange, store: &Store) -> String {
    match change {
        DurableChange::CurrentEpoch(epoch) => format!("epoch={epoch}"),
        DurableChange::Settings(_) => "settings".to_owned(),
        DurableChange::Removed(name) => format!("{name} removed"),
        DurableChange::Master(saved) => {
            let mut words = vec![saved.name.to_string()];
            match store.master(&saved.name) {
                None => words.push(format!("new {}", saved.address)),
                Some(before) => words.extend(differences(before, saved)),
            }
            words.join(" ")
        }
    }
}

fn differences(before: &SavedMaster, saved: &SavedMaster) -> Vec<String> {
    let mut words = Vec::new();
    let mut tell = |different: bool, text: String| {
        if different {
            words.push(text);
        }
    };
    tell(before.address != saved.address, format!("{}", saved.address));
    tell(before.config_epoch != saved.config_epoch, format!("config={}", saved.config_epoch));
    let leader_epoch = saved.leader_epoch.map_or("none".to_owned(), |epoch| epoch.to_string());
    tell(before.leader_epoch != saved.leader_epoch, format!("leader-epoch={leader_epoch}"));
    let vote = saved.last_vote.as_ref().map_or("*".to_owned(), |vote| sentinel_name(vote.leader));
    tell(before.last_vote != saved.last_vote, format!("vote={vote}"));
    let replicas: Vec<String> = saved.replicas.iter().map(ToString::to_string).collect();
    tell(before.replicas != saved.replicas, format!("replicas={}", replicas.join(",")));
    let known = |saved: &SavedMaster| -> String {
        let all = saved.sentinels.iter().map(|s| format!("{}@{}", sentinel_name(s.id), s.address));
        all.collect::<Vec<_>>().join(",")
    };
    tell(before.sentinels != saved.sentinels, format!("sentinels={}", known(saved)));
    tell(before.settings != saved.settings, "settings".to_owned());
    words
}

fn describe_event(event: &Event) -> String {
    let mut text = format!("event {}", spelling(event.kind));
    if let Some(about) = &event.about {
        let _ = match &about.part {
            Part::Master => write!(text, " master {} {}", about.master, about.address),
            Part::Replica { address, .. } => {
                write!(text, " replica {address} @ {} {}", about.master, about.address)
            }
            Part::Sentinel { id, address } => {
                let name = sentinel_name(*id);
                write!(text, " sentinel {name} {address} @ {} {}", about.master, about.address)
            }
        };
    }
    text + &describe_detail(&event.detail)
}

fn describe_detail(detail: &Detail) -> String {
    match detail {
        Detail::None => String::new(),
        Detail::Quorum(quorum) => format!(" quorum {quorum}"),
        Detail::Agreement { count, quorum } => format!(" {count}/{quorum}"),
        Detail::Option(text) | Detail::Reason(text) => format!(" {text}"),
        Detail::MovedTo { address, id } => format!(" {} to {address}", sentinel_name(*id)),
        Detail::AlsoUpdated(count) => format!(" {count}"),
        Detail::Role(Role::Master) => " now master".to_owned(),
        Detail::Role(Role::Replica) => " now replica".to_owned(),
        Detail::Epoch(epoch) => format!(" {epoch}"),
        Detail::Vote { leader, epoch } => format!(" {} {epoch}", sentinel_name(*leader)),
        Detail::Switch { from, to } => format!(" {from} {to}"),
        Detail::ScriptError { path, signal, code } => format!(" {path} {signal} {code}"),
        Detail::ScriptTimeout { path, pid } => format!(" {path} {pid}"),
        Detail::ScriptDropped { path } => format!(" {path}"),
        Detail::ScriptChild { pid } => format!(" {pid}"),
        Detail::ScriptChildEnded { pid, code, signal } => format!(" {pid} {code} {signal}"),
    }
}

fn describe_note(note: &Note) -> String {
    match note {
        Note::CannotStand { master, why } => {
            let why = match why {
                Hindrance::Deferring { to } => {
                    format!("deferring to {}", to.map_or("nobody".to_owned(), sentinel_name))
                }
                other => format!("{other:?}"),
            };
            format!("{master} cannot stand: {why}")
        }
        Note::VotedFor { sentinel, leader, epoch } => {
            format!("{} voted for {} {epoch}", sentinel_name(*sentinel), sentinel_name(*leader))
        }
        Note::Verdict { replica, why: None, .. } => format!("{replica} is eligible"),
        Note::Verdict { replica, why: Some(why), .. } => format!("{replica} is excluded: {why:?}"),
        Note::FarEpoch { offered, current } => format!("far epoch {offered}, ours is {current}"),
        Note::EqualEpochConflict { master, epoch, heard, kept } => {
            format!("{master} equal epoch {epoch}: heard {heard}, kept {kept}")
        }
        Note::HandOverRefused { node, why } => format!("{node} does not hand over: {why}"),
        Note::TransactionRefused { node, commands } => format!("{node} refuses {commands:?}"),
        Note::OwnIdElsewhere { address } => format!("own id at {address}"),
        Note::GarbageInfo { node } => format!("garbage from {node}"),
        other => shorten(&format!("{other:?}")),
    }
}

/// Ids as letters.
fn shorten(text: &str) -> String {
    let mut short = text.to_owned();
    for letter in 'a'..='z' {
        short = short.replace(&letter.to_string().repeat(40), &letter.to_string());
    }
    short
}

fn describe_view(view: &MasterView) -> String {
    let mut text = format!("{} {} config={}", view.name, view.node.address, view.config_epoch);
    let mut flag = |on: bool, word: &str| {
        if on {
            text.push(' ');
            text.push_str(word);
        }
    };
    flag(view.node.sdown_since.is_some(), "sdown");
    flag(view.odown_since.is_some(), "odown");
    flag(!view.node.link.connected, "disconnected");
    if let Some(failover) = &view.failover {
        let _ = write!(text, " failover={:?}", failover.state);
    }
    for replica in &view.replicas {
        let down = if replica.node.sdown_since.is_some() { "/down" } else { "" };
        let reconf = replica.reconf.map_or(String::new(), |state| format!("/{state:?}"));
        let promoted = if replica.promoted { "/promoted" } else { "" };
        let _ = write!(text, " {}{down}{promoted}{reconf}", replica.name);
    }
    for member in &view.sentinels {
        let down = if member.sdown_since.is_some() { "/down" } else { "" };
        let _ = write!(text, " {}{down}", sentinel_name(member.id));
    }
    text
}

/// The names of events.
fn spelling(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Monitor => "+monitor",
        EventKind::Unmonitor => "-monitor",
        EventKind::Set => "+set",
        EventKind::ResetMaster => "+reset-master",
        EventKind::Replica => "+replica",
        EventKind::Sentinel => "+sentinel",
        EventKind::SentinelAddressSwitch => "+sentinel-address-switch",
        EventKind::SentinelInvalidAddr => "+sentinel-invalid-addr",
        EventKind::SentinelAddressUpdate => "+sentinel-address-update",
        EventKind::Reboot => "+reboot",
        EventKind::RoleChange => "+role-change",
        EventKind::RoleChangeAway => "-role-change",
        EventKind::SdownEntered => "+sdown",
        EventKind::SdownLeft => "-sdown",
        EventKind::OdownEntered => "+odown",
        EventKind::OdownLeft => "-odown",
        EventKind::NewEpoch => "+new-epoch",
        EventKind::TryFailover => "+try-failover",
        EventKind::VoteForLeader => "+vote-for-leader",
        EventKind::ElectedLeader => "+elected-leader",
        EventKind::AbortNotElected => "-abort-not-elected",
        EventKind::StateSelectReplica => "+state-select-replica",
        EventKind::AbortNoGoodReplica => "-abort-no-good-replica",
        EventKind::SelectedReplica => "+selected-replica",
        EventKind::StateSendReplicaOfNoOne => "+state-send-no-one",
        EventKind::StateWaitPromotion => "+state-wait-promotion",
        EventKind::AbortReplicaTimeout => "-abort-replica-timeout",
        EventKind::AbortMasterIsBack => "-abort-master-is-back",
        EventKind::PromotedReplica => "+promoted-replica",
        EventKind::StateReconfReplicas => "+state-reconf-replicas",
        EventKind::ReplicaReconfSent => "+reconf-sent",
        EventKind::ReplicaReconfInProgress => "+reconf-inprog",
        EventKind::ReplicaReconfDone => "+reconf-done",
        EventKind::ReplicaReconfSentBestEffort => "+reconf-sent-be",
        EventKind::ReplicaReconfSentTimeout => "-reconf-sent-timeout",
        EventKind::FailoverEndForTimeout => "+failover-end-for-timeout",
        EventKind::FailoverEnd => "+failover-end",
        EventKind::SwitchMaster => "+switch-master",
        EventKind::ConfigUpdateFrom => "+config-update-from",
        EventKind::ConvertToReplica => "+convert-to-replica",
        EventKind::FixReplicaConfig => "+fix-replica-config",
        EventKind::TiltEntered => "+tilt",
        EventKind::TiltLeft => "-tilt",
        EventKind::ScriptError => "-script-error",
        EventKind::ScriptTimeout => "-script-timeout",
        EventKind::ScriptDropped => "-script-dropped",
        EventKind::ScriptChild => "+script-child",
        EventKind::ScriptChildEnded => "-script-child",
        EventKind::CommandLinkReconnection => "-cmd-link-reconnection",
        EventKind::SubscriptionLinkReconnection => "-pubsub-link-reconnection",
    }
}
