//! The flight recorder of running daemons.

use std::path::PathBuf;

use vedette::lab::{BOUND, GroupSpec, Sentinel, text, until};
use vedette_sim::flight::{Ending, Flight, Peers, Reason, Sight, read, replay};

use crate::group::{kill_master, spec, start};

/// Passwords that stand nowhere else.
const NODE_PASSWORD: &str = "n0de-tr0ub4dor";
const PEER_PASSWORD: &str = "p33r-tr0ub4dor";
const NEW_PASSWORD: &str = "n3w-tr0ub4dor";

fn recording(sentinel: &mut Sentinel) -> PathBuf {
    let path = sentinel.conf().with_file_name("sentinel.conf.flight-1.jsonl");
    sentinel.process().ask_for_recording();
    // The name appears when the file is whole.
    until("the flight recording", BOUND, || path.exists().then_some(())).unwrap();
    path
}

/// Replays a recording; what the Sentinel did and said.
fn replayed(flight: &Flight) -> Vec<String> {
    let mut lines = Vec::new();
    let mut peers = Peers::of(&flight.parts[0].checkpoint);
    let mut watch = |_, sight: Sight<'_>| lines.extend(sight.lines(&mut peers));
    let replay = replay(flight, &mut watch).unwrap();
    assert!(matches!(replay.ending, Ending::Agrees), "{}", replay.ending);
    assert_eq!(replay.inputs, flight.inputs());
    lines
}

fn order(sentinel: &Sentinel, words: &[&str]) {
    assert_eq!(text(&sentinel.ask(words).unwrap()), "OK", "{words:?}");
}

#[test]
fn a_failover_is_recorded_and_replayed() {
    let password = Some(NODE_PASSWORD.to_owned());
    let mut lab = start(GroupSpec { password, ..spec() });
    let name = lab.name().to_owned();
    for sentinel in &lab.sentinels {
        order(sentinel, &["SENTINEL", "SET", &name, "auth-pass", NEW_PASSWORD]);
        order(sentinel, &["SENTINEL", "SET", &name, "auth-pass", NODE_PASSWORD]);
        order(sentinel, &["SENTINEL", "CONFIG", "SET", "sentinel-pass", PEER_PASSWORD]);
    }
    lab.wait_until_settled().unwrap();
    let (_, new) = kill_master(&mut lab);
    let mut led = 0;
    for sentinel in &mut lab.sentinels {
        let path = recording(sentinel);
        let written = std::fs::read(&path).unwrap();
        let written_text = String::from_utf8_lossy(&written);
        for password in [NODE_PASSWORD, PEER_PASSWORD, NEW_PASSWORD] {
            assert!(!written_text.contains(password), "{password} in {}", path.display());
        }
        let flight = read(&written[..]).unwrap();
        assert_eq!(flight.header.reason, Reason::Signal);
        assert_eq!(flight.header.pid, sentinel.process().pid());
        let lines = replayed(&flight);
        let switches =
            |line: &&String| line.starts_with("+switch-master") && line.ends_with(&new.to_string());
        assert_eq!(lines.iter().filter(switches).count(), 1, "{lines:#?}");
        led += lines.iter().filter(|line| line.starts_with("+elected-leader")).count();
    }
    assert_eq!(led, 1, "one of them led");
    // Recording goes on, and so does the group.
    assert_eq!(lab.wait_for_switch_from(&name, 0).unwrap(), new);
}
