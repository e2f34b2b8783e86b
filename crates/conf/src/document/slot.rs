//! What a line is about, as far as rewriting is concerned.

use vedette_core::MasterName;

use crate::directives::{Group, SentinelDirective};
use crate::words;

/// What a line is about. Lines of one slot are each other's replacements.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Slot {
    /// A comment, an empty line: kept for ever.
    Text,
    /// Not readable: quotes that do not match.
    Broken,
    /// A general directive, in lower case.
    General(Box<str>),
    /// A `sentinel` directive of the process.
    Process(SentinelDirective),
    /// A `sentinel` directive of one master.
    Master(MasterName, SentinelDirective),
    /// A `sentinel` line that no reference knows.
    Stray,
}

impl Slot {
    pub(crate) fn of(line: &[u8]) -> Self {
        let line = words::trim(line);
        if line.is_empty() || line.starts_with(b"#") {
            return Self::Text;
        }
        let Ok(words) = words::split(line) else { return Self::Broken };
        match &words[..] {
            [] => Self::Text,
            [first, rest @ ..] if first.eq_ignore_ascii_case(b"sentinel") => Self::sentinel(rest),
            [first, ..] => match str::from_utf8(first) {
                Ok(name) => Self::General(name.to_ascii_lowercase().into()),
                Err(_) => Self::Broken,
            },
        }
    }

    fn sentinel(words: &[Vec<u8>]) -> Self {
        let Some((name, values)) = words.split_first() else { return Self::Text };
        let Some(directive) = SentinelDirective::find(name) else { return Self::Stray };
        if !directive.takes(values.len()) {
            return Self::Stray;
        }
        match directive.group() {
            Group::Process => Self::Process(directive),
            Group::Monitor | Group::Master => match str::from_utf8(&values[0]) {
                Ok(master) => Self::Master(master.into(), directive),
                Err(_) => Self::Stray,
            },
        }
    }

    /// Whether lines of this slot can be rewritten.
    pub(crate) fn is_managed(&self) -> bool {
        match self {
            Self::Text => false,
            Self::Broken | Self::General(_) | Self::Process(_) | Self::Master(..) | Self::Stray => {
                true
            }
        }
    }
}
