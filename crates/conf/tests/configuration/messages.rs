//! What is refused, with the reference's words and line numbers (spec: interface 8.2, 8.5).

use std::path::Path;

use crate::memory_files::MemoryFiles;
use vedette_conf::{ConfigError, load};

fn refusal(text: &str, arguments: &[&str]) -> (usize, String) {
    let arguments: Vec<_> = arguments.iter().map(|word| word.as_bytes().to_vec()).collect();
    match load(Path::new("main"), &arguments, None, &MemoryFiles::main(text)) {
        Err(ConfigError::Line(bad)) => (bad.number, bad.message),
        other => panic!("{text:?} gave {other:?}"),
    }
}

fn check(text: &str, number: usize, message: &str) {
    assert_eq!(refusal(text, &[]), (number, message.to_string()), "{text:?}");
}

const M: &str = "sentinel monitor m 127.0.0.1 6379 2\n";

#[test]
fn general_lines() {
    check("port abc", 1, "argument couldn't be parsed into an integer");
    check("\n# x\nport 70000", 3, "argument must be between 0 and 65535 inclusive");
    check("port 1 2", 1, "wrong number of arguments");
    check("loglevel notice # x", 1, "wrong number of arguments");
    check("nosuch 1", 1, "Bad directive or wrong number of arguments");
    check("foo.bar", 1, "Module config specified without value");
    check("port \"1", 1, "Unbalanced quotes in configuration line");
    check("port \"1\"x", 1, "Unbalanced quotes in configuration line");
    check("daemonize maybe", 1, "argument must be 'yes' or 'no'");
    check(
        "loglevel loud",
        1,
        "argument(s) must be one of the following: debug, verbose, notice, warning, nothing",
    );
    check("maxmemory 1xb", 1, "argument must be a memory value");
    check("unixsocketperm 9", 1, "argument couldn't be parsed as an octal number");
    check("dir /gone", 1, "No such file or directory");
    check("save 1", 1, "Invalid save parameters");
    check("rename-command FOO BAR", 1, "No such command in rename-command");
    check("rename-command PING AUTH", 1, "Target command name already exists");
    check(
        "client-output-buffer-limit foo 0 0 0",
        1,
        "Invalid client class specified in buffer limit configuration.",
    );
    check(
        "user a on\nuser a off",
        2,
        "Error in user declaration 'a': Duplicate user found. A user can only be defined once in \
         config files",
    );
}

/// A line that the references would glue to the next one, and names that MONITOR refuses too
/// (spec: interface 13.1, 13.12).
#[test]
fn bytes_that_are_no_text() {
    check("# a\0comment\nport 1\0 2\nport 3", 2, "NUL bytes are not allowed in a line");
    check("sentinel monitor m\0 127.0.0.1 6379 2", 1, "NUL bytes are not allowed in a line");
    check("port 1\n\0\0# end", 2, "NUL bytes are not allowed in a line");
    let text = b"# \xff\nsentinel monitor m\xe9 127.0.0.1 6379 2\n";
    match load(Path::new("main"), &[], None, &MemoryFiles::main(text)) {
        Err(ConfigError::Line(bad)) => {
            assert_eq!((bad.number, &bad.message[..]), (2, "argument must be valid UTF-8 text"));
        }
        other => panic!("taken: {other:?}"),
    }
}

