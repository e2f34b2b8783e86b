//! Every option of SENTINEL SET, SENTINEL CONFIG SET and SENTINEL DEBUG with values missing, too
//! many, doubled and wrong: the reference's reply, and nothing is half applied.

use vedette::lab::{BOUND, Folder, PortBlock, Sentinel, Template, text};
use vedette_wire::Dialect;

use crate::group::{ours, redis_sentinel, speaking, valkey_sentinel};

const VALUES: &[&str] = &[
    "abc",
    "1x",
    "-1",
    "0",
    "70000",
    "2147483648",
    "4294967296",
    "99999999999999999999",
    "",
    "maybe",
    "/no/such/file",
    "1",
];

/// Of a master, with a value that is good.
const OF_MASTER: &[(&str, &str)] = &[
    ("down-after-milliseconds", "1000"),
    ("failover-timeout", "1000"),
    ("parallel-syncs", "2"),
    ("notification-script", ""),
    ("client-reconfig-script", ""),
    ("auth-pass", "a"),
    ("auth-user", "a"),
    ("quorum", "2"),
    ("master-reboot-down-after-period", "5"),
    ("no-such-option", "1"),
];

/// Of the process.
const OF_PROCESS: &[(&str, &str)] = &[
    ("resolve-hostnames", "no"),
    ("announce-hostnames", "no"),
    ("announce-ip", "10.0.0.1"),
    ("announce-port", "5"),
    ("sentinel-user", "a"),
    ("sentinel-pass", "a"),
    ("no-such-option", "1"),
];

/// Periods that SENTINEL DEBUG changes, with their defaults.
const TUNABLE: &[(&str, &str)] = &[
    ("info-period", "10000"),
    ("ping-period", "1000"),
    ("ask-period", "1000"),
    ("publish-period", "2000"),
    ("default-down-after", "30000"),
    ("default-failover-timeout", "180000"),
    ("tilt-trigger", "2000"),
    ("tilt-period", "30000"),
    ("slave-reconf-timeout", "10000"),
    ("min-link-reconnect-period", "15000"),
    ("election-timeout", "10000"),
    ("script-max-runtime", "60000"),
    ("script-retry-delay", "30000"),
    ("no-such-tunable", "1"),
];

/// Longest number that the reference cuts to an acceptable one (holes H32).
const CUT: &str = "4294967296";
/// What Redis 7.0 says to more than one option; those of Redis 8 take several.
const ONE_ONLY: &str = "ERR Only SENTINEL CONFIG GET <option> / SET <option> <value>";

/// Differences that are meant (`COMPAT.md`).
fn may_differ(words: &[&str], theirs: &str) -> bool {
    words.last() == Some(&CUT) || theirs.starts_with(ONE_ONLY)
}

