//! `SENTINEL SIMULATE-FAILURE` (spec: interface 2.18).

use bytes::Bytes;
use vedette_core::{Request, SimulatedFailures};

use crate::reply::{Reply, error, word};

const AFTER_ELECTION: &str = "crash-after-election";
const AFTER_PROMOTION: &str = "crash-after-promotion";

/// The flags to arm, all others being cleared, and the reply once they are armed. `help` ends the
/// list, and so does an unknown word: the flags before it are armed, as by the references.
#[must_use]
pub fn parse(words: &[Bytes]) -> (Request, Reply) {
    let mut flags = SimulatedFailures::default();
    for name in words {
        if name.eq_ignore_ascii_case(AFTER_ELECTION.as_bytes()) {
            flags.after_election = true;
        } else if name.eq_ignore_ascii_case(AFTER_PROMOTION.as_bytes()) {
            flags.after_promotion = true;
        } else if name.eq_ignore_ascii_case(b"help") {
            let names = vec![word(AFTER_ELECTION), word(AFTER_PROMOTION)];
            return (Request::SimulateFailure(flags), Reply::Array(names));
        } else {
            let complaint = error("ERR Unknown failure simulation specified");
            return (Request::SimulateFailure(flags), complaint);
        }
    }
    (Request::SimulateFailure(flags), Reply::OK)
}
