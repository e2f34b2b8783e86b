//! Names in the place of addresses.

use vedette::lab::{BOUND, Folder, PortBlock, Sentinel, Template};

use crate::group::{ours, redis_sentinel};

/// No resolver knows it (RFC 6761).
const NAME: &str = "nowhere.invalid";

/// The monitor lines that it saves for a master whose name nobody can resolve.
fn saved(template: Template, announces: &str) -> (Vec<String>, Sentinel, Folder) {
    let folder = Folder::new(None).unwrap();
    let mut ports = PortBlock::claim().unwrap();
    let port = ports.take().unwrap();
    let lines = [
        format!("port {port}"),
        "bind 127.0.0.1".to_owned(),
        "sentinel resolve-hostnames yes".to_owned(),
        format!("sentinel announce-hostnames {announces}"),
        format!("sentinel monitor m {NAME} 6379 1"),
        format!("sentinel known-replica m {NAME} 6380"),
    ];
    let mut sentinel = Sentinel::start(template, port, &lines, folder.path()).unwrap();
    sentinel.wait_until_ready().unwrap();
    sentinel.ask(&["SENTINEL", "SET", "m", "quorum", "2"]).unwrap();
    sentinel.ask(&["SENTINEL", "FLUSHCONFIG"]).unwrap();
    sentinel.process().terminate(BOUND).unwrap();
    let text = std::fs::read_to_string(sentinel.conf()).unwrap();
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| line.starts_with("sentinel monitor") || line.contains("known-replica"))
        .map(str::to_owned)
        .collect();
    lines.sort();
    (lines, sentinel, folder)
}

/// spec: holes H25
#[test]
fn a_name_that_nobody_can_resolve_is_saved_as_given() {
    for announces in ["no", "yes"] {
        let (lines, mut sentinel, _folder) = saved(ours(), announces);
        let kept = [
            format!("sentinel known-replica m {NAME} 6380"),
            format!("sentinel monitor m {NAME} 6379 2"),
        ];
        assert_eq!(lines, kept, "announce-hostnames {announces}");
        sentinel.restart().unwrap();
        sentinel.wait_until_ready().unwrap();
    }
    // What the row of COMPAT.md says of the reference is so.
    if let Some(reference) = redis_sentinel() {
        let (lines, ..) = saved(reference, "no");
        assert!(lines.iter().all(|line| !line.contains(NAME)), "{lines:?}");
    }
}
