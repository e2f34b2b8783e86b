//! Finding the line that a finding is about, and showing it without secrets.

use vedette_conf::{Document, Line, Origin};

/// A place in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) origin: Origin,
    pub(super) number: usize,
    /// The line, secrets hidden.
    pub(super) text: String,
}

impl Place {
    pub(super) fn of(line: &Line) -> Self {
        Self { origin: line.origin().clone(), number: line.number(), text: shown(line.text()) }
    }
}

/// The last line of a general directive, which is the one that counts.
pub(super) fn general(document: &Document, name: &str) -> Option<Place> {
    last(document, |words| words.first().is_some_and(|word| is(word, name)))
}

/// The last line of a `sentinel` directive of the process.
pub(super) fn process(document: &Document, directive: &str) -> Option<Place> {
    last(document, |words| is_sentinel(words, directive))
}

/// The last line of a `sentinel` directive of a master.
pub(super) fn of_master(document: &Document, directive: &str, master: &str) -> Option<Place> {
    last(document, |words| {
        is_sentinel(words, directive) && words.get(2).is_some_and(|word| word == master.as_bytes())
    })
}

fn last(document: &Document, fits: impl Fn(&[Vec<u8>]) -> bool) -> Option<Place> {
    let fitting = document.lines().filter(|line| line.words().is_some_and(|words| fits(&words)));
    fitting.last().map(Place::of)
}

fn is(word: &[u8], name: &str) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes())
}

fn is_sentinel(words: &[Vec<u8>], directive: &str) -> bool {
    matches!(words, [first, second, ..] if is(first, "sentinel") && is(second, directive))
}

/// A line with its secrets hidden.
pub(super) fn shown(text: &[u8]) -> String {
    let readable = String::from_utf8_lossy(text).into_owned();
    let words: Vec<&str> = readable.split_whitespace().collect();
    let first = words.first().map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    let second = words.get(1).map(|word| word.to_ascii_lowercase()).unwrap_or_default();
    let kept = match (first.as_str(), second.as_str()) {
        ("requirepass" | "masterauth" | "primaryauth", _) => 1,
        ("tls-key-file-pass" | "tls-client-key-file-pass", _) => 1,
        ("user", _) => 2,
        ("sentinel", "auth-pass") => 3,
        ("sentinel", "sentinel-pass") => 2,
        _ => return readable,
    };
    if words.len() <= kept { readable } else { format!("{} ***", words[..kept].join(" ")) }
}

/// Whether a line holds a password.
pub(super) fn is_secret(line: &Line) -> bool {
    line.words().is_some() && shown(line.text()).ends_with("***")
}
