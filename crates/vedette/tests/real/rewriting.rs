//! The same file, the same changes at run time: both write the same document.
//!
//! One after the other runs in the same folder on the same port, so nothing need be masked.

mod cases;

use std::collections::BTreeSet;
use std::path::Path;

use vedette::lab::{BOUND, Folder, PortBlock, Sentinel, Template, text};
use vedette_resp::split_words;
use vedette_wire::Dialect;

use crate::group::{redis_sentinel, speaking, valkey_sentinel};
use cases::{CASES, Case, ONLY_OURS, ONLY_THEIRS};

/// What a file says, whoever wrote it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Document {
    /// Comments and lines that no program manages, in their order.
    kept: Vec<String>,
    /// All other lines, as words.
    lines: BTreeSet<Vec<String>>,
}

impl Document {
    fn parse(text: &str) -> Self {
        let mut document = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let is_kept = ["#", "include", "rename-command"].iter().any(|it| line.starts_with(it));
            if is_kept {
                document.kept.push(line.to_owned());
                continue;
            }
            let words = split_words(line.as_bytes()).expect("balanced quotes");
            let words = words.iter().map(|word| String::from_utf8_lossy(word).into_owned());
            // Redis 8 and Valkey spell out what is always so (spec: interface 9.4).
            let words = words.filter(|word| word != "sanitize-payload");
            let mut words: Vec<String> = words.collect();
            for word in words.iter_mut().take(2) {
                *word = word.to_lowercase();
            }
            // The order of an account's commands is that of a table (COMPAT.md: H41).
            if words[0] == "user" {
                words[2..].sort();
            }
            document.lines.insert(words);
        }
        document
    }
}

/// Starts it on the text of `case`, gives it the commands, and reads what it has written.
fn written(template: Template, case: &Case, port: u16, folder: &Path) -> String {
    let text_of = |text: &str| {
        let text = text.replace("$FOLDER", &folder.display().to_string());
        format!("port {port}\nbind 127.0.0.1\n{text}")
    };
    std::fs::write(folder.join("more.conf"), case.included).unwrap();
    let lines: Vec<String> = text_of(case.text).lines().map(str::to_owned).collect();
    let mut sentinel = Sentinel::start(template, port, &lines, folder).unwrap();
    sentinel.wait_until_ready().unwrap();
    for command in case.commands {
        let words = split_words(command.as_bytes()).expect("balanced quotes");
        let words: Vec<_> =
            words.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let answer = sentinel.ask(&words).unwrap();
        assert!(!answer.is_error(), "{}: {command}: {}", case.name, text(&answer));
    }
    sentinel.ask(&["SENTINEL", "FLUSHCONFIG"]).unwrap();
    sentinel.process().terminate(BOUND).unwrap();
    let written = std::fs::read_to_string(sentinel.conf()).unwrap();
    // What was written must be read again.
    sentinel.restart().unwrap();
    sentinel.wait_until_ready().unwrap_or_else(|error| panic!("{}: {error}", case.name));
    sentinel.process().terminate(BOUND).unwrap();
    std::fs::remove_file(sentinel.conf()).unwrap();
    written
}

fn findings(case: &Case, theirs: &str, ours: &str) -> Vec<String> {
    let user = Document::parse(case.text).lines;
    let (theirs, ours) = (Document::parse(theirs), Document::parse(ours));
    let mut findings = Vec::new();
    if theirs.kept != ours.kept {
        findings.push(format!("kept by theirs {:?}, by ours {:?}", theirs.kept, ours.kept));
    }
    let is_known = |known: &[(&str, &str)], line: &[String]| {
        known.iter().any(|(words, _reason)| line.join(" ").starts_with(words))
    };
    // H29: a line at its default stays if the user wrote it.
    let mut only_ours: Vec<_> = ours.lines.difference(&theirs.lines).collect();
    only_ours.retain(|line| !user.contains(*line) && !is_known(ONLY_OURS, line));
    findings.extend(only_ours.iter().map(|line| format!("only ours: {line:?}")));
    let mut only_theirs: Vec<_> = theirs.lines.difference(&ours.lines).collect();
    // A vote that is not there was given in epoch 0.
    let is_zero = |line: &[String]| {
        line.get(1).is_some_and(|word| word == "leader-epoch")
            && line.last().is_some_and(|epoch| epoch == "0")
    };
    only_theirs
        .retain(|line| user.contains(*line) || !is_zero(line) && !is_known(ONLY_THEIRS, line));
    findings.extend(only_theirs.iter().map(|line| format!("only theirs: {line:?}")));
    findings.into_iter().map(|finding| format!("{}: {finding}", case.name)).collect()
}

fn check(dialect: Dialect, reference: &Template) {
    let folder = Folder::new(None).unwrap();
    let mut ports = PortBlock::claim().unwrap();
    let port = ports.take().unwrap();
    let mut wrong = Vec::new();
    for case in CASES {
        let [theirs, ours] = [reference.clone(), speaking(dialect)]
            .map(|template| written(template, case, port, folder.path()));
        let found = findings(case, &theirs, &ours);
        if !found.is_empty() {
            println!("== {}\n-- theirs\n{theirs}\n-- ours\n{ours}", case.name);
        }
        wrong.extend(found);
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn files_are_rewritten_as_by_redis() {
    if let Some(reference) = redis_sentinel() {
        check(Dialect::Redis, &reference);
    }
}

#[test]
fn files_are_rewritten_as_by_valkey() {
    if let Some(reference) = valkey_sentinel() {
        check(Dialect::Valkey, &reference);
    }
}