/// Each command that may be refused, and one that makes all good again.
fn cases() -> Vec<(Vec<&'static str>, Vec<&'static str>)> {
    let mut cases = Vec::new();
    let of_master = OF_MASTER.iter().map(|it| (&["SENTINEL", "SET", "m"][..], it));
    let of_process = OF_PROCESS.iter().map(|it| (&["SENTINEL", "CONFIG", "SET"][..], it));
    let tunable = TUNABLE.iter().map(|it| (&["SENTINEL", "DEBUG"][..], it));
    for (start, &(option, good)) in of_master.chain(of_process).chain(tunable) {
        let command = |rest: &[&'static str]| [start, rest].concat();
        let again = command(&[option, good]);
        let mut variants = vec![
            command(&[option]),
            command(&[option, good, "more"]),
            command(&[option, good, option, good]),
            command(&[option, good, "no-such-option", "1"]),
        ];
        variants.extend(VALUES.iter().map(|value| command(&[option, value])));
        cases.extend(variants.into_iter().map(|variant| (variant, again.clone())));
    }
    for rest in [["rename-command", "A"].as_slice(), &["rename-command", "A", ""]] {
        let again = ["SENTINEL", "SET", "m", "quorum", "2"].to_vec();
        cases.push(([&["SENTINEL", "SET", "m"], rest].concat(), again));
    }
    cases
}

fn alone(template: Template, port: u16, folder: &Folder) -> Sentinel {
    let lines = ["bind 127.0.0.1", "# mine", "sentinel monitor m 127.0.0.1 1 2"];
    let mut lines: Vec<String> = lines.map(str::to_owned).to_vec();
    lines.push(format!("port {port}"));
    let mut sentinel = Sentinel::start(template, port, &lines, folder.path()).unwrap();
    sentinel.wait_until_ready().unwrap();
    sentinel
}

/// The replies to all commands; `is_ours`: a refused one changes neither file nor picture.
fn replies(sentinel: &Sentinel, is_ours: bool) -> Vec<String> {
    let picture = || {
        let file = std::fs::read_to_string(sentinel.conf()).unwrap();
        let config = sentinel.ask(&["SENTINEL", "CONFIG", "GET", "*"]).unwrap();
        let periods = sentinel.ask(&["SENTINEL", "DEBUG"]).unwrap();
        let mut master = sentinel.master("m");
        master.retain(|field, _| {
            ["quorum", "down-after-milliseconds", "failover-timeout", "parallel-syncs"]
                .contains(&&field[..])
        });
        (file, format!("{config:?} {periods:?}"), master)
    };
    let mut replies = Vec::new();
    for (words, again) in cases() {
        let before = is_ours.then(picture);
        let answer = sentinel.ask(&words).unwrap();
        if answer.is_error() && is_ours {
            assert_eq!(Some(picture()), before, "{words:?} was refused");
        }
        replies.push(text(&answer));
        sentinel.ask(&again).unwrap();
    }
    replies
}

fn check(dialect: Dialect, reference: Template) {
    let folder = Folder::new(None).unwrap();
    let mut ports = PortBlock::claim().unwrap();
    let mut wrong = Vec::new();
    let mut theirs = alone(reference, ports.take().unwrap(), &folder);
    let mut ours = alone(speaking(dialect), ports.take().unwrap(), &folder);
    let answers = replies(&theirs, false).into_iter().zip(replies(&ours, true));
    for ((words, _), (theirs, ours)) in cases().iter().zip(answers) {
        if theirs != ours && !may_differ(words, &theirs) {
            wrong.push(format!("{words:?}: theirs {theirs:?}, ours {ours:?}"));
        }
    }
    theirs.process().terminate(BOUND).unwrap();
    ours.process().terminate(BOUND).unwrap();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn options_are_judged_as_by_redis() {
    if let Some(reference) = redis_sentinel() {
        check(Dialect::Redis, reference);
    }
}

#[test]
fn options_are_judged_as_by_valkey() {
    if let Some(reference) = valkey_sentinel() {
        check(Dialect::Valkey, reference);
    }
}

/// spec: holes H24
#[test]
fn values_that_would_add_lines_are_refused() {
    let folder = Folder::new(None).unwrap();
    let mut ports = PortBlock::claim().unwrap();
    let mut ours = alone(ours(), ports.take().unwrap(), &folder);
    let bad = "a\nsentinel monitor evil 127.0.0.1 2 1";
    let options = ["auth-pass", "auth-user"].map(|option| ["SENTINEL", "SET", "m", option, bad]);
    for words in options {
        let answer = ours.ask(&words).unwrap();
        assert!(answer.is_error(), "{words:?}");
    }
    for option in ["sentinel-pass", "sentinel-user", "announce-ip"] {
        let answer = ours.ask(&["SENTINEL", "CONFIG", "SET", option, bad]).unwrap();
        assert!(answer.is_error(), "{option}");
    }
    // A quote and a blank are kept, and read again.
    let answer = ours.ask(&["SENTINEL", "SET", "m", "auth-user", "a \"b\" 'c'"]).unwrap();
    assert_eq!(text(&answer), "OK");
    ours.restart().unwrap();
    ours.wait_until_ready().unwrap();
    let file = std::fs::read_to_string(ours.conf()).unwrap();
    assert!(!file.contains("evil"), "{file}");
    assert_eq!(ours.master("m").get("name").map(String::as_str), Some("m"));
    if let Some(reference) = redis_sentinel() {
        // The reason for the row: there the injected line takes effect.
        let mut theirs = alone(reference, ports.take().unwrap(), &folder);
        theirs.ask(&["SENTINEL", "SET", "m", "auth-pass", bad]).unwrap();
        theirs.restart().unwrap();
        theirs.wait_until_ready().unwrap();
        assert!(theirs.master("evil").contains_key("ip"));
    }
}
