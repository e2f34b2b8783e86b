//! A run as a sequence chart in text: one column for each Sentinel, one line for each thing said.

use std::fmt::Write as _;

use crate::trace::{TraceLine, VOTE_ASKED};

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
    let text = line.text.as_str();
    let noise = ["-> ", "-cmd-link", "-pubsub-link"];
    let is_event = ["+", "-", "started", "ended"].iter().any(|start| text.starts_with(start))
        && !noise.iter().any(|start| text.starts_with(start));
    let is_vote = text.contains(" a vote for ") || text.contains(VOTE_ASKED);
    let is_order = text.starts_with("-> ") && text.contains(" SLAVEOF ");
    line.sentinel.is_none() || is_event || is_vote || is_order
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

    #[test]
    fn votes_and_orders_are_decisions_and_opinions_are_not() {
        let line = |text: &str| TraceLine {
            at_ms: 0,
            sentinel: Some(crate::SentinelIndex(0)),
            text: text.to_owned(),
        };
        for text in [
            "+sdown master m0 10.1.0.1 6379",
            "-> 10.1.0.2:6379 SLAVEOF NO ONE",
            "-> 10.0.0.2:26379 is 10.1.0.1:6379 down? epoch 3, a vote for 00?",
            "<- Sentinel 1: 10.1.0.1:6379 is down, epoch 3 (a vote was asked at 3)",
        ] {
            assert!(is_decision(&line(text)), "{text}");
        }
        for text in [
            "-> 10.0.0.2:26379 is 10.1.0.1:6379 down? epoch 3",
            "<- Sentinel 1: 10.1.0.1:6379 is down, epoch 3 (asked at 3)",
            "-> connects ConnId(3) 10.1.0.1:6379",
        ] {
            assert!(!is_decision(&line(text)), "{text}");
        }
        let names = ["m1".to_owned(), "10.1.1.1".to_owned()];
        assert!(line("-> 10.1.1.1:6379 SLAVEOF NO ONE").names(&names));
        assert!(!line("+sdown master m10 10.1.1.10 6379").names(&names));
    }
}
