//! Findings as text.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;
use vedette_conf::Origin;

use super::findings::{Finding, Severity};

/// Width of the text beside the margin.
const TEXT_COLUMNS: usize = 78;

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Error => "\x1b[1;31m",
            Self::Warning => "\x1b[1;33m",
            Self::Note => "\x1b[1;36m",
        }
    }
}

/// For people: place and line, problem, remedy.
pub(super) fn human(file: &Path, found: &[Finding], colour: bool) -> String {
    let places: Vec<String> = found.iter().map(place).collect();
    let width = places.iter().map(|place| place.chars().count()).max().unwrap_or(0);
    let margin = " ".repeat("warning".len() + width + 4);
    let paint = |code: &str, text: &str| {
        if colour { format!("{code}{text}\x1b[0m") } else { text.to_string() }
    };
    let mut text = String::new();
    for (finding, place) in found.iter().zip(&places) {
        let label = paint(finding.severity.colour(), &format!("{:7}", finding.severity.name()));
        let start = format!("{label}  {}  ", paint("\x1b[1m", &format!("{place:width$}")));
        let line = finding.place.as_ref().map(|place| place.text.as_str());
        let mut rows: Vec<String> = line.into_iter().map(ToOwned::to_owned).collect();
        rows.extend(wrap(&finding.problem, ""));
        rows.extend(wrap(&finding.remedy, "→ ").iter().map(|row| paint("\x1b[2m", row)));
        for (index, row) in rows.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}{row}", if index == 0 { &start } else { &margin });
        }
        text.push('\n');
    }
    let verdict = verdict(found);
    let _ = writeln!(text, "{}: {verdict}", file.display());
    text
}

fn place(finding: &Finding) -> String {
    finding.place.as_ref().map_or("-".into(), |place| place.origin.place(place.number))
}

fn verdict(found: &[Finding]) -> String {
    let count = |severity| found.iter().filter(|finding| finding.severity == severity).count();
    let [errors, warnings] = [Severity::Error, Severity::Warning].map(count);
    let many = |number: usize, word: &str| {
        if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
    };
    match (errors, warnings) {
        (0, 0) => "good".into(),
        (0, _) => format!("good, with {}", many(warnings, "warning")),
        (_, 0) => format!("not good: {}", many(errors, "error")),
        (..) => format!("not good: {}, {}", many(errors, "error"), many(warnings, "warning")),
    }
}

/// Breaks a text into rows; rows after the first stand under the text, not under the mark.
fn wrap(text: &str, mark: &str) -> Vec<String> {
    let mut rows = vec![String::from(mark)];
    let indent = " ".repeat(mark.chars().count());
    for word in text.split(' ') {
        let row = rows.last_mut().map(|row| (row.chars().count(), row));
        match row {
            Some((length, row)) if length + word.chars().count() < TEXT_COLUMNS => {
                if length > indent.len() {
                    row.push(' ');
                }
                row.push_str(word);
            }
            _ => rows.push(format!("{indent}{word}")),
        }
    }
    rows
}

/// For programs.
pub(super) fn json(file: &Path, found: &[Finding]) -> String {
    let findings: Vec<_> = found
        .iter()
        .map(|finding| {
            let place = finding.place.as_ref();
            json!({
                "severity": finding.severity.name(),
                "origin": place.map(|place| match &place.origin {
                    Origin::Main => "file".to_string(),
                    Origin::Include(path) => path.display().to_string(),
                    Origin::CommandLine => "command line".to_string(),
                    Origin::StandardInput => "standard input".to_string(),
                }),
                "line": place.map(|place| place.number),
                "text": place.map(|place| place.text.as_str()),
                "problem": finding.problem,
                "remedy": finding.remedy,
            })
        })
        .collect();
    let count = |severity| found.iter().filter(|finding| finding.severity == severity).count();
    let report = json!({
        "file": file.display().to_string(),
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "findings": findings,
    });
    format!("{report:#}\n")
}
