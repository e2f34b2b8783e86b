//! What every run changes, hidden; and what can be named, named.

/// Fields with a number that every run changes.
const NUMBERS: &[&str] = &[
    "$last-ping-sent",
    "$last-ok-ping-reply",
    "$last-ping-reply",
    "$link-pending-commands",
    "$info-refresh",
    "$role-reported-time",
    "$last-hello-message",
    "$slave-repl-offset",
    "$s-down-time",
    "$o-down-time",
    "$master-link-down-time",
    "$pid",
    "$run-time",
    "$run-delay",
];

/// Fields of HELLO whose value is the program's own.
const OWN: &[&str] = &["$version", "$id"];

/// Fields of a client that are the same for both.
const OF_CLIENTS: &[&str] = &[
    "name", "flags", "db", "sub", "psub", "ssub", "multi", "watch", "events", "cmd", "user",
    "redir", "resp", "lib-name", "lib-ver",
];

/// Fields of INFO that only we have in one dialect or in both (`COMPAT.md`).
const OURS: &[&str] = &["vedette_version", "redis_mode"];

/// What has a name of its own, seen by one Sentinel: its own port is not its peer's.
pub(super) struct Mask {
    names: Vec<(String, &'static str)>,
}

impl Mask {
    pub(super) fn new(names: &[(String, &'static str)]) -> Self {
        Self { names: names.to_vec() }
    }

    /// The lines of an answer to `step` without what every run changes.
    pub(super) fn apply(&self, step: &str, lines: Vec<String>) -> Vec<String> {
        let mut masked: Vec<String> = Vec::new();
        let mut last = String::new();
        for line in lines {
            masked.push(match last.as_str() {
                field if NUMBERS.contains(&field) => number(&line),
                field if OWN.contains(&field) => "…".to_owned(),
                _ => self.named(&line),
            });
            last = line;
        }
        let starts = |words: &[&str]| words.iter().any(|word| step.starts_with(word));
        if step == "COMMAND" || starts(&["COMMAND LIST", "ACL CAT ", "COMMAND INFO"]) {
            // The reference's order is that of a hash table (spec: holes H41).
            masked.sort();
        }
        if step == "ROLE" {
            masked.sort();
        }
        if starts(&["INFO"]) {
            masked = masked.iter().flat_map(|line| info_fields(line)).collect();
        }
        if starts(&["SENTINEL INFO-CACHE"]) {
            masked = masked.iter().flat_map(|line| cached(line)).collect();
        }
        if starts(&["CLIENT LIST", "CLIENT INFO"]) {
            masked = masked.iter().flat_map(|line| clients(line)).collect();
        }
        masked
    }

    fn named(&self, line: &str) -> String {
        let mut masked = line.to_owned();
        for (text, name) in &self.names {
            masked = masked.replace(text.as_str(), name);
        }
        masked
    }
}

fn number(line: &str) -> String {
    let Some((sigil, digits)) = line.split_at_checked(1) else { return line.to_owned() };
    // The reference miscounts what is pending on a link that was lost: -1.
    match digits.parse::<i64>() {
        Ok(_) => format!("{sigil}N"),
        Err(_) => line.to_owned(),
    }
}

/// The names of the fields of INFO, whose values are this process's own; the section about masters
/// whole, with the masters in order of their names.
fn info_fields(text: &str) -> Vec<String> {
    let mut is_about_masters = false;
    let mut fields = Vec::new();
    let mut masters = Vec::new();
    for line in text.lines() {
        if line.trim_start_matches('$').starts_with("# ") {
            is_about_masters = line.ends_with("# Sentinel");
        }
        let name = line.split(':').next().unwrap_or_default().trim_end();
        let number = name.strip_prefix("master").and_then(|number| number.parse::<usize>().ok());
        if let Some(number) = number.filter(|_| is_about_masters) {
            assert_eq!(number, masters.len(), "{text}");
            masters.push(line.trim_start_matches(name).to_owned());
        } else if !OURS.contains(&name) {
            fields.push(if is_about_masters { line.to_owned() } else { name.to_owned() });
        }
    }
    masters.sort();
    fields.extend(masters);
    fields
}

/// What a node said of itself: the age of it, and which fields it had.
fn cached(line: &str) -> Vec<String> {
    match line.starts_with(':') {
        true => vec![number(line)],
        false => info_fields(line),
    }
}

/// The fields of each client, in any order of the clients.
fn clients(text: &str) -> Vec<String> {
    if !text.contains("laddr=") {
        return vec![text.to_owned()];
    }
    let field = |field: &str| {
        let (name, value) = field.split_once('=').unwrap_or((field, "no value"));
        match OF_CLIENTS.contains(&name) {
            true => format!("{name}={value}"),
            false => name.to_owned(),
        }
    };
    let of_line = |line: &str| line.split(' ').map(field).collect::<Vec<_>>().join(" ");
    let mut lines: Vec<String> = text.lines().map(of_line).collect();
    lines.sort();
    lines
}
