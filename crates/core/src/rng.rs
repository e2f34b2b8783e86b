//! The core's own seeded generator: the same seed gives the same run.

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::time::Span;

/// SplitMix64: small, well distributed, and its whole state is one number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A span from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: Span, high: Span) -> Span {
        let width = high.0.saturating_sub(low.0).saturating_add(1);
        low + Span(self.next() % width)
    }

    /// What the reference adds to its waits, so that candidates do not march in step for ever.
    pub(crate) fn desync(&mut self) -> Span {
        self.between(Span::ZERO, limits::DESYNC)
    }

    /// `span` give or take a fifth, so that retries do not march in step (rule E1).
    pub(crate) fn about(&mut self, span: Span) -> Span {
        self.between(span - span / 5, span + span / 5)
    }
}
