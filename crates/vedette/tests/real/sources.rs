//! A master that only an include names, and that include gone: neither a start nor a vote is lost
//! (spec: holes H26).

use vedette::lab::Process;
use vedette_wire::Dialect;

use crate::process::{Make, Setting, both, code};

const MONITOR: &str = "sentinel monitor m 127.0.0.1 1 1\n";
const STATE: [&str; 6] = [
    "sentinel down-after-milliseconds m 7000",
    "sentinel config-epoch m 3",
    "sentinel leader-epoch m 4",
    "sentinel known-replica m 127.0.0.1 2",
    "sentinel known-sentinel m 127.0.0.1 3 1111111111111111111111111111111111111111",
    "sentinel current-epoch 4",
];

fn end(setting: &Setting, mut process: Process) {
    process.signal(rustix::process::Signal::TERM);
    assert_eq!(setting.end_of(&mut process).0, code(0));
}

/// A file that was saved while `other.conf` monitored the master.
fn saved(setting: &Setting) {
    setting.write("other.conf", MONITOR);
    let process = setting.start();
    assert_eq!(setting.ask("SENTINEL SET m down-after-milliseconds 7000"), "+OK\r\n");
    end(setting, process);
}

fn lines_of_state(setting: &Setting) -> Vec<&'static str> {
    let text = setting.read("sentinel.conf");
    let is_there = |state: &&str| text.lines().any(|line| line == *state);
    STATE.into_iter().filter(is_there).collect()
}

#[test]
fn a_master_may_lose_the_include_that_names_it() {
    let lines = format!("include $FOLDER/other*.conf\n{}\n", STATE[1..].join("\n"));
    for dialect in [Dialect::Redis, Dialect::Valkey] {
        for setting in both(dialect, &lines) {
            saved(&setting);
            let is_copied = setting.read("sentinel.conf").contains(MONITOR);
            match setting.make {
                Make::Reference => {
                    // What `COMPAT.md` says of it is so.
                    assert!(is_copied);
                    let (ending, said) = setting.refused();
                    assert_eq!(ending, code(1));
                    assert!(said.iter().any(|line| line == "Duplicate master name."), "{said:?}");
                }
                Make::Ours => {
                    assert!(!is_copied);
                    goes_on_without(&setting);
                    goes_on_with(&setting);
                }
            }
        }
    }
}

/// Nothing names the master now.
fn goes_on_without(setting: &Setting) {
    std::fs::remove_file(setting.path("other.conf")).unwrap();
    let process = setting.start();
    assert_eq!(setting.ask("SENTINEL MASTERS"), "*0\r\n");
    assert_eq!(setting.ask("SENTINEL FLUSHCONFIG"), "+OK\r\n");
    end(setting, process);
    let said = setting.read("out");
    let warning = ": what was saved of master `m`, which nothing monitors now, is not used; its \
                   lines stay until it is monitored again";
    assert_eq!(said.matches(warning).count(), 1, "{said}");
    assert!(said.contains(&format!("line 4{warning}")), "{said}");
    assert_eq!(lines_of_state(setting), STATE);
}

/// The include is back, and the master is removed in vain.
fn goes_on_with(setting: &Setting) {
    setting.write("other.conf", MONITOR);
    let process = setting.start();
    assert_eq!(setting.ask("SENTINEL FLUSHCONFIG"), "+OK\r\n");
    assert_eq!(lines_of_state(setting), STATE);
    assert_eq!(setting.ask("SENTINEL REMOVE m"), "+OK\r\n");
    setting.wait_for("out", "other.conf, line 1: master `m` is removed, but only until the next");
    end(setting, process);
    assert!(!setting.read("sentinel.conf").contains("config-epoch m"));
    let process = setting.start();
    assert_eq!(setting.ask("SENTINEL MASTERS"), "*1\r\n");
    end(setting, process);
}
