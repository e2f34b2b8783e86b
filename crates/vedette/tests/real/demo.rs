//! `vedette demo`, as somebody runs it who reads from a pipe.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Stdio};

use vedette::lab::{BOUND, until};

use crate::group::program;

/// All ports that a text names.
fn ports(text: &str) -> Vec<u16> {
    let after = text.split("127.0.0.1:").skip(1);
    let digits = after.map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    digits.filter_map(|digits| digits?.parse().ok()).collect()
}

fn check_nothing_listens(ports: &[u16]) {
    assert!(ports.len() >= 6, "{ports:?}");
    until("everything to end", BOUND, || {
        let is_open = |&port: &u16| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        (!ports.iter().any(is_open)).then_some(())
    })
    .unwrap();
}

fn check(arguments: &[&str]) {
    let output = Command::new(program()).arg("demo").args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    for part in ["+switch-master", "sentinel-3 switched after", "the client could not write for"] {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
    assert!(text.contains("the old master is in sync as a replica"), "{text}");
    assert!(!text.contains('\x1b'), "no colours in a pipe: {text}");
    check_nothing_listens(&ports(&text));
}

#[test]
fn demo_shows_a_kill() {
    check(&[]);
}

#[test]
fn demo_shows_a_hang_with_model_nodes() {
    check(&["--model", "--fault", "hang"]);
}

#[test]
fn demo_shows_a_forced_failover() {
    check(&["--fault", "failover", "--down-after", "2000"]);
}

#[test]
fn demo_that_is_killed_leaves_nothing_running() {
    let mut demo = Command::new(program())
        .args(["demo", "--model", "--keep"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = String::new();
    for line in BufReader::new(demo.stdout.take().unwrap()).lines() {
        seen += &line.unwrap();
        if seen.contains("quorum 2") && ports(&seen).len() >= 6 {
            break;
        }
    }
    demo.kill().unwrap();
    demo.wait().unwrap();
    check_nothing_listens(&ports(&seen));
}
