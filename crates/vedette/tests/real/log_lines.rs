//! Lines of the log that are no events, beside those of both references.

use std::collections::BTreeSet;

use vedette::lab::{BOUND, Template, until};
use vedette_wire::Dialect;

use crate::bad_input::{Alone, alone, answer, cases};
use crate::group::{redis_sentinel, speaking, valkey_sentinel};

/// A reference that is installed, and ours with its words.
fn pairs() -> Vec<(Dialect, [Template; 2])> {
    let references = [(Dialect::Redis, redis_sentinel()), (Dialect::Valkey, valkey_sentinel())];
    let pair =
        |(dialect, reference): (_, Option<_>)| Some((dialect, [reference?, speaking(dialect)]));
    references.into_iter().filter_map(pair).collect()
}

/// Level and text of the lines that say this, in order.
fn said(alone: &Alone, what: &str) -> Vec<String> {
    let log = alone.sentinel.log();
    let lines = log.lines().filter(|line| line.contains(what));
    lines.map(|line| line.splitn(6, ' ').nth(5).unwrap().to_owned()).collect()
}

/// The client's line with nothing but its names, and without how much was in the buffer: that
/// depends on how the bytes were cut.
fn masked(line: &str) -> String {
    let is_kept = |word: &&str| match word.split_once('=') {
        Some((key, _)) => ["name", "user"].contains(&key),
        None => word.parse::<usize>().is_err(),
    };
    // The last field is another one in each version.
    let line = line.replace(". Query", " . Query");
    // Redis shows what was sent, which may be a password.
    let line = match line.split_once("during protocol error: ") {
        Some((line, _)) => line,
        None => &line,
    };
    line.split(' ').filter(is_kept).collect::<Vec<_>>().join(" ")
}

/// Bytes that are no request, from a client with a name, and from one that is not let in.
fn send_nonsense(alone: &Alone) {
    for (bytes, _) in cases() {
        answer(&alone.sentinel, &[b"CLIENT SETNAME somebody\r\n".as_slice(), &bytes].concat());
    }
    let mut rest = vec![b'z'; 200];
    rest.extend(b"\x80\"\\'\t\r\n");
    answer(&alone.sentinel, &[b"*2\r\n$4\r\nPING\r\n".as_slice(), &rest].concat());
    alone.sentinel.ask(&["ACL", "SETUSER", "default", "resetpass", ">x"]).unwrap();
    for bytes in ["*11\r\n", "*1\r\n$16385\r\n"] {
        answer(&alone.sentinel, bytes.as_bytes());
    }
}

#[test]
fn protocol_errors_are_logged_as_by_the_references() {
    for (dialect, templates) in pairs() {
        for hiding in [None, Some("no"), Some("yes")] {
            // Redis 7 does not know the setting.
            if dialect == Dialect::Redis && hiding.is_some() {
                continue;
            }
            let mut lines = vec!["loglevel verbose".to_owned()];
            lines.extend(hiding.map(|word| format!("hide-user-data-from-log {word}")));
            let [theirs, ours] = templates.clone().map(|template| {
                let alone = alone(template, &lines);
                send_nonsense(&alone);
                let all = || {
                    let said = said(&alone, "Protocol error (");
                    (said.len() == cases().len() + 3).then_some(said)
                };
                let all = until("a line for each error", BOUND, all);
                let all = all.unwrap_or_else(|error| panic!("{error}: {}", alone.sentinel.log()));
                all.iter().map(|line| masked(line)).collect::<Vec<_>>()
            });
            assert_eq!(theirs, ours, "the reference's, ours: {dialect:?} {hiding:?}");
            let is_hidden = hiding != Some("no") && dialect == Dialect::Valkey;
            let shows = |text: &str| ours.iter().any(|line| line.contains(text));
            assert_eq!(shows("name=*redacted* user=*redacted*"), is_hidden, "{ours:?}");
            assert_eq!(shows("name=somebody user=default"), !is_hidden, "{ours:?}");
            assert_eq!(shows("zzz.\"\\'..."), hiding == Some("no"), "{ours:?}");
        }
    }
}

#[test]
fn names_in_hellos_are_refused_aloud() {
    const WHAT: &str = "Failed to resolve hostname";
    for (dialect, templates) in pairs() {
        let [theirs, ours] = templates.map(|template| {
            let alone = alone(template, &["sentinel monitor m 127.0.0.1 1 1".to_owned()]);
            let ids = ["a", "b"].map(|letter| letter.repeat(40));
            for hello in [
                format!("stranger.invalid,1,{},0,m,127.0.0.1,1,0", ids[0]),
                format!("127.0.0.1,1,{},0,m,127.0.0.1,1,0", ids[1]),
                format!("127.0.0.1,1,{},1,m,master.invalid,1,1", ids[1]),
            ] {
                let words = ["PUBLISH", "__sentinel__:hello", &hello];
                assert!(!alone.sentinel.ask(&words).unwrap().is_error());
            }
            let last = || said(&alone, "'master.invalid'").first().map(|_| ());
            until("the last refusal", BOUND, last)
                .unwrap_or_else(|error| panic!("{error}: {}", alone.sentinel.log()));
            assert_eq!(alone.sentinel.list("SENTINELS", "m").len(), 1);
            // The reference says it at each of its several attempts.
            said(&alone, WHAT).into_iter().collect::<BTreeSet<_>>()
        });
        assert_eq!(theirs, ours, "the reference's, ours: {dialect:?}");
        assert_eq!(ours.len(), 2);
    }
}

#[test]
fn a_pid_file_that_cannot_be_written_is_told_as_by_valkey() {
    const WHAT: &str = "Failed to write PID file";
    let Some(reference) = valkey_sentinel() else { return };
    let [theirs, ours] = [reference, speaking(Dialect::Valkey)].map(|template| {
        let mut alone = alone(template, &["pidfile /nonexistent/pid".to_owned()]);
        alone.sentinel.process().terminate(BOUND).unwrap();
        said(&alone, WHAT)
    });
    assert_eq!(theirs, ours, "the reference's, ours");
    assert_eq!(ours, ["# Failed to write PID file: No such file or directory"]);
}
