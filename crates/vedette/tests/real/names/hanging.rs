//! A resolver that does not answer.

use std::net::UdpSocket;

use vedette::lab::{BOUND, Lab, text, until};

use super::world::{Make, World, start_asking_often};
use crate::group::kill_master;

/// A name server that listens and says nothing, on an address of loopback that is its own.
fn mute_server() -> Option<(UdpSocket, String)> {
    let [high, low] = (std::process::id() as u16).to_be_bytes();
    let address = format!("127.53.{high}.{}", low.max(1));
    let socket = UdpSocket::bind((address.as_str(), 53)).ok()?;
    socket.set_read_timeout(Some(BOUND)).unwrap();
    Some((socket, address))
}

/// Waits until somebody asks for a name of this first label.
fn wait_for_question(server: &UdpSocket, label: &str) {
    let mut question = [0; 512];
    loop {
        let len = server.recv(&mut question).expect("a question");
        if question[..len].windows(label.len()).any(|part| part == label.as_bytes()) {
            return;
        }
    }
}

const LINES: [&str; 2] =
    ["sentinel resolve-hostnames yes", "sentinel monitor slow slow.test 6379 1"];

#[test]
fn a_resolver_that_hangs_costs_neither_a_ping_nor_a_tilt() {
    let Some(world) = World::new() else { return };
    let Some((server, address)) = mute_server() else { return eprintln!("no port 53 here") };
    world.ask_at(&address);
    let mut lab = start_asking_often(world.spec(Make::Ours, &LINES));
    wait_for_question(&server, "slow");
    let mut waiting = lab.sentinels[0].client().unwrap();
    waiting.set_patience(Some(BOUND)).unwrap();
    waiting.send(&["SENTINEL", "MONITOR", "m", "later.test", "6379", "1"]).unwrap();
    wait_for_question(&server, "later");
    assert_eq!(text(&lab.sentinels[0].ask(&["PING"]).unwrap()), "PONG");
    // The other master has an address and fails over meanwhile.
    kill_master(&mut lab);
    wait_for_question(&server, "slow");
    let refusal = text(&waiting.receive().unwrap());
    assert_eq!(refusal, "ERR Invalid IP address or hostname specified");
    let log = lab.sentinels[0].log();
    assert!(!log.contains("tilt"), "{log}");
}

/// What the test above would see if resolving stopped the process.
#[test]
fn the_reference_tilts_meanwhile() {
    let Some(world) = World::new() else { return };
    let Some((server, address)) = mute_server() else { return eprintln!("no port 53 here") };
    world.ask_at(&address);
    let lab = Lab::start_early(world.spec(Make::Reference, &LINES)).unwrap();
    wait_for_question(&server, "slow");
    until("TILT", BOUND, || lab.sentinels[0].log().contains("+tilt").then_some(())).unwrap();
}
