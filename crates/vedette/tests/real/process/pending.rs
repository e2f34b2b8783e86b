//! SENTINEL PENDING-SCRIPTS while a script runs and another waits for its retry.

use rustix::process::Signal;
use vedette::lab::{BOUND, Client, until};
use vedette_resp::Frame;

use super::run::{Setting, alike, code};

/// One that runs until it is let go, and one that fails at once and is tried again after 30 s.
const SCRIPT: &str = "#!/bin/sh\ncase \"$1\" in\n+set) exit 1 ;;\nesac\n\
                      while [ ! -e $FOLDER/go ]; do sleep 0.02; done\n";

/// The reply without what differs from run to run.
fn pending(setting: &Setting, protocol: &str) -> String {
    let mut client = Client::connect(setting.port).unwrap();
    client.ask(&["HELLO", protocol]).unwrap();
    let reply = client.ask(&["SENTINEL", "PENDING-SCRIPTS"]).unwrap();
    let shown = masked(reply);
    format!("{shown:?}").replace(&setting.path("").display().to_string(), "$FOLDER/")
}

/// Numbers of processes and of milliseconds are only seen to be some; 0 is kept.
fn masked(frame: Frame) -> Frame {
    let hide = |value: Frame| match value {
        Frame::Bulk(text) if &text[..] != b"0" && text.iter().all(u8::is_ascii_digit) => {
            Frame::Bulk("some".into())
        }
        Frame::Integer(1..) => Frame::Integer(1),
        other => other,
    };
    let is_hidden = |name: &Frame| {
        ["pid", "run-time", "run-delay"].contains(&vedette::lab::text(name).as_str())
    };
    match frame {
        Frame::Array(items) => {
            let mut is_next = false;
            let mut mask = |item: Frame| {
                let item = if is_next { hide(item) } else { masked(item) };
                is_next = is_hidden(&item);
                item
            };
            Frame::Array(items.into_iter().map(&mut mask).collect())
        }
        Frame::Map(pairs) => Frame::Map(
            pairs
                .into_iter()
                .map(|(name, value)| {
                    let value = if is_hidden(&name) { hide(value) } else { masked(value) };
                    (name, value)
                })
                .collect(),
        ),
        other => other,
    }
}

#[test]
fn a_running_and_a_waiting_script_are_shown_as_by_the_references() {
    use std::os::unix::fs::PermissionsExt as _;
    let shown = alike("", |setting| {
        setting.write("script", SCRIPT);
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(setting.path("script"), executable).unwrap();
        let lines = "port $PORT\nbind 127.0.0.1\nsentinel monitor m 127.0.0.1 1 1\n\
                     sentinel notification-script m $FOLDER/script\n";
        setting.write("sentinel.conf", lines);
        let mut process = setting.start();
        assert_eq!(setting.ask("SENTINEL SET m quorum 2"), "+OK\r\n");
        let both = || {
            let shown = pending(setting, "2");
            let waits = shown.contains("b\"run-delay\"), Bulk(b\"some\")");
            (waits && shown.contains("running")).then_some(())
        };
        until("both scripts", BOUND, both).unwrap();
        let shown = ["2", "3"].map(|protocol| pending(setting, protocol));
        setting.write("go", "");
        process.terminate(BOUND).unwrap();
        shown
    });
    assert!(shown[0].contains("+monitor") && shown[0].contains("+set"), "{shown:?}");
}

/// What the system lets one execute is taken for a script; a folder fails only when it is called.
#[test]
fn a_folder_is_taken_for_a_script_as_by_the_references() {
    let lines = "sentinel monitor m 127.0.0.1 1 1\nsentinel notification-script m $FOLDER\n";
    let ending = alike(lines, |setting| setting.serve_until(&[Signal::TERM]).0);
    assert_eq!(ending, code(0));
}
