//! The rules: everything that is wrong, unwise or worth knowing.

use std::collections::BTreeMap;
use std::path::Path;

use vedette_conf::{ConfigError, Inspection, Loaded, Origin};
use vedette_core::{LogLevel, SavedMaster};

use super::lines::{LastLines, Place, shown};
use super::members::members;
use super::permissions::permissions;
use super::remedies::remedy;
use super::tls::tls;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    /// The Sentinel does not start.
    Error,
    /// It starts, and will disappoint.
    Warning,
    /// Worth knowing.
    Note,
}

/// One thing about a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) place: Option<Place>,
    pub(super) problem: String,
    pub(super) remedy: String,
}

/// What the rules write to.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn add(
        &mut self,
        severity: Severity,
        place: Option<Place>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (problem, remedy) = (problem.into(), remedy.into());
        self.0.push(Finding { severity, place, problem, remedy });
    }

    pub(super) fn warn(
        &mut self,
        place: Option<Place>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Severity::Warning, place, problem, remedy);
    }
}

/// What is looked at.
pub(super) struct Subject<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) lines: LastLines,
}

/// Everything about a configuration: errors first, then in the order of the lines.
pub(super) fn findings(file: &Path, inspection: &Inspection) -> Vec<Finding> {
    let mut found = Findings::default();
    let loaded = &inspection.loaded;
    inspection.errors.iter().for_each(|error| add_error(&mut found, error));
    if !inspection.errors.iter().any(|error| matches!(error, ConfigError::CannotOpen { .. })) {
        let subject = &Subject { loaded, lines: LastLines::of(&loaded.document) };
        load_warnings(&mut found, loaded);
        repeated(&mut found, loaded);
        access(&mut found, subject);
        whole(&mut found, subject);
        tls(&mut found, subject);
        for master in &loaded.state.masters {
            timing(&mut found, subject, master);
            naming(&mut found, subject, master);
            members(&mut found, subject, master);
        }
        permissions(&mut found, file, subject);
    }
    let mut found = found.0;
    found.sort_by_key(|finding| {
        let place = finding.place.as_ref();
        let foreign = place.is_some_and(|place| place.origin != Origin::Main);
        (finding.severity, foreign, place.map(|place| place.number))
    });
    found
}

fn add_error(found: &mut Findings, error: &ConfigError) {
    let (place, message) = match error {
        ConfigError::Line(bad) => {
            let text = shown(&bad.text);
            (
                Some(Place { origin: bad.origin.clone(), number: bad.number, text }),
                bad.message.clone(),
            )
        }
        ConfigError::Whole(_) | ConfigError::CannotOpen { .. } => (None, error.to_string()),
    };
    let remedy = remedy(&message);
    found.add(Severity::Error, place, message, remedy);
}

/// What the loader itself has to say.
fn load_warnings(found: &mut Findings, loaded: &Loaded) {
    for warning in &loaded.warnings {
        let place = warning.place.as_ref().and_then(|(origin, number)| {
            let mut lines = loaded.document.lines();
            let line = lines.find(|line| line.origin() == origin && line.number() == *number);
            line.map(Place::of)
        });
        found.warn(place, warning.text.clone(), warning.remedy);
    }
}

/// Directives of one value that stand there twice in one place.
fn repeated(found: &mut Findings, loaded: &Loaded) {
    const MANY: &[&str] =
        &["include", "user", "loadmodule", "rename-command", "save", "client-output-buffer-limit"];
    const MANY_OF_MASTER: &[&str] =
        &["monitor", "known-replica", "known-slave", "known-sentinel", "rename-command"];
    let mut seen = BTreeMap::new();
    for line in loaded.document.lines().filter(|line| *line.origin() == Origin::Main) {
        let Some(words) = line.words() else { continue };
        let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word)).collect();
        let lower = |index: usize| words.get(index).map(|word| word.to_ascii_lowercase());
        let key = match (lower(0), lower(1)) {
            (Some(first), Some(second)) if first == "sentinel" => {
                if MANY_OF_MASTER.contains(&second.as_str()) {
                    continue;
                }
                let master =
                    if words.len() > 3 { words[2].clone().into_owned() } else { String::new() };
                format!("{first} {second} {master}")
            }
            (Some(first), _) if !MANY.contains(&first.as_str()) && !first.contains('.') => first,
            _ => continue,
        };
        if let Some(before) = seen.insert(key.trim_end().to_string(), line.number()) {
            let problem =
                format!("repeats line {before}, which has no effect: the last one counts");
            found.warn(Some(Place::of(line)), problem, format!("take line {before} out"));
        }
    }
}

