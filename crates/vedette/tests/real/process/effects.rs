//! What single directives do, seen from outside. The same is asked of both programs.

use std::net::TcpListener;
use std::process::Command;

use rustix::process::Signal;
use vedette_wire::Dialect;

use super::run::{Setting, alike_as};

/// Redis 7 does not know the directive.
const VALKEY: &[Dialect] = &[Dialect::Valkey];
const BOTH: &[Dialect] = &Dialect::ALL;

/// The line, how it is looked at, and what must be seen.
struct Effect(&'static str, fn(&Setting) -> String, &'static str);

/// Lines that stand in one file, and who knows them.
const EFFECTS: &[(&[Dialect], &[Effect])] = &[
    (
        BOTH,
        &[
            Effect("tcp-backlog 7", backlog, "7"),
            Effect("tcp-keepalive 77", keepalive, "a timer"),
            Effect("acllog-max-len 1", refusals_kept, "*1\r\n"),
            Effect("acl-pubsub-default allchannels", new_user_subscribes, "may"),
        ],
    ),
    (
        BOTH,
        &[
            Effect("tcp-backlog 70", backlog, "70"),
            Effect("tcp-keepalive 0", keepalive, "no timer"),
            Effect("acllog-max-len 5", refusals_kept, "*3\r\n"),
            Effect("acl-pubsub-default resetchannels", new_user_subscribes, "may not"),
        ],
    ),
    (VALKEY, &[Effect("log-format logfmt", a_log_line, "message=\"+monitor master m")]),
    (VALKEY, &[Effect("log-timestamp-format iso8601", a_log_line, ":X 0-0-0T0:0:0.0")]),
    (VALKEY, &[Effect("log-timestamp-format milliseconds", a_log_line, ":X 0 #")]),
];

fn socket_of(setting: &Setting, words: &[&str]) -> String {
    let port = format!("sport = :{}", setting.port);
    let output = Command::new("ss").args(words).arg(port).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn backlog(setting: &Setting) -> String {
    socket_of(setting, &["-Hltn"]).split_whitespace().nth(2).unwrap().to_owned()
}

fn keepalive(setting: &Setting) -> String {
    let mut client = vedette::lab::Client::connect(setting.port).unwrap();
    client.ask(&["PING"]).unwrap();
    let shown = socket_of(setting, &["-Htno", "state", "established"]);
    assert!(!shown.is_empty());
    if shown.contains("timer:(keepalive") { "a timer" } else { "no timer" }.to_owned()
}

fn refusals_kept(setting: &Setting) -> String {
    for user in ["a", "b", "c"] {
        let answer = setting.ask(&format!("AUTH {user} wrong"));
        assert!(answer.starts_with("-WRONGPASS"), "{answer}");
    }
    setting.ask("ACL LOG")
}

fn new_user_subscribes(setting: &Setting) -> String {
    assert_eq!(setting.ask("ACL SETUSER u on +@all"), "+OK\r\n");
    let mut client = vedette::lab::Client::connect(setting.port).unwrap();
    let answer = client.ask(&["ACL", "DRYRUN", "u", "SUBSCRIBE", "c"]).unwrap();
    let answer = vedette::lab::text(&answer);
    // Redis 7.0 does not name the user.
    assert!(answer == "OK" || answer.ends_with("to access the 'c' channel"), "{answer}");
    if answer == "OK" { "may" } else { "may not" }.to_owned()
}

/// The line of the first event, each run of digits as one `0`.
fn a_log_line(setting: &Setting) -> String {
    setting.wait_for("out", "+monitor master m");
    let log = setting.read("out");
    let line = log.lines().find(|line| line.contains("+monitor")).unwrap();
    let mut masked = String::new();
    for c in line.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }) {
        if c != '0' || !masked.ends_with('0') {
            masked.push(c);
        }
    }
    let months =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    months.iter().fold(masked, |masked, month| masked.replace(month, "Mon"))
}

#[test]
fn directives_have_the_effects_that_they_have_in_the_references() {
    for (dialects, effects) in EFFECTS {
        let mut lines = "sentinel monitor m 127.0.0.1 1 1\n".to_owned();
        effects.iter().for_each(|Effect(line, ..)| lines += &format!("{line}\n"));
        for &dialect in *dialects {
            let seen = alike_as(dialect, &lines, |setting| {
                let mut process = setting.start();
                assert_eq!(setting.ask("PING"), "+PONG\r\n");
                let seen: Vec<_> = effects.iter().map(|Effect(_, look, _)| look(setting)).collect();
                process.signal(Signal::TERM);
                setting.end_of(&mut process);
                seen
            });
            for (Effect(line, _, wanted), seen) in effects.iter().zip(seen) {
                let fits = seen == *wanted || line.starts_with("log") && seen.contains(wanted);
                assert!(fits, "{dialect:?} {line}: {seen:?}");
            }
        }
    }
}

/// Where its connections to nodes come from.
#[test]
fn connections_come_from_the_address_that_is_named() {
    let node = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = node.local_addr().unwrap().port();
    for source in ["127.0.0.9", "127.0.0.1"] {
        let lines = format!("sentinel monitor m 127.0.0.1 {port} 1\nbind-source-addr {source}\n");
        let from = alike_as(Dialect::Redis, &lines, |setting| {
            let mut process = setting.start();
            let (_, from) = node.accept().unwrap();
            process.kill();
            // What else came from this one.
            node.set_nonblocking(true).unwrap();
            while node.accept().is_ok() {}
            node.set_nonblocking(false).unwrap();
            from.ip().to_string()
        });
        assert_eq!(from, source);
    }
}
