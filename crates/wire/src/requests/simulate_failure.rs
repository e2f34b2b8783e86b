//! `SENTINEL SIMULATE-FAILURE` (spec: interface 2.18).

use bytes::Bytes;
use vedette_core::{Request, SimulatedFailures};

use crate::reply::{Reply, error, word};

const AFTER_ELECTION: &str = "crash-after-election";
const AFTER_PROMOTION: &str = "crash-after-promotion";

/// The flags to arm, and the reply once they are armed. `help` ends the list: the flags before it
/// are armed, and the reply names the flags that exist.
///
/// # Errors
/// An unknown word; then nothing changes.
pub fn parse(words: &[Bytes]) -> Result<(Request, Reply), Reply> {
    let mut flags = SimulatedFailures::default();
    for name in words {
        if name.eq_ignore_ascii_case(AFTER_ELECTION.as_bytes()) {
            flags.after_election = true;
        } else if name.eq_ignore_ascii_case(AFTER_PROMOTION.as_bytes()) {
            flags.after_promotion = true;
        } else if name.eq_ignore_ascii_case(b"help") {
            let names = vec![word(AFTER_ELECTION), word(AFTER_PROMOTION)];
            return Ok((Request::SimulateFailure(flags), Reply::Array(names)));
        } else {
            return Err(error("ERR Unknown failure simulation specified"));
        }
    }
    Ok((Request::SimulateFailure(flags), Reply::OK))
}
