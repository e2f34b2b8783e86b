//! Events in words (spec: interface 5, behaviour 12).

use bytes::Bytes;
use vedette_core::{
    Detail, Endpoint, Event, EventKind, Part, Role, ScriptArguments, ScriptCall, Subject,
};

/// Longest payload, in bytes (spec: behaviour 12.1).
pub const PAYLOAD_MAX: usize = 1023;

/// An event as subscribers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedEvent {
    /// What happened; also the channel.
    pub channel: &'static str,
    /// The text.
    pub payload: Bytes,
}

/// What the payload of an event begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    /// The instance, `%@` of behaviour 12.2.
    Instance,
    /// Nothing: the detail is the whole text.
    Nothing,
    /// This, and there is no detail.
    Text(&'static str),
}

macro_rules! event_names {
    ($($kind:ident $name:literal $prefix:ident $(($text:literal))?,)*) => {
        /// The type of an event as it stands on the wire.
        #[must_use]
        pub const fn event_name(kind: EventKind) -> &'static str {
            match kind {
                $(EventKind::$kind => $name,)*
            }
        }

        const fn prefix(kind: EventKind) -> Prefix {
            match kind {
                $(EventKind::$kind => Prefix::$prefix $(($text))?,)*
            }
        }
    };
}

event_names! {
    Monitor "+monitor" Instance,
    Unmonitor "-monitor" Instance,
    Set "+set" Instance,
    ResetMaster "+reset-master" Instance,
    Replica "+slave" Instance,
    Sentinel "+sentinel" Instance,
    SentinelAddressSwitch "+sentinel-address-switch" Instance,
    SentinelInvalidAddr "+sentinel-invalid-addr" Instance,
    SentinelAddressUpdate "+sentinel-address-update" Instance,
    Reboot "+reboot" Instance,
    RoleChange "+role-change" Instance,
    RoleChangeAway "-role-change" Instance,
    SdownEntered "+sdown" Instance,
    SdownLeft "-sdown" Instance,
    OdownEntered "+odown" Instance,
    OdownLeft "-odown" Instance,
    NewEpoch "+new-epoch" Nothing,
    TryFailover "+try-failover" Instance,
    VoteForLeader "+vote-for-leader" Nothing,
    ElectedLeader "+elected-leader" Instance,
    AbortNotElected "-failover-abort-not-elected" Instance,
    StateSelectReplica "+failover-state-select-slave" Instance,
    AbortNoGoodReplica "-failover-abort-no-good-slave" Instance,
    SelectedReplica "+selected-slave" Instance,
    StateSendReplicaOfNoOne "+failover-state-send-slaveof-noone" Instance,
    StateWaitPromotion "+failover-state-wait-promotion" Instance,
    AbortReplicaTimeout "-failover-abort-slave-timeout" Instance,
    AbortMasterIsBack "-failover-abort-master-is-back" Instance,
    PromotedReplica "+promoted-slave" Instance,
    StateReconfReplicas "+failover-state-reconf-slaves" Instance,
    ReplicaReconfSent "+slave-reconf-sent" Instance,
    ReplicaReconfInProgress "+slave-reconf-inprog" Instance,
    ReplicaReconfDone "+slave-reconf-done" Instance,
    ReplicaReconfSentBestEffort "+slave-reconf-sent-be" Instance,
    ReplicaReconfSentTimeout "-slave-reconf-sent-timeout" Instance,
    FailoverEndForTimeout "+failover-end-for-timeout" Instance,
    FailoverEnd "+failover-end" Instance,
    SwitchMaster "+switch-master" Nothing,
    ConfigUpdateFrom "+config-update-from" Instance,
    ConvertToReplica "+convert-to-slave" Instance,
    FixReplicaConfig "+fix-slave-config" Instance,
    TiltEntered "+tilt" Text("#tilt mode entered"),
    TiltLeft "-tilt" Text("#tilt mode exited"),
    ScriptError "-script-error" Nothing,
    ScriptTimeout "-script-timeout" Nothing,
    ScriptDropped "-script-dropped" Nothing,
    ScriptChild "+script-child" Nothing,
    ScriptChildEnded "-script-child" Nothing,
    CommandLinkReconnection "-cmd-link-reconnection" Instance,
    SubscriptionLinkReconnection "-pubsub-link-reconnection" Instance,
}

