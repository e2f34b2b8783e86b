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

/// Ids make lines long: a Sentinel is shown by its number, which its id ends with. Whose replica a
/// node is, is said in full only where it changes.
fn shortened(text: &str) -> String {
    let text = text.split_once(" @ ").map_or_else(
        || text.to_owned(),
        |(what, master)| format!("{what} @ {}", master.split(' ').next().unwrap_or_default()),
    );
    let word = |word: &str| {
        let id = word.trim_end_matches(|end: char| !end.is_ascii_hexdigit());
        let is_id = id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        match id.get(38..).and_then(|number| u8::from_str_radix(number, 16).ok()) {
            Some(number) if is_id => format!("S{number}{}", &word[40..]),
            Some(_) | None => word.to_owned(),
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentinels_are_numbers_and_tails_are_short() {
        let id = crate::address::sentinel_id(1, 3);
        let line = format!("+sentinel sentinel {id} 10.0.0.4 26379 @ m0 10.1.0.1 6379");
        assert_eq!(shortened(&line), "+sentinel sentinel S3 10.0.0.4 26379 @ m0");
        assert_eq!(shortened(&format!("a vote for {id}?")), "a vote for S3?");
    }
}
