//! Notification and client-reconfig scripts.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use vedette::lab::{BOUND, Folder, until};

use crate::group::{kill_master, spec, start};

/// A script that appends its arguments, in brackets, to `<path>.out`.
fn script(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let text = "#!/bin/sh\nline=\nfor word; do line=\"$line[$word]\"; done\n\
                printf '%s\\n' \"$line\" >> \"$0.out\"\n";
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn calls(script: &Path) -> Vec<String> {
    let path = format!("{}.out", script.display());
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn scripts_are_called_with_the_references_arguments() {
    let folder = Folder::new(None).unwrap();
    let notify = script(folder.path(), "notify");
    let reconfigure = script(folder.path(), "reconfigure");
    let mut spec = spec();
    spec.sentinel_lines = vec![
        format!("sentinel notification-script mymaster {}", notify.display()),
        format!("sentinel client-reconfig-script mymaster {}", reconfigure.display()),
    ];
    let mut lab = start(spec);
    let (old, new) = kill_master(&mut lab);
    let addresses = format!("[start][127.0.0.1][{old}][127.0.0.1][{new}]");
    let mut expected = vec![format!("[mymaster][leader]{addresses}")];
    expected.extend(vec![format!("[mymaster][observer]{addresses}"); 2]);
    until("the client-reconfig scripts", BOUND, || {
        let mut calls = calls(&reconfigure);
        calls.sort();
        (calls == expected).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: {:?}", calls(&reconfigure)));
    for line in [
        format!("[+sdown][master mymaster 127.0.0.1 {old}]"),
        format!("[+odown][master mymaster 127.0.0.1 {old} #quorum 2/2]"),
        format!("[+switch-master][mymaster 127.0.0.1 {old} 127.0.0.1 {new}]"),
    ] {
        // Only warnings are notified, each once per Sentinel that emits it.
        let is_there = || calls(&notify).contains(&line).then_some(());
        until(&line, BOUND, is_there).unwrap_or_else(|e| panic!("{e}: {:?}", calls(&notify)));
    }
}
