//! Events in words (spec: interface 5, behaviour 12).

use bytes::{Bytes, BytesMut};
use vedette_core::{
    Detail, Endpoint, Event, EventKind, Part, Role, ScriptArguments, ScriptCall, Subject,
};
use vedette_resp::encode_bulk;

/// Longest payload, in bytes (spec: behaviour 12.1).
pub const PAYLOAD_MAX: usize = 1023;

/// An event as subscribers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedEvent {
    channel: &'static str,
    payload: Bytes,
    tail: Bytes,
}

impl RenderedEvent {
    /// An event of this type with this text.
    #[must_use]
    pub fn new(channel: &'static str, payload: &str) -> Self {
        let mut tail = BytesMut::new();
        encode_bulk(&mut tail, channel.as_bytes());
        encode_bulk(&mut tail, payload.as_bytes());
        let tail = tail.freeze();
        let payload = tail.slice(tail.len() - END_BYTES - payload.len()..tail.len() - END_BYTES);
        Self { channel, payload, tail }
    }

    /// What happened; also the channel.
    #[must_use]
    pub fn channel(&self) -> &'static str {
        self.channel
    }

    /// The text.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The channel and the text as they end each message about it, in either protocol: encoded
    /// once, however many listen.
    pub(crate) fn tail(&self) -> &Bytes {
        &self.tail
    }
}

/// What ends a bulk string.
const END_BYTES: usize = 2;

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
    RenderedEvent::new(event_name(event.kind), &payload(event))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use vedette_core::{
        Detail, Endpoint, Epoch, Event, EventKind, Part, Role, ScriptArguments, ScriptCall,
        SentinelId, Subject,
    };

    use super::{PAYLOAD_MAX, event_name, log_line, render, script_argv};

    const ID: &str = "903ed8b5de54c8f708256e1c0190a425510f5005";

    fn id() -> SentinelId {
        SentinelId::parse(ID).expect("40 characters")
    }

    fn about(part: Part) -> Option<Subject> {
        Some(Subject { master: "m".into(), address: Endpoint::new("10.0.0.1", 6379), part })
    }

    fn replica() -> Option<Subject> {
        let address = Endpoint::new("::1", 6380);
        about(Part::Replica { name: address.to_string().into(), address })
    }

    fn sentinel() -> Option<Subject> {
        about(Part::Sentinel { id: id(), address: Endpoint::new("10.0.0.9", 26379) })
    }

    fn epoch(number: u64) -> Epoch {
        Epoch::new(number).expect("in range")
    }

    #[test]
    fn lines_are_those_of_the_reference() {
        let (from, to) = (Endpoint::new("10.0.0.1", 6379), Endpoint::new("10.0.0.2", 6380));
        let cases = [
            (EventKind::Monitor, about(Part::Master), Detail::Quorum(2),
             "+monitor master m 10.0.0.1 6379 quorum 2".to_owned()),
            (EventKind::OdownEntered, about(Part::Master),
             Detail::Agreement { count: 3, quorum: 2 },
             "+odown master m 10.0.0.1 6379 #quorum 3/2".to_owned()),
            (EventKind::Replica, replica(), Detail::None,
             "+slave slave [::1]:6380 ::1 6380 @ m 10.0.0.1 6379".to_owned()),
            (EventKind::SdownEntered, sentinel(), Detail::None,
             format!("+sdown sentinel {ID} 10.0.0.9 26379 @ m 10.0.0.1 6379")),
            (EventKind::SwitchMaster, about(Part::Master), Detail::Switch { from, to },
             "+switch-master m 10.0.0.1 6379 10.0.0.2 6380".to_owned()),
            (EventKind::NewEpoch, about(Part::Master), Detail::Epoch(epoch(7)),
             "+new-epoch 7".to_owned()),
            (EventKind::VoteForLeader, about(Part::Master),
             Detail::Vote { leader: id(), epoch: epoch(7) },
             format!("+vote-for-leader {ID} 7")),
            (EventKind::SentinelAddressSwitch, about(Part::Master),
             Detail::MovedTo { address: Endpoint::new("10.0.0.8", 1), id: id() },
             ["+sentinel-address-switch master m 10.0.0.1 6379 ip 10.0.0.8 port 1 for", ID].join(" ")),
            (EventKind::RoleChangeAway, replica(), Detail::Role(Role::Master),
             "-role-change slave [::1]:6380 ::1 6380 @ m 10.0.0.1 6379 new reported role is master"
                 .to_owned()),
            (EventKind::TiltEntered, None, Detail::None, "+tilt #tilt mode entered".to_owned()),
            (EventKind::TiltLeft, None, Detail::None, "-tilt #tilt mode exited".to_owned()),
            (EventKind::ScriptError, None,
             Detail::ScriptError { path: "/x".into(), signal: 99, code: 0 },
             "-script-error /x 99 0".to_owned()),
            (EventKind::CommandLinkReconnection, about(Part::Master),
             Detail::Reason("Connection refused".into()),
             "-cmd-link-reconnection master m 10.0.0.1 6379 #Connection refused".to_owned()),
            (EventKind::Set, about(Part::Master), Detail::Option("auth-pass ******".into()),
             "+set master m 10.0.0.1 6379 auth-pass ******".to_owned()),
        ];
        for (kind, about, detail, expected) in cases {
            assert_eq!(log_line(&Event { kind, about, detail }), expected);
        }
    }

    #[test]
    fn every_event_has_its_own_name_with_a_sign() {
        let names: BTreeSet<_> = EventKind::ALL.iter().map(|kind| event_name(*kind)).collect();
        assert_eq!(names.len(), EventKind::ALL.len());
        assert!(names.iter().all(|name| name.starts_with(['+', '-'])));
    }

    #[test]
    fn payloads_are_cut() {
        let detail = Detail::Option("\u{e9}".repeat(PAYLOAD_MAX).into());
        let event = Event { kind: EventKind::Set, about: about(Part::Master), detail };
        let payload = render(&event).payload().clone();
        assert!((PAYLOAD_MAX - 1..=PAYLOAD_MAX).contains(&payload.len()));
    }

    #[test]
    fn scripts_get_the_reference_s_arguments() {
        let (from, to) = (Endpoint::new("10.0.0.1", 6379), Endpoint::new("10.0.0.2", 6380));
        let arguments =
            ScriptArguments::ClientReconfig { master: "m".into(), leader: false, from, to };
        let argv = script_argv(&ScriptCall { path: "/x".into(), arguments });
        assert_eq!(argv.join(" "), "/x m observer start 10.0.0.1 6379 10.0.0.2 6380");
        let event = Event {
            kind: EventKind::SdownEntered,
            about: about(Part::Master),
            detail: Detail::None,
        };
        let arguments = ScriptArguments::Notification(event);
        let argv = script_argv(&ScriptCall { path: "/x".into(), arguments });
        assert_eq!(argv, ["/x", "+sdown", "master m 10.0.0.1 6379"]);
    }
}