#[test]
fn sentinel_lines() {
    let with = |line: &str| format!("{M}{line}\n");
    check("sentinel monitor m 127.0.0.1 6379 0", 1, "Quorum must be 1 or greater.");
    check("sentinel monitor m 127.0.0.1 6379 x", 1, "Quorum must be 1 or greater.");
    check("sentinel monitor m 127.0.0.1 70000 1", 1, "Invalid port number.");
    check("sentinel monitor m localhost 6379 1", 1, "Can't resolve instance hostname.");
    check(&with("sentinel monitor m 127.0.0.2 6379 2"), 2, "Duplicate master name.");
    check(&with("sentinel down-after-milliseconds m 0"), 2, "negative or zero time parameter.");
    check(&with("sentinel failover-timeout m x"), 2, "negative or zero time parameter.");
    check(&with("sentinel master-reboot-down-after-period m -1"), 2, "negative time parameter.");
    check(&with("sentinel down-after-milliseconds x 1"), 2, "No such master with specified name.");
    check(&with("sentinel nosuch m 1"), 2, "Unrecognized sentinel configuration statement.");
    check(&with("sentinel auth-pass m"), 2, "Unrecognized sentinel configuration statement.");
    check(
        &with("sentinel notification-script m /x"),
        2,
        "Notification script seems non existing or non executable.",
    );
    check(
        &with("sentinel client-reconfig-script m /x"),
        2,
        "Client reconfiguration script seems non existing or non executable.",
    );
    check("sentinel myid abc", 1, "Malformed Sentinel id in myid option.");
    check(
        "sentinel resolve-hostnames x",
        1,
        "Please specify yes or no for the resolve-hostnames option.",
    );
    check(
        "sentinel deny-scripts-reconfig x",
        1,
        "Please specify yes or no for the deny-scripts-reconfig options.",
    );
    check(
        &with("sentinel rename-command m CONFIG A\nsentinel rename-command m config B"),
        3,
        "Same command renamed multiple times with rename-command.",
    );
    let peer = "0123456789012345678901234567890123456789";
    let twice = format!(
        "sentinel known-sentinel m 127.0.0.1 1 {peer}\nsentinel known-sentinel m 127.0.0.1 2 {peer}"
    );
    check(&with(&twice), 3, "Duplicate runid for sentinel.");
}

/// spec: holes H32
#[test]
fn numbers_out_of_range_are_said_to_be() {
    let with = |line: &str| format!("{M}{line}\n");
    let range = "argument must be between 1 and 2147483647 inclusive";
    check("sentinel monitor m 127.0.0.1 6379 4294967297", 1, range);
    check(&with("sentinel down-after-milliseconds m 4294967296000"), 2, range);
    check(
        &with("sentinel parallel-syncs m 4294967297"),
        2,
        "argument must be between 0 and 2147483647 inclusive",
    );
    let no_integer = "argument couldn't be parsed into an integer";
    check(&with("sentinel parallel-syncs m abc"), 2, no_integer);
    let (_, message) = refusal("sentinel current-epoch 9223372036854775808", &[]);
    assert!(message.starts_with("argument must be between 0 and 9223372036854775807 inclusive"));
}

#[test]
fn the_groups_decide_which_error_comes_first() {
    // Whatever is not of `sentinel` first, then group by group.
    check(
        "sentinel nosuch\nsentinel monitor m x 1 0\nport x",
        3,
        "argument couldn't be parsed into an integer",
    );
    check("sentinel nosuch\nsentinel monitor m x 1 0\n", 2, "Quorum must be 1 or greater.");
    check("sentinel nosuch\nsentinel myid x\n", 2, "Malformed Sentinel id in myid option.");
}

#[test]
fn options_are_numbered_after_the_file() {
    let refused = (3, "argument couldn't be parsed into an integer".to_string());
    assert_eq!(refusal("port 0\n", &["--port", "abc"]), refused);
    let refused = (2, "argument couldn't be parsed into an integer".to_string());
    assert_eq!(refusal("port 0", &["--port", "abc"]), refused);
}

#[test]
fn the_fatal_block_is_the_references() {
    let error = load(Path::new("main"), &[], None, &MemoryFiles::main("\n\n\n\nport abc\n"));
    let block = error.expect_err("refused").fatal_block("Redis 7.0.15");
    assert_eq!(
        block,
        "\n*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***\nReading the configuration file, at \
         line 5\n>>> 'port abc'\nargument couldn't be parsed into an integer\n"
    );
    let error = load(Path::new("gone"), &[], None, &MemoryFiles::main("")).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "Fatal error, can't open config file 'gone': No such file or directory"
    );
}
