//! Hashes of runs, the same in every build: a test compares them in debug, `sim --ci` in release.

/// Seeds and their hashes. A change of the core, of the wire or of the simulator that changes what
/// happens changes them: print the new ones with `cargo xtask sim --seeds 3 --hashes`.
pub const PINNED_HASHES: &[(u64, u64)] =
    &[(1, 0x6b65_879a_fe43_25a2), (2, 0xddce_7d6c_6612_a855), (3, 0x77bb_d1ff_7564_493f)];
