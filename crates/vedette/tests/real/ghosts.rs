//! Sentinels that a file names and nobody ever reached (spec: holes H42).

use vedette::lab::{Folder, PortBlock, Sentinel, Template, text};

use crate::group::{ours, redis_sentinel};

/// What CKQUORUM says where three fellow Sentinels are known, and nothing listens where they were.
fn verdict(template: Template) -> String {
    let folder = Folder::new(None).unwrap();
    let mut ports = PortBlock::claim().unwrap();
    let port = ports.take().unwrap();
    let mut lines = vec![
        format!("port {port}"),
        "bind 127.0.0.1".to_owned(),
        "sentinel monitor m 127.0.0.1 1 1".to_owned(),
        "sentinel down-after-milliseconds m 600000".to_owned(),
    ];
    lines.extend((2..5).map(|port| {
        let id = port.to_string().repeat(40);
        format!("sentinel known-sentinel m 127.0.0.1 {port} {id}")
    }));
    let mut sentinel = Sentinel::start(template, port, &lines, folder.path()).unwrap();
    sentinel.wait_until_ready().unwrap();
    text(&sentinel.ask(&["SENTINEL", "CKQUORUM", "m"]).unwrap())
}

#[test]
fn who_was_never_reached_is_not_usable() {
    let verdict_of_ours = verdict(ours());
    assert!(verdict_of_ours.starts_with("NOQUORUM 1 usable Sentinels."), "{verdict_of_ours}");
    if let Some(reference) = redis_sentinel() {
        // The reason for the row.
        assert!(verdict(reference).starts_with("OK 4 usable Sentinels."));
    }
}
