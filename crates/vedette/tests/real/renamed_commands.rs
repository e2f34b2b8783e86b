//! `rename-command` of a Sentinel's own commands, beside both references (spec: interface 8.4).

use vedette_resp::Frame;
use vedette_wire::Dialect;

use crate::bad_input::alone;
use crate::group::{redis_sentinel, speaking, valkey_sentinel};

const LINES: [&str; 6] = [
    "rename-command PING pong",
    "rename-command SHUTDOWN \"\"",
    "rename-command ACL xacl",
    "rename-command PUBLISH ACL",
    "rename-command CLIENT Client2",
    "rename-command SENTINEL \"our sentinel\"",
];

const QUESTIONS: [&[&str]; 17] = [
    &["PING"],
    &["Pong"],
    &["pong", "a", "b", "c"],
    &["SHUTDOWN", "NOSAVE"],
    &["xacl", "WHOAMI"],
    &["xacl", "nothing"],
    &["acl", "whoami"],
    &["acl", "channel", "message"],
    &["PUBLISH", "channel", "message"],
    &["COMMAND", "COUNT"],
    &["COMMAND", "LIST", "FILTERBY", "PATTERN", "shut*"],
    &["COMMAND", "LIST", "FILTERBY", "PATTERN", "p?ng"],
    &["COMMAND", "INFO", "ping", "shutdown"],
    &["COMMAND", "DOCS", "ping", "shutdown"],
    &["xacl", "DRYRUN", "default", "shutdown"],
    &["xacl", "DRYRUN", "default", "ping"],
    &["xacl", "DRYRUN", "default", "pong"],
];

const HELP: [&[&str]; 4] =
    [&["client2", "HELP"], &["Our Sentinel", "help"], &["XACL", "HELP"], &["COMMAND", "HELP"]];

#[test]
fn commands_are_called_by_their_new_names_as_by_the_references() {
    for (dialect, reference) in
        [(Dialect::Redis, redis_sentinel()), (Dialect::Valkey, valkey_sentinel())]
    {
        let Some(reference) = reference else { continue };
        let [theirs, ours] = [reference, speaking(dialect)].map(|template| {
            let alone = alone(template, &LINES.map(str::to_owned));
            QUESTIONS.map(|words| (words, alone.sentinel.ask(words).unwrap()))
        });
        assert_eq!(theirs, ours, "the reference's, ours: {dialect:?}");
    }
}

/// The sentences are our own; the first line names the container as it is called now.
#[test]
fn help_is_headed_by_the_new_name_as_by_the_references() {
    for (dialect, reference) in
        [(Dialect::Redis, redis_sentinel()), (Dialect::Valkey, valkey_sentinel())]
    {
        let Some(reference) = reference else { continue };
        let [theirs, ours] = [reference, speaking(dialect)].map(|template| {
            let alone = alone(template, &LINES.map(str::to_owned));
            HELP.map(|words| match alone.sentinel.ask(words).unwrap() {
                Frame::Array(lines) => lines[0].clone(),
                other => other,
            })
        });
        assert_eq!(theirs, ours, "the reference's, ours: {dialect:?}");
    }
}
