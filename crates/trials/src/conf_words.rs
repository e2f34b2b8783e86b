//! Words and quotes: any line is split as a client's line is, and any words that are quoted read
//! back, also for the reference.
//!
//! Input: a line; the same bytes as a tape are words.

use vedette_conf::words;
use vedette_resp::split_words;

use crate::{Tape, shown};

/// The trial.
pub fn run(data: &[u8]) {
    splits_as_the_protocol_does(data);
    let mut tape = Tape::new(data);
    let mut list = Vec::new();
    while !tape.is_over() {
        list.push(tape.chunk().to_vec());
    }
    reads_back(&list);
}

/// The reference has one splitter for both. A NUL byte ends a client's line and no line of a file.
fn splits_as_the_protocol_does(line: &[u8]) {
    if line.contains(&0) {
        let _ = words::split(line);
        return;
    }
    let ours = words::split(line).ok();
    let theirs = split_words(line).ok();
    let theirs = theirs.map(|words| words.iter().map(|word| word.to_vec()).collect::<Vec<_>>());
    assert_eq!(ours, theirs, "{}", shown(line));
}

fn reads_back(list: &[Vec<u8>]) {
    for quote in [words::quote, words::quote_if_needed] {
        let line = list.iter().map(|word| quote(word)).collect::<Vec<_>>().join(&b' ');
        assert!(!line.iter().any(u8::is_ascii_control), "{}", shown(&line));
        assert_eq!(words::split(words::trim(&line)).as_deref(), Ok(list), "{}", shown(&line));
        let theirs = split_words(&line).expect("balanced quotes");
        assert_eq!(theirs, list, "{}", shown(&line));
    }
}
