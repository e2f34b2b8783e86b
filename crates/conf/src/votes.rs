//! `<conf>.vedette`: what has no word in the reference's file. Today: who got the last vote of each
//! master, and when. Losing or garbling it costs a deferral, never safety (rule V8).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use vedette_core::{Epoch, MasterName, SavedVote, SentinelId, WallTime};

use crate::words;

const HEADER: &str = "# State of Vedette beside its sentinel.conf. Safe to delete.\n";

/// The text of the side file.
#[must_use]
pub fn render_votes<'a>(
    votes: impl IntoIterator<Item = (&'a MasterName, &'a SavedVote)>,
) -> Vec<u8> {
    let mut text = String::from(HEADER);
    for (master, vote) in votes {
        let name = words::quote_if_needed(master.as_bytes());
        let name = String::from_utf8_lossy(&name);
        let SavedVote { leader, epoch, at } = vote;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "vote {name} {leader} {epoch} {}", at.0);
    }
    text.into_bytes()
}

/// Reads the side file; lines that make no sense are skipped, and a last one without its end: it
/// may have been torn within a number.
#[must_use]
pub fn parse_votes(text: &[u8]) -> BTreeMap<MasterName, SavedVote> {
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.filter_map(|line| line.strip_suffix(b"\n")).filter_map(vote).collect()
}

fn vote(line: &[u8]) -> Option<(MasterName, SavedVote)> {
    let words = words::split(words::trim(line)).ok()?;
    let words: Vec<&str> =
        words.iter().map(|word| str::from_utf8(word)).collect::<Result<_, _>>().ok()?;
    let ["vote", master, leader, epoch, at] = words[..] else { return None };
    let vote = SavedVote {
        leader: SentinelId::parse(leader)?,
        epoch: Epoch::new(epoch.parse().ok()?)?,
        at: WallTime(at.parse().ok()?),
    };
    Some((master.into(), vote))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_side_file_tells_whole_votes_or_none() {
        let leader = SentinelId::from_random([7; 20]);
        let epoch = Epoch::new(3).unwrap_or_default();
        let vote = SavedVote { leader, epoch, at: WallTime(1_767_225_600_123) };
        let text = render_votes([(&"m0".into(), &vote)]);
        for length in 0..text.len() {
            assert!(parse_votes(&text[..length]).is_empty(), "{length}");
        }
        assert_eq!(parse_votes(&text).len(), 1);
    }
}
