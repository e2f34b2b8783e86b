//! Lists of commands: a line each, some of them marked because the answers must differ.

use vedette_wire::Dialect;

/// A line of a list.
pub(super) struct Case {
    /// The steps on one connection, parted by ` ;; `.
    pub(super) line: String,
    /// Why the answers differ, if they must.
    pub(super) differs: Option<String>,
}

impl Case {
    /// `! [R:|V:]<reason>, … | <command>`: it differs, from both references or from one.
    pub(super) fn parse(line: &str, dialect: Dialect) -> Self {
        let Some((reasons, line)) = line.strip_prefix("! ").and_then(|it| it.split_once(" | "))
        else {
            return Self { line: line.to_owned(), differs: None };
        };
        let ours = match dialect {
            Dialect::Redis => "V:",
            Dialect::Valkey => "R:",
        };
        let binding = reasons.split(", ").filter(|reason| !reason.starts_with(ours));
        let binding: Vec<&str> = binding.collect();
        let differs = (!binding.is_empty()).then(|| binding.join(", "));
        Self { line: line.to_owned(), differs }
    }

    /// The line as it is, and once more in RESP3 unless it speaks of the protocol itself.
    pub(super) fn forms(&self) -> Vec<String> {
        let is_about_protocol =
            self.line.starts_with("HELLO") || self.line.contains("CLIENT REPLY");
        let mut forms = vec![self.line.clone()];
        if !is_about_protocol {
            forms.push(format!("HELLO 3 ;; {}", self.line));
        }
        forms
    }
}

/// The lines of a list that are no comments.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}
