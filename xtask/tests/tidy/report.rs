//! How a rule complains.

use std::fmt::Display;

/// One place that breaks a rule.
#[derive(Debug)]
pub(crate) struct Violation {
    /// `file` or `file:line`.
    pub(crate) place: String,
    /// What is wrong there.
    pub(crate) what: String,
}

impl Violation {
    /// A violation on a line of a file.
    pub(crate) fn at(path: &str, line: usize, what: impl Display) -> Self {
        Self { place: format!("{path}:{line}"), what: what.to_string() }
    }

    /// A violation of a whole file.
    pub(crate) fn of(path: &str, what: impl Display) -> Self {
        Self { place: path.to_owned(), what: what.to_string() }
    }
}

/// Fails with every violation and what to do about them.
#[track_caller]
pub(crate) fn expect_none(remedy: &str, violations: &[Violation]) {
    let list: String = violations.iter().map(|v| format!("\n  {}: {}", v.place, v.what)).collect();
    assert!(violations.is_empty(), "{} violation(s):{list}\nremedy: {remedy}", violations.len());
}
