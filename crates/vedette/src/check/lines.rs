//! Finding the line that a finding is about, and showing it without secrets.

use std::collections::BTreeMap;

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

/// The last line of each directive, which is the one that counts. Directives in lower case.
#[derive(Default)]
pub(super) struct LastLines {
    general: BTreeMap<String, Place>,
    process: BTreeMap<String, Place>,
    masters: BTreeMap<(String, Vec<u8>), Place>,
}

impl LastLines {
    pub(super) fn of(document: &Document) -> Self {
        let mut last = Self::default();
        for line in document.lines() {
            let words = line.words().unwrap_or_default();
            let lower = |index: usize| words.get(index).map(|word| lower_case(word));
            let (Some(first), second) = (lower(0), lower(1)) else { continue };
            let place = Place::of(line);
            match (second, words.get(2)) {
                (Some(second), Some(third)) if first == "sentinel" => {
                    last.masters.insert((second.clone(), third.clone()), place.clone());
                    last.process.insert(second, place);
                }
                _ => {
                    last.general.insert(first, place);
                }
            }
        }
        last
    }

    /// Of a general directive.
    pub(super) fn general(&self, name: &str) -> Option<Place> {
        self.general.get(name).cloned()
    }

    /// Of a `sentinel` directive of the process.
    pub(super) fn process(&self, directive: &str) -> Option<Place> {
        self.process.get(directive).cloned()
    }

    /// Of a `sentinel` directive of a master.
    pub(super) fn of_master(&self, directive: &str, master: &str) -> Option<Place> {
        self.masters.get(&(directive.to_string(), master.as_bytes().to_vec())).cloned()
    }
}

fn lower_case(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_ascii_lowercase()
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
