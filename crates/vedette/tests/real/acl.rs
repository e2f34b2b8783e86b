//! ACL beside the reference: the same commands to both, on several connections, and the same
//! replies. What cannot be the same is masked: ages, client lines, versions, and the order of
//! single commands in a description, which the reference draws anew at each start.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use vedette::lab::{Folder, PortBlock, Sentinel, Template};
use vedette_resp::split_words;

use vedette_wire::Dialect;

use crate::group::{ours, redis_sentinel, speaking, valkey_sentinel};

/// The commands: a connection and what it sends.
const DIALOGUE: &str = include_str!("acl.txt");
/// There must be enough of them to mean something.
const LEAST_COMMANDS: usize = 120;

struct Alone {
    sentinel: Sentinel,
    connections: BTreeMap<String, BufReader<TcpStream>>,
    _folder: Folder,
    _ports: PortBlock,
}

impl Alone {
    fn start(template: Template) -> Self {
        let folder = Folder::new(None).unwrap();
        let mut ports = PortBlock::claim().unwrap();
        let port = ports.take().unwrap();
        let lines = [format!("port {port}"), "bind 127.0.0.1".to_owned()];
        let mut sentinel = Sentinel::start(template, port, &lines, folder.path()).unwrap();
        sentinel.wait_until_ready().unwrap();
        Self { sentinel, connections: BTreeMap::new(), _folder: folder, _ports: ports }
    }

    /// What is answered, a text for each part; a push that came before counts as the answer.
    fn ask(&mut self, connection: &str, words: &[impl AsRef<[u8]>]) -> Vec<String> {
        let port = self.sentinel.port();
        let stream = self.connections.entry(connection.to_owned()).or_insert_with(|| {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            BufReader::new(stream)
        });
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words.iter().map(AsRef::as_ref) {
            request.extend(format!("${}\r\n", word.len()).bytes());
            request.extend([word, b"\r\n"].concat());
        }
        let mut parts = Vec::new();
        let sent = stream.get_mut().write_all(&request);
        if sent.is_err() || read_reply(stream, &mut parts).is_none() {
            self.connections.remove(connection);
            return vec!["closed".to_owned()];
        }
        parts
    }
}

/// Reads one reply with everything in it; none if the connection ended.
fn read_reply(stream: &mut BufReader<TcpStream>, parts: &mut Vec<String>) -> Option<()> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).ok().filter(|read| *read > 0)?;
    let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
    let (kind, rest) = line.split_at_checked(1)?;
    let length = rest.parse::<i64>().ok().and_then(|length| usize::try_from(length).ok());
    match (kind, length) {
        ("$" | "=", Some(length)) => {
            let mut text = vec![0; length + 2];
            stream.read_exact(&mut text).ok()?;
            text.truncate(length);
            parts.push(format!("{kind}{}", text.escape_ascii()));
        }
        ("*" | "~" | ">" | "%", Some(length)) => {
            parts.push(line.clone());
            let items = if kind == "%" { 2 * length } else { length };
            for _ in 0..items {
                read_reply(stream, parts)?;
            }
        }
        _ => parts.push(line),
    }
    Some(())
}

/// The parts without what cannot be the same.
fn masked(words: &[impl AsRef<[u8]>], parts: Vec<String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for part in parts {
        let text = match seen.last().map(String::as_str) {
            Some("$age-seconds") => part[..1].to_owned() + "AGE",
            Some("$version") => "VERSION".to_owned(),
            Some("$id") => "ID".to_owned(),
            Some("$timestamp-created" | "$timestamp-last-updated") => "WHEN".to_owned(),
            Some(_) | None if part.starts_with("$id=") => "$LINE".to_owned(),
            Some(_) | None => sorted(&part),
        };
        seen.push(text);
    }
    let is_category = |word: &&[u8]| word.eq_ignore_ascii_case(b"cat");
    if words.len() == 3 && words.get(1).map(AsRef::as_ref).is_some_and(|word| is_category(&word)) {
        // CLIENT SETINFO came after the reference.
        seen.retain(|part| part != "$client|setinfo" && !part.starts_with('*'));
        seen.sort();
    }
    seen
}

