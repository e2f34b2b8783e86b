//! What is compared would be found, and what is masked is looked at all the same.

use vedette_resp::Frame;
use vedette_wire::Dialect;

use super::list::Case;
use super::mask::Mask;
use super::pair::finding;
use super::spelling::spell;

fn bulk(text: &str) -> Frame {
    Frame::bulk(text.to_owned())
}

fn flat(words: &[&str]) -> Frame {
    Frame::Array(words.iter().map(|word| bulk(word)).collect())
}

fn shown(step: &str, frame: &Frame) -> Vec<String> {
    let mut lines = Vec::new();
    spell(step, frame, &mut lines);
    Mask::new(&[("26379".to_owned(), "MY-PORT")]).apply(step, lines)
}

#[test]
fn entries_are_compared_by_flags_order_and_kind() {
    let entry = |words: &[&str]| shown("SENTINEL MASTER m", &flat(words));
    let good = entry(&["name", "m", "flags", "master", "link-pending-commands", "3"]);
    let same = entry(&["name", "m", "flags", "master", "link-pending-commands", "-1"]);
    assert_eq!(same, good);
    for other in [
        ["name", "m", "flags", "s_down,master", "link-pending-commands", "3"],
        ["name", "m", "flags", "master", "link-pending-commands", "x"],
        ["name", "m", "link-pending-commands", "3", "flags", "master"],
        ["name", "26379", "flags", "master", "link-pending-commands", "3"],
    ] {
        assert_ne!(entry(&other), good, "{other:?}");
    }
    let map = Frame::Map(vec![(bulk("name"), bulk("m"))]);
    assert_ne!(shown("", &map), shown("", &flat(&["name", "m"])));
}

#[test]
fn entries_are_compared_in_any_order() {
    let [one, two] = [flat(&["name", "a"]), flat(&["name", "b"])];
    let there = shown("", &Frame::Array(vec![one.clone(), two.clone()]));
    assert_eq!(shown("", &Frame::Array(vec![two, one.clone()])), there);
    assert_ne!(shown("", &Frame::Array(vec![one])), there);
}

#[test]
fn a_command_that_is_missing_or_of_another_group_is_found() {
    let docs = |name: &str, group: &str, summary: &str| {
        let sub = flat(&["summary", summary, "since", "1.0", "group", group]);
        let container =
            Frame::Array(vec![bulk("subcommands"), Frame::Array(vec![bulk(name), sub])]);
        shown("COMMAND DOCS", &Frame::Array(vec![bulk("client"), container]))
    };
    let good = docs("client|id", "connection", "Ours.");
    assert_eq!(docs("client|id", "connection", "Theirs."), good);
    assert_ne!(docs("client|di", "connection", "Ours."), good);
    assert_ne!(docs("client|id", "server", "Ours."), good);
}

#[test]
fn the_state_of_a_master_is_compared_in_info() {
    let info = |status: &str, hz: &str| {
        let text =
            format!("# Server\r\nhz:{hz}\r\n\r\n# Sentinel\r\nmaster0:name=m,status={status}\r\n");
        shown("INFO", &bulk(&text))
    };
    assert_eq!(info("ok", "10"), info("ok", "11"));
    assert_ne!(info("ok", "10"), info("sdown", "10"));
}

#[test]
fn unmarked_differences_and_needless_marks_are_found() {
    let [one, other] = ["1", "2"].map(|text| vec![vec![text.to_owned()]]);
    let found = |line: &str, dialect, ours| {
        let case = Case::parse(line, dialect);
        assert_eq!(case.line, "PING");
        finding(&case, "PING", &one, ours).is_some()
    };
    assert!(found("PING", Dialect::Redis, &other));
    assert!(!found("PING", Dialect::Redis, &one));
    assert!(found("! R:R8 | PING", Dialect::Redis, &one));
    assert!(!found("! R:R8 | PING", Dialect::Redis, &other));
    assert!(found("! R:R8 | PING", Dialect::Valkey, &other));
    assert!(found("! V:x, H1 | PING", Dialect::Redis, &one));
}
