//! Answers as lines that can be compared.

use vedette_resp::Frame;

/// An answer, an element a line.
pub(super) fn spell(frame: &Frame, lines: &mut Vec<String>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut list = |sigil: char, len: usize| lines.push(format!("{sigil}{len}"));
    match frame {
        Frame::Simple(bytes) => lines.push(format!("+{}", text(bytes))),
        Frame::Error(bytes) => lines.push(format!("-{}", text(bytes))),
        Frame::Integer(number) => lines.push(format!(":{number}")),
        Frame::Bulk(bytes) => lines.push(format!("${}", text(bytes))),
        Frame::Null => lines.push("null".to_owned()),
        Frame::NullArray => lines.push("null array".to_owned()),
        Frame::Array(items) => {
            list('*', items.len());
            items.iter().for_each(|item| spell(item, lines));
        }
        Frame::Set(items) => {
            list('~', items.len());
            items.iter().for_each(|item| spell(item, lines));
        }
        Frame::Push(items) => {
            list('>', items.len());
            items.iter().for_each(|item| spell(item, lines));
        }
        Frame::Map(pairs) => {
            list('%', pairs.len());
            for (key, value) in pairs {
                spell(key, lines);
                spell(value, lines);
            }
        }
        Frame::Double(bytes) => lines.push(format!(",{}", text(bytes))),
        Frame::Boolean(flag) => lines.push(format!("#{flag}")),
        Frame::Verbatim(verbatim) => lines.push(format!("={}", text(&verbatim.text))),
        Frame::BigNumber(bytes) => lines.push(format!("({}", text(bytes))),
        Frame::BlobError(bytes) => lines.push(format!("!{}", text(bytes))),
    }
}

/// Fields whose value every run changes.
const VOLATILE: &[&str] = &[
    "$version",
    "$id",
    "$last-ping-sent",
    "$last-ok-ping-reply",
    "$last-ping-reply",
    "$link-pending-commands",
    "$info-refresh",
    "$role-reported-time",
    "$last-hello-message",
    "$slave-repl-offset",
];

/// Hides what every run changes.
pub(super) struct Mask {
    ports: [String; 2],
}

impl Mask {
    pub(super) fn new(ports: [u16; 2]) -> Self {
        Self { ports: ports.map(|port| port.to_string()) }
    }

    /// The lines of an answer to `step` without what every run changes.
    pub(super) fn apply(&self, step: &str, lines: Vec<String>) -> Vec<String> {
        let mut masked = Vec::new();
        let mut hides_next = false;
        for line in lines {
            let plain = self.mask_line(&line);
            masked.push(if hides_next { "…".to_owned() } else { plain });
            hides_next = VOLATILE.contains(&line.as_str());
        }
        if step.starts_with("COMMAND LIST")
            || step.starts_with("ACL CAT ")
            || step == "COMMAND"
            || step.starts_with("COMMAND INFO")
        {
            // The reference's order is that of a hash table (spec: holes H41).
            masked.sort();
        }
        if step.starts_with("INFO") {
            masked = masked.iter().flat_map(|line| info_fields(line)).collect();
        }
        masked
    }

    fn mask_line(&self, line: &str) -> String {
        let mut masked = line.to_owned();
        for port in &self.ports {
            masked = masked.replace(port.as_str(), "PORT");
        }
        let is_id = |word: &str| word.len() == 40 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let words = masked.split(' ').map(|word| {
            let bare = word.trim_start_matches(['$', '+', ':']);
            if is_id(bare) { word.replace(bare, "ID") } else { word.to_owned() }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Fields of INFO that only we have in one dialect or in both (`COMPAT.md`).
const OURS: &[&str] = &["vedette_version", "redis_mode"];

/// The names of the fields of INFO: their values are this process's own.
fn info_fields(text: &str) -> Vec<String> {
    let name = |line: &str| line.split(':').next().unwrap_or_default().trim_end().to_owned();
    text.lines().map(name).filter(|name| !OURS.contains(&&name[..])).collect()
}
