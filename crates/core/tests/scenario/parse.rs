//! A scenario file: a story in the first line, commands, and the expected traces.

use std::collections::BTreeMap;
use std::str::FromStr;

use vedette_core::{Rule, Rules};

/// How the store of a run behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// As the file says.
    AsTold,
    /// No save is ever answered.
    Never,
    /// Every save fails.
    Fails,
}

impl Variant {
    pub(crate) const ALL: [Self; 3] = [Self::AsTold, Self::Never, Self::Fails];

    /// The line above its expected trace.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::AsTold => "---",
            Self::Never => "--- store never",
            Self::Fails => "--- store fails",
        }
    }
}

/// A file, read.
pub(crate) struct Scenario {
    /// Everything above the first `---`, as it stands.
    pub(crate) head: String,
    pub(crate) commands: Vec<Command>,
    /// Rules without which the story goes differently: `without S2`.
    pub(crate) without: Vec<Without>,
    expected: BTreeMap<String, String>,
}

/// Rules that are turned off together for another run.
pub(crate) struct Without {
    /// As the file names them.
    pub(crate) names: String,
    pub(crate) rules: Rules,
}

impl Without {
    fn read(names: &str) -> Self {
        let find = |name: &str| {
            let rule = Rule::ALL.iter().find(|(_, known, _)| *known == name);
            rule.unwrap_or_else(|| panic!("there is no rule {name}")).0
        };
        let rules = names.split_whitespace().fold(Rules::ALL, |rules, n| rules.without(find(n)));
        Self { names: names.trim().to_owned(), rules }
    }

    /// The line above what is different.
    pub(crate) fn heading(&self) -> String {
        format!("--- without {}", self.names)
    }
}

/// One line of commands.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) line: usize,
    words: Vec<String>,
}

impl Scenario {
    pub(crate) fn read(text: &str) -> Self {
        let mut head = String::new();
        let mut commands = Vec::new();
        let mut without = Vec::new();
        let mut expected: BTreeMap<String, String> = BTreeMap::new();
        let mut section: Option<&str> = None;
        for (index, line) in text.lines().enumerate() {
            match (line.starts_with("---"), section) {
                (true, _) => section = Some(line),
                (false, Some(heading)) => {
                    let trace = expected.entry(heading.to_owned()).or_default();
                    trace.push_str(line);
                    trace.push('\n');
                }
                (false, None) => {
                    head.push_str(line);
                    head.push('\n');
                    match line.strip_prefix("without ") {
                        Some(names) => without.push(Without::read(names)),
                        None => commands.extend(Command::read(index + 1, line)),
                    }
                }
            }
        }
        assert!(head.starts_with("# "), "the first line tells the story and cites the rule");
        Self { head, commands, without, expected }
    }

    pub(crate) fn expected(&self, heading: &str) -> &str {
        self.expected.get(heading).map_or("", String::as_str)
    }
}

impl Command {
    fn read(line: usize, text: &str) -> Option<Self> {
        let text = text.split(" # ").next().unwrap_or_default().trim();
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        Some(Self { line, words: text.split_whitespace().map(str::to_owned).collect() })
    }

    /// A command made by another one.
    pub(crate) fn made(line: usize, text: &str) -> Self {
        Self { line, words: text.split_whitespace().map(str::to_owned).collect() }
    }

    /// How often to do the rest of this line, and the rest.
    pub(crate) fn repeated(&self) -> (u64, Self) {
        let rest = Self { line: self.line, words: self.words[2..].to_vec() };
        (self.parse(&self.words[1]), rest)
    }

    pub(crate) fn verb(&self) -> &str {
        &self.words[0]
    }

    /// The words after the first that are no `key=value`.
    pub(crate) fn plain(&self) -> Vec<&str> {
        self.words[1..].iter().map(String::as_str).filter(|word| !word.contains('=')).collect()
    }

    /// The plain word at this place.
    pub(crate) fn word(&self, place: usize) -> &str {
        let plain = self.plain();
        plain.get(place).copied().unwrap_or_else(|| panic!("line {}: a word is missing", self.line))
    }

    pub(crate) fn number(&self, place: usize) -> u64 {
        self.word(place).parse().unwrap_or_else(|_| panic!("line {}: no number", self.line))
    }

    /// The value behind `key=`.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.pairs().find(|(found, _)| *found == key).map(|(_, value)| value)
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.words[1..].iter().filter_map(|word| word.split_once('='))
    }

    /// The value behind `key=`, or what stands for it.
    pub(crate) fn get<T: FromStr>(&self, key: &str, otherwise: T) -> T {
        match self.value(key) {
            Some(text) => self.parse(text),
            None => otherwise,
        }
    }

    pub(crate) fn parse<T: FromStr>(&self, text: &str) -> T {
        text.parse().unwrap_or_else(|_| panic!("line {}: cannot read {text}", self.line))
    }
}