/// Who may come in.
fn access(found: &mut Findings, subject: &Subject<'_>) {
    let server = &subject.loaded.server;
    let local = |address: &str| is_loopback(address);
    let reachable = server.bind.iter().any(|bind| !local(&bind.address));
    let default = server.users.iter().find(|user| user.name == b"default");
    let closed = server.requirepass.is_some()
        || server.acl_file.is_some()
        || default.is_some_and(|user| !user.rules.iter().any(|rule| rule == b"nopass"));
    let open = reachable && !closed && !server.protected_mode;
    if open && (server.port != 0 || server.tls.port != 0) {
        let place = subject.lines.general("bind").or(subject.lines.general("port"));
        let problem = "anybody who reaches the port may order failovers: it listens beyond this \
                       machine and the default user has no password";
        let remedy = "set requirepass (the same in all Sentinels, and for clients), or bind to \
                      addresses of a closed network";
        found.warn(place, problem, remedy);
    }
    if open && !subject.loaded.state.settings.deny_scripts_reconfig {
        let place = subject.lines.process("deny-scripts-reconfig");
        let problem = "anybody who reaches the port may choose which program is run";
        found.warn(place, problem, "take the line out, or set requirepass");
    }
    if server.acl_file.is_some() && !server.users.is_empty() {
        let place = subject.lines.general("user");
        let problem = "users are declared here and in an aclfile; the Sentinel refuses to start";
        found.add(Severity::Error, place, problem, "move the user lines to the aclfile");
    }
}

/// What concerns the process as a whole.
fn whole(found: &mut Findings, subject: &Subject<'_>) {
    let settings = &subject.loaded.state.settings;
    if settings.announce_hostnames && !settings.resolve_hostnames {
        let place = subject.lines.process("announce-hostnames");
        let problem = "names are announced but not accepted: the others' names will be refused";
        found.warn(place, problem, "add the line: sentinel resolve-hostnames yes");
    }
    if settings.log_level == LogLevel::Nothing {
        let place = subject.lines.general("loglevel");
        found.warn(place, "nothing is logged, not even failovers", "write: loglevel notice");
    }
    if subject.loaded.state.masters.is_empty() {
        let remedy = "add the line: sentinel monitor <name> <host> <port> <quorum>";
        found.add(Severity::Note, None, "no master is monitored", remedy);
    }
}

/// Times that do not fit each other.
fn timing(found: &mut Findings, subject: &Subject<'_>, master: &SavedMaster) {
    /// Below this a busy moment of the master is taken for its death.
    const DOWN_AFTER_MIN_MS: u64 = 500;
    /// Five PINGs of a Sentinel that is not ours.
    const FIVE_PINGS_MS: u64 = 5000;
    let at = |directive| subject.lines.of_master(directive, &master.name);
    let (down, failover) = (master.settings.down_after.0, master.settings.failover_timeout.0);
    let place = at("down-after-milliseconds");
    if down < DOWN_AFTER_MIN_MS {
        let problem = format!(
            "{down} ms of silence are taken for death: any slow command, fork or \
                               lost packet will do"
        );
        found.warn(place, problem, "write 1000 or more; 5000 is usual");
    } else if down < FIVE_PINGS_MS {
        let problem = format!(
            "a Redis or Valkey Sentinel in the group pings once a second: within \
                               {down} ms few lost answers make it call the master down"
        );
        let remedy = format!("fine among ours; else write {FIVE_PINGS_MS} or more");
        found.add(Severity::Note, place, problem, remedy);
    }
    if failover < down {
        let place = at("failover-timeout").or(at("down-after-milliseconds"));
        let problem = format!(
            "failover-timeout ({failover} ms) is shorter than \
                               down-after-milliseconds ({down} ms): a failover is given up before a \
                               dead replica is noticed"
        );
        found.warn(place, problem, "let failover-timeout be several times down-after-milliseconds");
    }
    if master.settings.parallel_syncs == 0 {
        let problem = "no replica is pointed at the new master before failover-timeout is over";
        found.warn(at("parallel-syncs"), problem, "write 1 or more");
    }
    if master.settings.auth_user.is_some() && master.settings.auth_pass.is_none() {
        let problem = "auth-user without auth-pass: the Sentinel does not authenticate";
        found.warn(at("auth-user"), problem, "add the sentinel auth-pass line");
    }
}

/// Names and addresses that lead astray.
fn naming(found: &mut Findings, subject: &Subject<'_>, master: &SavedMaster) {
    let place = || subject.lines.of_master("monitor", &master.name);
    let odd = |c: char| c == ',' || c == '"' || c == '\'' || c.is_whitespace() || c.is_control();
    if master.name.is_empty() || master.name.contains(odd) {
        let problem = "a comma, blank or quote in a name breaks the hello message, INFO, and the \
                       files of Redis and Valkey";
        found.warn(place(), problem, "use letters, digits, dots, hyphens and underscores");
    }
    let twin = subject
        .loaded
        .state
        .masters
        .iter()
        .find(|other| other.name < master.name && other.address == master.address);
    if let Some(twin) = twin {
        let problem = format!("the same address is monitored as {} too", twin.name);
        found.warn(place(), problem, "keep one of the two names");
    }
    let announced =
        subject.loaded.state.settings.announce_ip.as_deref().is_some_and(|ip| !is_loopback(ip));
    let elsewhere = master.sentinels.iter().any(|peer| !is_loopback(&peer.address.host));
    let replicas = master.replicas.iter().any(|replica| !is_loopback(&replica.host));
    if is_loopback(&master.address.host) && (announced || elsewhere || replicas) {
        let problem = "a loopback address means another machine to every other Sentinel and client";
        found.warn(place(), problem, "write the address by which the others reach the master");
    }
}

/// Whether an address is this machine to whoever reads it.
pub(super) fn is_loopback(host: &str) -> bool {
    let ip = host.parse::<std::net::IpAddr>();
    ip.map_or(host.eq_ignore_ascii_case("localhost"), |ip| ip.is_loopback())
}
