//! A run as a sequence chart in text: one column for each Sentinel, one line for each thing said.

use std::fmt::Write as _;

use crate::trace::TraceLine;

/// Width of a column.
const COLUMN: usize = 30;

/// Draws the lines that tell what was decided: events, votes, orders to nodes and incidents.
#[must_use]
pub fn chart(lines: &[TraceLine], sentinels: usize, wanted: impl Fn(&TraceLine) -> bool) -> String {
    let mut text = format!("{:>7} ", "ms");
    for index in 0..sentinels {
        // Writing to a string cannot fail.
        let _ = write!(text, "|{:<COLUMN$}", format!(" S{index}"));
    }
    text.push('\n');
    for line in lines.iter().filter(|line| is_decision(line) && wanted(line)) {
        let Some(sentinel) = line.sentinel else {
            let _ = writeln!(
                text,
                "{:>7} {:=<width$}",
                line.at_ms,
                format!("{} ", line.text),
                width = sentinels * (COLUMN + 1)
            );
            continue;
        };
        let _ = write!(text, "{:>7} ", line.at_ms);
        text.push_str(&format!("|{:COLUMN$}", "").repeat(sentinel.0));
        let _ = writeln!(text, "| {}", shortened(&line.text));
    }
    text
}

fn is_decision(line: &TraceLine) -> bool {
    let said = ["+", "-", "<- Sentinel", "-> ConnId", "started", "ended"];
    let noise = ["-> disk", "-> connects", "-> closes", "-cmd-link", "-pubsub-link"];
    line.sentinel.is_none()
        || (said.iter().any(|start| line.text.starts_with(start))
            && !noise.iter().any(|start| line.text.starts_with(start)))
}

/// Ids and structure make lines long; eight characters of an id tell it apart.
fn shortened(text: &str) -> String {
    let word = |word: &str| match word.trim_end_matches([',', '}', ')']).len() {
        40.. if word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b",})".contains(&byte)) => {
            format!("{}…{}", &word[..8], &word[word.len().min(38)..word.len().min(40)])
        }
        _ => word.to_owned(),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