/// Ours as Redis 7.0 would have said it: later versions name the user, and tell more in the log
/// (spec: interface, appendix C).
fn as_before_redis_8(
    words: &[impl AsRef<[u8]>],
    mut expected: Vec<String>,
    mut got: Vec<String>,
) -> (Vec<String>, Vec<String>) {
    let is_log = words.len() > 1 && words[1].as_ref().eq_ignore_ascii_case(b"log");
    if is_log && got.first().is_some_and(|part| part.starts_with('*')) {
        let later = ["$entry-id", "$timestamp-created", "$timestamp-last-updated"];
        let mut parts = got.into_iter();
        got = Vec::new();
        while let Some(part) = parts.next() {
            match later.contains(&part.as_str()) {
                true => drop(parts.next()),
                false => got.push(part.replace("%10", "%7").replace("*20", "*14")),
            }
        }
    }
    let anonymous = |part: &mut String| {
        if let Some((before, after)) = part.split_once("ser ")
            && let Some((_, what)) = after.split_once("has no permissions to ")
            && before.len() < 16
        {
            *part = format!("no permissions to {what}");
        }
        let channel = part.contains("No permissions to access a channel")
            || part.contains("one of the channels used as arguments");
        if channel {
            *part = "no channel".to_owned();
        }
    };
    expected.iter_mut().chain(&mut got).for_each(anonymous);
    (expected, got)
}

/// Without descriptions of rules: Valkey's repeat what was typed, ours are those of Redis 7.0,
/// which say the same (`COMPAT.md`).
fn undescribed(parts: Vec<String>) -> Vec<String> {
    let mut shown: Vec<String> = Vec::new();
    for part in parts {
        let is_user = part.starts_with("$user ");
        match shown.last().map(String::as_str) {
            Some("$commands") => shown.push("RULES".to_owned()),
            Some(_) | None if is_user => {
                let is_told = |word: &&str| word.ends_with("sanitize-payload");
                let told = part.split(' ').skip(2).filter(is_told);
                shown.extend(part.split(' ').nth(1).into_iter().chain(told).map(str::to_owned));
            }
            Some(_) | None => shown.push(part),
        }
    }
    shown
}

/// Single commands of a description in alphabetical order.
fn sorted(text: &str) -> String {
    if !text.contains("@all") {
        return text.to_owned();
    }
    let spaced = text.replace('(', "( ").replace(')', " )");
    let mut words: Vec<&str> = spaced.split(' ').collect();
    let is_single = |word: &&str| word.starts_with(['+', '-']) && !word[1..].starts_with('@');
    let mut from = 0;
    while from < words.len() {
        let run = words[from..].iter().take_while(|word| is_single(word)).count();
        words[from..from + run].sort_by_key(|word| &word[1..]);
        from += run + 1;
    }
    words.join(" ")
}

/// The commands of [`DIALOGUE`].
fn dialogue() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let lines = DIALOGUE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (connection, command) = line.split_once(": ").unwrap();
            let words = split_words(command.as_bytes()).unwrap();
            (connection, words.iter().map(|word| word.to_vec()).collect())
        })
        .collect()
}

#[test]
fn acl_replies_are_those_of_redis() {
    let Some(reference) = redis_sentinel() else { return };
    compare(Dialect::Redis, reference);
}

#[test]
fn acl_replies_are_those_of_valkey() {
    let Some(reference) = valkey_sentinel() else { return };
    compare(Dialect::Valkey, reference);
}

fn compare(dialect: Dialect, reference: Template) {
    let (mut ours, mut reference) = (Alone::start(speaking(dialect)), Alone::start(reference));
    let dialogue = dialogue();
    assert!(dialogue.len() >= LEAST_COMMANDS, "{}", dialogue.len());
    let mut differences = Vec::new();
    for (connection, words) in &dialogue {
        let expected = masked(words, reference.ask(connection, words));
        let got = masked(words, ours.ask(connection, words));
        let (expected, got) = match dialect {
            Dialect::Redis => as_before_redis_8(words, expected, got),
            Dialect::Valkey => (undescribed(expected), undescribed(got)),
        };
        if got != expected {
            let command = words.join(&b' ').escape_ascii().to_string();
            differences.push(format!(
                "{connection}: {command}\n  reference {expected:?}\n  ours      {got:?}"
            ));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Where the reference could not read its own description again, or crashes (`COMPAT.md`).
#[test]
fn rules_that_would_not_read_back_are_refused() {
    let mut ours = Alone::start(ours());
    let mut ask = |command: &str| {
        let words = split_words(command.as_bytes()).unwrap();
        ours.ask("a", &words).concat()
    };
    for rule in ["(~x) +ping)", "(+ping|x))", "(+ping 'a)", "(~a\\x22b)"] {
        let said = ask(&format!("ACL SETUSER a \"{rule}\""));
        assert!(said.ends_with("': Syntax error"), "{rule}: {said}");
    }
    assert_eq!(ask("ACL SETUSER a %R~* %W~*"), "+OK");
    assert!(ask("ACL SETUSER a %R~x").contains("Adding a pattern after the * pattern"));
    assert_eq!(ask("ACL SETUSER a +sentinel|primaries +client|setinfo"), "+OK");
    assert!(ask("ACL GETUSER a").contains("-@all +client|setinfo +sentinel|masters"));
}
