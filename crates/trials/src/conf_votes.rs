//! The side file: no text panics, and votes that are written read back.
//!
//! Input: the text of the file; the same bytes as a tape are votes.

use std::collections::BTreeMap;

use vedette_conf::{parse_votes, render_votes};
use vedette_core::{MasterName, SavedVote, WallTime};

use crate::{Tape, shown};

/// The trial.
pub fn run(data: &[u8]) {
    let found = parse_votes(data);
    assert!(found.len() <= data.split(|byte| *byte == b'\n').count());
    reads_back(&found);

    let mut tape = Tape::new(data);
    let mut votes = BTreeMap::new();
    while !tape.is_over() {
        let vote =
            SavedVote { leader: tape.id(), epoch: tape.epoch(), at: WallTime(tape.number()) };
        votes.insert(tape.text().into(), vote);
    }
    reads_back(&votes);
}

fn reads_back(votes: &BTreeMap<MasterName, SavedVote>) {
    let text = render_votes(votes);
    assert_eq!(parse_votes(&text), *votes, "{}", shown(&text));
}