/// Spells an event.
#[must_use]
pub fn render(event: &Event) -> RenderedEvent {
    RenderedEvent { channel: event_name(event.kind), payload: payload(event).into() }
}

/// The text of an event in the log: `<type> <payload>`.
#[must_use]
pub fn log_line(event: &Event) -> String {
    format!("{} {}", event_name(event.kind), payload(event))
}

/// A script's arguments, its path first (spec: behaviour 11.1).
#[must_use]
pub fn script_argv(call: &ScriptCall) -> Vec<String> {
    let mut argv = vec![call.path.to_string()];
    match &call.arguments {
        ScriptArguments::Notification(event) => {
            argv.extend([event_name(event.kind).to_owned(), payload(event)]);
        }
        ScriptArguments::ClientReconfig { master, leader, from, to } => {
            let role = if *leader { "leader" } else { "observer" };
            argv.extend([master.to_string(), role.to_owned(), "start".to_owned()]);
            for endpoint in [from, to] {
                argv.extend([endpoint.host.to_string(), endpoint.port.to_string()]);
            }
        }
    }
    argv
}

fn payload(event: &Event) -> String {
    let mut text = match (prefix(event.kind), &event.about) {
        (Prefix::Instance, Some(subject)) => instance(subject),
        (Prefix::Text(text), _) => text.to_owned(),
        (Prefix::Instance, None) | (Prefix::Nothing, _) => String::new(),
    };
    let detail = detail(event);
    if !text.is_empty() && !detail.is_empty() {
        text.push(' ');
    }
    text.push_str(&detail);
    text.truncate(text.floor_char_boundary(PAYLOAD_MAX));
    text
}

/// `%@`: which instance (spec: behaviour 12.2).
fn instance(subject: &Subject) -> String {
    let master = &subject.master;
    let at = Plain(&subject.address);
    match &subject.part {
        Part::Master => format!("master {master} {at}"),
        Part::Replica { name, address } => {
            format!("slave {name} {} @ {master} {at}", Plain(address))
        }
        Part::Sentinel { id, address } => {
            format!("sentinel {id} {} @ {master} {at}", Plain(address))
        }
    }
}

fn detail(event: &Event) -> String {
    match &event.detail {
        Detail::None => String::new(),
        Detail::Quorum(quorum) => format!("quorum {quorum}"),
        Detail::Agreement { count, quorum } => format!("#quorum {count}/{quorum}"),
        Detail::Option(shown) => shown.to_string(),
        Detail::MovedTo { address, id } => {
            format!("ip {} port {} for {id}", address.host, address.port)
        }
        Detail::AlsoUpdated(count) => format!("{count} additional matching instances"),
        Detail::Role(role) => format!("new reported role is {}", role_name(*role)),
        Detail::Epoch(epoch) => epoch.to_string(),
        Detail::Vote { leader, epoch } => format!("{leader} {epoch}"),
        Detail::Switch { from, to } => {
            let name = event.about.as_ref().map_or("", |subject| &*subject.master);
            format!("{name} {} {}", Plain(from), Plain(to))
        }
        Detail::ScriptError { path, signal, code } => format!("{path} {signal} {code}"),
        Detail::ScriptTimeout { path, pid } => format!("{path} {pid}"),
        Detail::ScriptDropped { path } => path.to_string(),
        Detail::ScriptChild { pid } => pid.to_string(),
        Detail::ScriptChildEnded { pid, code, signal } => format!("{pid} {code} {signal}"),
        Detail::Reason(reason) => format!("#{reason}"),
    }
}

/// How a role is spelled wherever it is told.
#[must_use]
pub const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Master => "master",
        Role::Replica => "slave",
    }
}

/// Host and port with a blank between them, without brackets.
struct Plain<'a>(&'a Endpoint);

impl core::fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} {}", self.0.host, self.0.port)
    }
}
