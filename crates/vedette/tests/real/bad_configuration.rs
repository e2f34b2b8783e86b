//! Bad lines in the file: the reference's message, naming line and text.

mod lines;

use std::path::Path;

use vedette::lab::{BOUND, Folder, Process, programs};

use crate::group::{found, program};

const BAD_LINES: &[&str] = &[
    "sentinel nonsense",
    "sentinel monitor m 127.0.0.1 6379",
    "sentinel monitor m 127.0.0.1 99999 2",
    "sentinel monitor m 127.0.0.1 6379 0",
    "sentinel down-after-milliseconds unknown 1000",
    "sentinel failover-timeout m 0",
    "port nothing",
    "nonsense",
    "sentinel \"unbalanced",
    "sentinel notification-script m /no/such/script",
];

/// The exit code, and what was said without the title, which names the program's version.
fn refusal(words: Vec<String>, folder: &Path) -> (Option<i32>, Vec<String>) {
    let log = folder.join("refusal.log");
    let _ = std::fs::remove_file(&log);
    let mut process = Process::start(&words, folder, &log).unwrap();
    let status = process.wait_for_end(BOUND).unwrap();
    let said = process.output();
    let lines = said.lines().skip_while(|line| !line.starts_with("*** FATAL")).skip(1);
    (status.code(), lines.map(str::to_owned).collect())
}

#[test]
fn bad_lines_end_with_the_references_message() {
    let folder = Folder::new(None).unwrap();
    let conf = folder.path().join("sentinel.conf");
    let path = conf.display().to_string();
    let reference = found("redis-server", programs::redis_server());
    for &line in BAD_LINES {
        let text = format!("port 0\nsentinel monitor m 127.0.0.1 1 1\n{line}\n");
        let text = if line.contains("monitor m") { format!("port 0\n\n{line}\n") } else { text };
        std::fs::write(&conf, &text).unwrap();
        let ours = vec![program().display().to_string(), path.clone()];
        let (code, said) = refusal(ours, folder.path());
        assert_eq!(code, Some(1), "{line}");
        assert!(said.iter().any(|said| said.contains(line)), "{line}: {said:?}");
        assert!(said.iter().any(|said| said.contains("at line 3")), "{line}: {said:?}");
        if let Some(server) = &reference {
            let words = [&server.display().to_string(), &path, "--sentinel"];
            let expected = refusal(words.map(str::to_owned).to_vec(), folder.path());
            assert_eq!((code, said), expected, "{line}");
        }
        assert_eq!(std::fs::read_to_string(&conf).unwrap(), text, "the file is left alone");
    }
}

/// A whole configuration, whose last line is always refused.
fn judged(words: Vec<String>, conf: &Path, text: &str) -> (Option<i32>, Vec<String>) {
    std::fs::write(conf, text).unwrap();
    let judgement = refusal(words, conf.parent().unwrap());
    assert_eq!(std::fs::read_to_string(conf).unwrap(), text, "the file is left alone");
    judgement
}

/// The cases in which the two differ, but may not.
fn differences(server: &Path, cases: &[(String, &str)]) -> Vec<String> {
    let folder = Folder::new(None).unwrap();
    let conf = folder.path().join("sentinel.conf");
    let path = conf.display().to_string();
    let mut wrong = Vec::new();
    for (lines, end) in cases {
        let text = format!("port 0\nsentinel monitor m 127.0.0.1 1 1\n{lines}\n{end}\n");
        let ours = vec![program().display().to_string(), path.clone()];
        let theirs = [&server.display().to_string(), &path, "--sentinel"].map(str::to_owned);
        let ours = judged(ours, &conf, &text);
        let theirs = judged(theirs.to_vec(), &conf, &text);
        if ours != theirs && !lines::may_differ(lines, &ours.1) {
            wrong.push(format!("{lines:?}: ours {ours:?}, theirs {theirs:?}"));
        }
    }
    wrong
}

#[test]
fn every_directive_is_judged_as_by_the_reference() {
    let Some(server) = found("redis-server", programs::redis_server()) else { return };
    let cases = lines::cases();
    // Each case waits for two processes to end: several do so at once.
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let parts = cases.chunks(cases.len().div_ceil(4));
        let parts: Vec<_> = parts.map(|part| scope.spawn(|| differences(&server, part))).collect();
        parts.into_iter().flat_map(|part| part.join().expect("no panic")).collect()
    });
    let (all, wrong_count) = (cases.len(), wrong.len());
    assert!(wrong.is_empty(), "{wrong_count} of {all} differ:\n{}", wrong.join("\n"));
}
