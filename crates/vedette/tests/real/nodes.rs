//! Data nodes of other makes, with passwords, other command names and narrow permissions.

use std::path::PathBuf;

use vedette::lab::{DataServer, GroupSpec, programs, text};

use crate::group::{bring_back, check_one_switch, found, kill_master, program, spec, start};

/// A kill, a return, and a forced failover.
fn check(spec: GroupSpec) {
    let mut lab = start(spec);
    let (old, new) = kill_master(&mut lab);
    bring_back(&mut lab, old, new);
    check_one_switch(&lab, old, new);
    lab.wait_until_settled().unwrap();
    let answer = lab.sentinels[1].ask(&["SENTINEL", "FAILOVER", lab.name()]).unwrap();
    assert_eq!(text(&answer), "OK");
    let newer = lab.wait_for_switch_from(lab.name(), new).unwrap();
    lab.wait_until_following(0, newer).unwrap();
}

fn check_server(what: &str, server: Option<PathBuf>, version: &str) {
    if let Some(server) = found(what, server) {
        assert!(programs::version_of(&server).starts_with(version), "{}", server.display());
        check(GroupSpec { server: DataServer::Program(server), ..spec() });
    }
}

#[test]
fn redis_6_2_fails_over() {
    check_server("Redis 6.2", programs::redis62_server(), "6.2");
}

#[test]
fn valkey_9_1_fails_over() {
    check_server("Valkey", programs::valkey_server(), "9.1");
}

#[test]
fn model_nodes_fail_over() {
    check(GroupSpec { server: DataServer::Model(program()), ..spec() });
}

#[test]
fn password_and_renamed_commands_are_used() {
    let Some(server) = found("redis-server", programs::redis_server()) else { return };
    check(GroupSpec {
        server: DataServer::Program(server),
        password: Some("sesame".to_owned()),
        node_lines: ["CONFIG con-fig", "SLAVEOF follow"]
            .map(|names| format!("rename-command {names}"))
            .to_vec(),
        sentinel_lines: ["CONFIG con-fig", "SLAVEOF follow"]
            .map(|names| format!("sentinel rename-command mymaster {names}"))
            .to_vec(),
        ..spec()
    });
}

#[test]
fn transaction_refused_in_part_is_sent_without_the_refused_commands() {
    let Some(server) = found("redis-server", programs::redis_server()) else { return };
    let mut lab = start(GroupSpec {
        server: DataServer::Program(server),
        node_lines: vec!["user watch on >sesame allchannels +@all -config".to_owned()],
        sentinel_lines: ["auth-user mymaster watch", "auth-pass mymaster sesame"]
            .map(|line| format!("sentinel {line}"))
            .to_vec(),
        ..spec()
    });
    kill_master(&mut lab);
    let logs: String = lab.sentinels.iter().map(|sentinel| sentinel.log()).collect();
    assert!(logs.contains("refused CONFIG REWRITE in the SLAVEOF transaction"), "{logs}");
}
