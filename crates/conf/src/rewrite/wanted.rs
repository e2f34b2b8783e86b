//! The `sentinel` lines that a state asks for (spec: interface 9.4, behaviour 13.4).

use std::sync::Arc;

use vedette_core::{Endpoint, Epoch, MasterSettings, SavedMaster, Settings, Span, Tunables};

use crate::directives::{INT_MAX, SentinelDirective};
use crate::words;

/// The values of one line, unquoted: for a master's line its name comes first.
pub(super) type Values = Vec<Vec<u8>>;

/// What a directive should say.
pub(super) struct Wanted {
    pub(super) directive: SentinelDirective,
    pub(super) lines: Lines,
}

/// The lines of one directive.
pub(super) enum Lines {
    /// This one, always.
    One(Values),
    /// The default: this value where a line stands already, else nothing (spec: holes H29).
    Default(Values),
    /// None, where there may be one.
    Absent,
    /// Exactly these of a directive that may repeat.
    Many(Vec<Values>),
}

impl Lines {
    fn maybe(values: Option<Values>) -> Self {
        values.map_or(Self::Absent, Self::One)
    }

    fn unless_default(values: Values, default: bool) -> Self {
        if default { Self::Default(values) } else { Self::One(values) }
    }
}

/// One line as text, without its end.
pub(super) fn line(directive: SentinelDirective, name: &str, values: &Values) -> Vec<u8> {
    let mut line = format!("sentinel {name}").into_bytes();
    for value in values {
        line.push(b' ');
        line.extend(match directive {
            SentinelDirective::AnnounceIp => words::quote(value),
            _ => words::quote_if_needed(value),
        });
    }
    line
}

fn bytes(value: impl ToString) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn yes_no(value: bool) -> Vec<u8> {
    if value { b"yes".to_vec() } else { b"no".to_vec() }
}

/// The lines before the masters.
pub(super) fn before_masters(id: &str, settings: &Settings) -> Vec<Wanted> {
    use SentinelDirective as D;
    let flag = |directive, value: bool, default: bool| Wanted {
        directive,
        lines: Lines::unless_default(vec![yes_no(value)], value == default),
    };
    vec![
        Wanted { directive: D::MyId, lines: Lines::One(vec![bytes(id)]) },
        flag(D::DenyScriptsReconfig, settings.deny_scripts_reconfig, true),
        flag(D::ResolveHostnames, settings.resolve_hostnames, false),
        flag(D::AnnounceHostnames, settings.announce_hostnames, false),
    ]
}

/// The lines after the masters. The references write an epoch of 0 before the first one.
pub(super) fn after_masters(current_epoch: Option<Epoch>, settings: &Settings) -> Vec<Wanted> {
    use SentinelDirective as D;
    let maybe = |directive, value: Option<Vec<u8>>| Wanted {
        directive,
        lines: Lines::maybe(value.map(|value| vec![value])),
    };
    let text = |value: &Option<Arc<str>>| value.as_deref().map(bytes);
    vec![
        Wanted {
            directive: D::CurrentEpoch,
            lines: Lines::One(vec![bytes(current_epoch.unwrap_or_default())]),
        },
        maybe(D::AnnounceIp, text(&settings.announce_ip)),
        maybe(D::AnnouncePort, settings.announce_port.map(bytes)),
        maybe(D::SentinelUser, text(&settings.sentinel_user)),
        maybe(D::SentinelPass, settings.sentinel_pass.as_ref().map(|pass| pass.expose().to_vec())),
    ]
}

/// The lines of a master.
pub(super) fn of_master(master: &SavedMaster) -> Vec<Wanted> {
    use SentinelDirective as D;
    let named = |values: Vec<Vec<u8>>| {
        let mut line = vec![bytes(&master.name)];
        line.extend(values);
        line
    };
    let at = |address: &Endpoint| vec![bytes(&address.host), bytes(address.port)];
    let mut monitor = at(&master.address);
    monitor.push(bytes(master.settings.quorum.clamp(1, INT_MAX as u32)));
    let mut wanted = vec![Wanted { directive: D::Monitor, lines: Lines::One(named(monitor)) }];
    wanted.extend(options(&master.settings, named));
    let replicas = master.replicas.iter().map(|replica| named(at(replica)));
    let sentinels = master.sentinels.iter().map(|sentinel| {
        let mut values = at(&sentinel.address);
        values.push(bytes(sentinel.id));
        named(values)
    });
    let renames = master.settings.renames.iter();
    let renames = renames.map(|(old, new)| named(vec![bytes(old), bytes(new)]));
    wanted.extend([
        Wanted {
            directive: D::ConfigEpoch,
            lines: Lines::One(named(vec![bytes(master.config_epoch)])),
        },
        Wanted {
            directive: D::LeaderEpoch,
            lines: Lines::maybe(master.leader_epoch.map(|epoch| named(vec![bytes(epoch)]))),
        },
        Wanted { directive: D::KnownReplica, lines: Lines::Many(replicas.collect()) },
        Wanted { directive: D::KnownSentinel, lines: Lines::Many(sentinels.collect()) },
        Wanted { directive: D::RenameCommand, lines: Lines::Many(renames.collect()) },
    ]);
    wanted
}

fn options(settings: &MasterSettings, named: impl Fn(Vec<Vec<u8>>) -> Values) -> Vec<Wanted> {
    use SentinelDirective as D;
    let defaults = MasterSettings::new(settings.quorum, &Tunables::default());
    // No reader takes more than 31 bits, so no line may carry more.
    let number = |directive, value: u64, default: u64| Wanted {
        directive,
        lines: Lines::unless_default(
            named(vec![bytes(value.min(INT_MAX as u64))]),
            value == default,
        ),
    };
    let span = |directive, value: Span, default: Span| number(directive, value.0, default.0);
    let maybe = |directive, value: Option<Vec<u8>>| Wanted {
        directive,
        lines: Lines::maybe(value.map(|value| named(vec![value]))),
    };
    let text = |value: &Option<Arc<str>>| value.as_deref().map(bytes);
    let syncs = (u64::from(settings.parallel_syncs), u64::from(defaults.parallel_syncs));
    vec![
        span(D::DownAfter, settings.down_after, defaults.down_after),
        span(D::FailoverTimeout, settings.failover_timeout, defaults.failover_timeout),
        number(D::ParallelSyncs, syncs.0, syncs.1),
        maybe(D::NotificationScript, text(&settings.notification_script)),
        maybe(D::ClientReconfigScript, text(&settings.client_reconfig_script)),
        maybe(D::AuthPass, settings.auth_pass.as_ref().map(|pass| pass.expose().to_vec())),
        maybe(D::AuthUser, text(&settings.auth_user)),
        span(D::RebootDownAfter, settings.reboot_down_after, defaults.reboot_down_after),
    ]
}
