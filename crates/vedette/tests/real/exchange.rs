//! One file, both programs: files written by the reference start ours, and the reverse.

use vedette::lab::{Folder, GroupSpec, Swap, Template};

use crate::group::{ours, redis_sentinel, spec, start, valkey_sentinel};

/// A group with passwords, renamed commands, users, an include and comments.
fn rich(reference: &Template, folder: &Folder) -> GroupSpec {
    let included = folder.path().join("more.conf");
    std::fs::write(&included, "# not ours to write\nloglevel notice\n").unwrap();
    let include = format!("include {}", included.display());
    let lines = [
        "# kept: a comment of the operator's",
        "sentinel rename-command mymaster CONFIG con-fig",
        "",
        "# who may look",
        "user watcher on >sesame -@all +subscribe +ping &*",
        &include,
        "# the end",
        "sentinel resolve-hostnames yes",
        "tcp-keepalive 60",
    ];
    GroupSpec {
        sentinels: vec![reference.clone(); 3],
        // The reference may fail over twice when this is short (holes H1).
        down_after_ms: 2000,
        failover_timeout_ms: 10_000,
        password: Some("sesame".to_owned()),
        sentinel_password: Some("open".to_owned()),
        node_lines: vec!["rename-command CONFIG con-fig".to_owned()],
        sentinel_lines: lines.map(str::to_owned).to_vec(),
        ..spec()
    }
}

/// `cargo xtask prove swap` goes ten times round.
fn check(reference: &Template) {
    let folder = Folder::new(None).unwrap();
    let mut swap = Swap::start(start(rich(reference, &folder))).unwrap();
    swap.change_to(&ours()).unwrap();
    swap.change_to(reference).unwrap();
}

#[test]
fn files_pass_from_redis_to_ours_and_back() {
    if let Some(reference) = redis_sentinel() {
        check(&reference);
    }
}

#[test]
fn files_pass_from_valkey_to_ours_and_back() {
    if let Some(reference) = valkey_sentinel() {
        check(&reference);
    }
}
