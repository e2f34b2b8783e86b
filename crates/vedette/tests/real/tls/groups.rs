//! Groups in which everything goes over TLS, with a certificate for everybody.

use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};

use vedette::lab::{BOUND, Sentinel, Template, text, until};

use super::certificates::{Authority, Identity};
use super::line::ask;
use super::setting::{
    MASTER, Node, Setting, list, master_flags, master_port, redis, wait_until_ready, watching,
};
use crate::group::{ours, redis_sentinel};

/// Kills the master of a group; all agree on the replica.
fn check(templates: Vec<Template>) {
    check_switch(templates, |_, master, _| master.process.kill());
}

/// Has something happen to a group in which everybody knows all; all agree on the replica.
fn check_switch(templates: Vec<Template>, act: impl FnOnce(u16, &mut Node, &Identity)) {
    let Some((server, _)) = redis() else { return };
    let mut setting = Setting::new();
    let who = setting.authority.issue("node");
    let mut master = setting.node(&server, None, &who);
    wait_until_ready(master.port, &who);
    let replica = setting.node(&server, Some(master.port), &who);
    wait_until_ready(replica.port, &who);
    let lines = watching(master.port);
    let sentinels: Vec<Sentinel> = templates
        .into_iter()
        .enumerate()
        .map(|(number, template)| {
            let who = setting.authority.issue(&format!("sentinel-{number}"));
            setting.sentinel(template, &who, &lines)
        })
        .collect();
    let ports: Vec<u16> = sentinels.iter().map(Sentinel::port).collect();
    for port in &ports {
        until("a Sentinel that knows all", BOUND, || knows_all(*port, &ports, &who))
            .unwrap_or_else(|error| panic!("{error}: {}", sentinels[0].log()));
    }
    act(ports[0], &mut master, &who);
    for port in &ports {
        let switched = || master_port(*port, &who).filter(|port| *port == replica.port);
        until("the switch", BOUND, switched)
            .unwrap_or_else(|error| panic!("{error}: {}", sentinels[0].log()));
    }
    let role = ask(replica.port, &who, &["ROLE"]).unwrap();
    assert_eq!(text(&role.items().unwrap()[0]), "master");
}

/// The master itself hands over, and follows over TLS.
#[test]
fn a_master_hands_over_without_a_plain_port() {
    check_switch(vec![ours(); 3], |sentinel, master, who| {
        // Refused while the list of members may not be whole (rule S6).
        let ordered = || {
            let answer = ask(sentinel, who, &["SENTINEL", "FAILOVER", MASTER, "COORDINATED"]);
            (text(&answer.ok()?) == "OK").then_some(())
        };
        until("the order taken", BOUND, ordered).unwrap();
        // Clients of the old master are sent away meanwhile.
        let follows = || {
            let info = text(&ask(master.port, who, &["INFO", "everything"]).ok()?);
            let is_replica = info.contains("role:slave");
            (is_replica && info.contains("master_link_status:up")).then_some(info)
        };
        let info = until("the old master following", BOUND, follows).unwrap();
        assert!(info.contains("cmdstat_failover:calls=1,"), "{info}");
    });
}

/// Whether a Sentinel is connected with the replica and with every other one, at its TLS port.
fn knows_all(port: u16, ports: &[u16], who: &Identity) -> Option<()> {
    let peers = list(port, who, "SENTINELS");
    let is_there = |other: &u16| {
        let other = other.to_string();
        peers.iter().any(|peer| peer["port"] == other && peer["flags"] == "sentinel")
    };
    let all_peers = ports.iter().filter(|other| **other != port).all(is_there);
    let replicas = list(port, who, "REPLICAS");
    let is_slave = replicas.first().is_some_and(|replica| replica["flags"] == "slave");
    let is_up = master_flags(port, who).is_some_and(|flags| flags == "master");
    let agreed = ask(port, who, &["SENTINEL", "CKQUORUM", MASTER]).is_ok_and(|ok| !ok.is_error());
    (all_peers && is_slave && is_up && agreed).then_some(())
}

#[test]
fn a_group_fails_over_without_a_plain_port() {
    check(vec![ours(); 3]);
}

#[test]
fn a_mixed_group_fails_over_without_a_plain_port() {
    if let Some(redis) = redis_sentinel() {
        check(vec![ours(), redis.clone(), ours()]);
        check(vec![redis.clone(), ours(), redis]);
    }
}

/// A Sentinel whose certificate the nodes do not know, and one that does not know theirs.
#[test]
fn a_node_and_a_sentinel_of_different_authorities_do_not_talk() {
    let Some((server, _)) = redis() else { return };
    let mut setting = Setting::new();
    let strangers = Authority::new(setting.folder.path(), "strangers");
    let who = setting.authority.issue("node");
    let master = setting.node(&server, None, &who);
    wait_until_ready(master.port, &who);
    let doubting = who.trusting(&strangers);
    let stranger = strangers.issue("stranger").trusting(&setting.authority);
    for identity in [doubting, stranger] {
        let sentinel = setting.sentinel(ours(), &identity, &watching(master.port));
        let complaint = format!("No TLS connection with 127.0.0.1:{}: ", master.port);
        let complains = || sentinel.log().contains(&complaint).then_some(());
        until("a line that says why", BOUND, complains)
            .unwrap_or_else(|error| panic!("{error}: {}", sentinel.log()));
        let down = || sentinel.log().contains("+sdown master").then_some(());
        until("the master down", BOUND, down).unwrap();
        assert!(sentinel.log().matches(&complaint).count() < 5, "{}", sentinel.log());
    }
}

/// Something that accepts connections and never speaks TLS, as a node does that hangs.
#[test]
fn a_mute_node_is_given_up_and_tried_again() {
    let mute = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = mute.local_addr().unwrap().port();
    let mut setting = Setting::new();
    let who = setting.authority.issue("sentinel");
    let sentinel = setting.sentinel(ours(), &who, &watching(port));
    wait_until_ready(sentinel.port(), &who);
    let mut held = Vec::new();
    // Two connections at once, then again after each of them was given up.
    for _ in 0..4 {
        let (mut stream, _) = mute.accept().unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        let mut first = [0; 6];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(first[0], 0x16, "a hand-shake begins");
        assert_eq!(text(&ask(sentinel.port(), &who, &["PING"]).unwrap()), "PONG");
        held.push(stream);
    }
    for mut stream in held.drain(..2) {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("closed, and not held for ever");
    }
    let down = || sentinel.log().contains("+sdown master").then_some(());
    until("the master down", BOUND, down).unwrap();
}
