//! The node's generator of identities, from a seed.

/// SplitMix64: small, and good enough for ids that must only differ.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Forty hexadecimal digits: a run id or a replication id.
    pub(crate) fn id(&mut self) -> String {
        let [a, b, c] = [self.next(), self.next(), self.next()];
        format!("{a:016x}{b:016x}{:08x}", c >> 32)
    }
}
