//! Answers as lines that can be compared.

use std::collections::BTreeSet;

use vedette_resp::Frame;

/// An answer to `step`, an element a line. Sentences that are our own (`COMPAT.md`: sentences)
/// are left out, and entries of a listing, which the reference gives in any order
/// (spec: holes H41), are sorted.
pub(super) fn spell(step: &str, frame: &Frame, lines: &mut Vec<String>) {
    if frame.is_error() {
        return spell_whole(frame, lines);
    }
    if step.starts_with("COMMAND DOCS") {
        spell_documents(frame, lines);
    } else if step.ends_with(" HELP") {
        spell_help(frame, lines);
    } else {
        spell_whole(frame, lines);
    }
}

fn spell_whole(frame: &Frame, lines: &mut Vec<String>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut list = |sigil: char, items: &[Frame]| {
        lines.push(format!("{sigil}{}", items.len()));
        spell_items(items, lines);
    };
    match frame {
        Frame::Simple(bytes) => lines.push(format!("+{}", text(bytes))),
        Frame::Error(bytes) => lines.push(format!("-{}", text(bytes))),
        Frame::Integer(number) => lines.push(format!(":{number}")),
        Frame::Bulk(bytes) => lines.push(format!("${}", text(bytes))),
        Frame::Null => lines.push("null".to_owned()),
        Frame::NullArray => lines.push("null array".to_owned()),
        Frame::Array(items) => list('*', items),
        Frame::Set(items) => list('~', items),
        Frame::Push(items) => list('>', items),
        Frame::Map(pairs) => {
            lines.push(format!("%{}", pairs.len()));
            for (key, value) in pairs {
                spell_whole(key, lines);
                spell_whole(value, lines);
            }
        }
        Frame::Double(bytes) => lines.push(format!(",{}", text(bytes))),
        Frame::Boolean(flag) => lines.push(format!("#{flag}")),
        Frame::Verbatim(verbatim) => lines.push(format!("={}", text(&verbatim.text))),
        Frame::BigNumber(bytes) => lines.push(format!("({}", text(bytes))),
        Frame::BlobError(bytes) => lines.push(format!("!{}", text(bytes))),
    }
}

fn spell_items(items: &[Frame], lines: &mut Vec<String>) {
    let spelled = |item| {
        let mut lines = Vec::new();
        spell_whole(item, &mut lines);
        lines
    };
    let mut items: Vec<Vec<String>> = items.iter().map(spelled).collect();
    let is_entry = |item: &Vec<String>| item.get(1).is_some_and(|first| first == "$name");
    if items.iter().all(is_entry) {
        items.sort_by(|one, other| one.get(2).cmp(&other.get(2)));
    }
    lines.extend(items.concat());
}

/// A map, or the flat array that stands for it in RESP2.
fn pairs(frame: &Frame) -> Vec<(&Frame, &Frame)> {
    if let Frame::Map(pairs) = frame {
        return pairs.iter().map(|(key, value)| (key, value)).collect();
    }
    let items = frame.items().unwrap_or_default();
    items.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect()
}

/// The commands that are documented, in alphabetical order, with the facts about each.
fn spell_documents(frame: &Frame, lines: &mut Vec<String>) {
    let mut documents: Vec<Vec<String>> = Vec::new();
    for (name, document) in pairs(frame) {
        let mut spelled = Vec::new();
        spell_whole(name, &mut spelled);
        for (field, value) in pairs(document) {
            match field.text().map(AsRef::as_ref) {
                Some(b"group" | b"since") => spell_whole(value, &mut spelled),
                Some(b"subcommands") => spell_documents(value, &mut spelled),
                _ => {}
            }
        }
        documents.push(spelled);
    }
    documents.sort();
    lines.push(format!("{} documents", documents.len()));
    lines.extend(documents.concat());
}

/// The first line, and the names of the commands in alphabetical order.
fn spell_help(frame: &Frame, lines: &mut Vec<String>) {
    let mut whole = Vec::new();
    spell_whole(frame, &mut whole);
    lines.extend(whole.get(1).cloned());
    let is_name = |line: &&String| !line.starts_with("+ ");
    let name = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
    let names: BTreeSet<String> = whole.iter().skip(2).filter(is_name).map(name).collect();
    lines.extend(names);
}
