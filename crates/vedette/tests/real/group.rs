//! The groups that tests start.

use std::path::PathBuf;

use vedette::lab::{BOUND, DataServer, GroupSpec, Lab, Template, programs, until};
use vedette_wire::Dialect;

/// This build's program.
pub(crate) fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_vedette").into()
}

pub(crate) fn ours() -> Template {
    Template::vedette(&program())
}

/// Ours with the names and versions of one of the references.
pub(crate) fn speaking(dialect: Dialect) -> Template {
    let words = [&program().display().to_string(), "{conf}", "--dialect", dialect.name()];
    Template::from_words(words.map(str::to_owned).to_vec())
}

/// A real server, or model nodes where none is installed.
pub(crate) fn data_server() -> DataServer {
    match found("redis-server", programs::any_server()) {
        Some(server) => DataServer::Program(server),
        None => DataServer::Model(program()),
    }
}

/// Three Sentinels of ours, one master, two replicas.
pub(crate) fn spec() -> GroupSpec {
    GroupSpec::new(data_server(), vec![ours(); 3])
}

pub(crate) fn start(spec: GroupSpec) -> Lab {
    Lab::start(spec).expect("a healthy group")
}

/// The reference as a Sentinel.
pub(crate) fn redis_sentinel() -> Option<Template> {
    let server = found("redis-server", programs::redis_server());
    server.map(|server| Template::reference(&server))
}

/// Valkey's as a Sentinel.
pub(crate) fn valkey_sentinel() -> Option<Template> {
    let server = found("Valkey", programs::valkey_server());
    server.map(|server| Template::reference(&server))
}

/// Says which program is missing, and fails where all must be there.
pub(crate) fn found(what: &str, program: Option<PathBuf>) -> Option<PathBuf> {
    if program.is_none() {
        eprintln!("{what} is not installed; .ci/prepare installs it");
        assert!(std::env::var_os("VEDETTE_REQUIRE_SERVERS").is_none(), "{what} is missing");
    }
    program
}

/// Waits until the log has these words: it is written by a thread of its own, and may come after
/// the event that a test waited for.
pub(crate) fn wait_for_log(log: impl Fn() -> String, words: &str) {
    until(words, BOUND, || log().contains(words).then_some(()))
        .unwrap_or_else(|error| panic!("{error}: {}", log()));
}

/// Ends the master with SIGKILL and waits until all agree on another one: the old, the new.
pub(crate) fn kill_master(lab: &mut Lab) -> (u16, u16) {
    let name = lab.name().to_owned();
    let old = lab.agreed_master(&name).expect("one master");
    lab.shards[0].node(old).process().kill();
    (old, lab.wait_for_switch_from(&name, old).expect("a switch"))
}

/// Brings a node back from its own file and waits until it follows.
pub(crate) fn bring_back(lab: &mut Lab, node: u16, master: u16) {
    lab.shards[0].node(node).restart().expect("started again");
    lab.wait_until_following(0, master).expect("in sync");
}

/// Every Sentinel announced the switch once, and only that one.
pub(crate) fn check_one_switch(lab: &Lab, old: u16, new: u16) {
    let events = lab.events.since(0);
    for sentinel in 0..lab.sentinels.len() {
        let mut switches = events
            .iter()
            .filter(|event| event.sentinel == sentinel && event.is("+switch-master", lab.name()));
        let switch = switches.next().expect("an announcement");
        assert!(switch.is("+switch-master", &old.to_string()), "{switch:?}");
        assert!(switch.is("+switch-master", &new.to_string()), "{switch:?}");
        assert!(switches.next().is_none(), "a second switch");
    }
}
