//! `rename-command` of a Sentinel's own commands, beside both references (spec: interface 8.4).

use vedette_wire::Dialect;

use crate::bad_input::alone;
use crate::group::{redis_sentinel, speaking, valkey_sentinel};

const LINES: [&str; 4] = [
    "rename-command PING pong",
    "rename-command SHUTDOWN \"\"",
    "rename-command ACL xacl",
    "rename-command PUBLISH ACL",
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
