//! Hashes of runs, the same in every build: a test compares them in debug, `sim --ci` in release.

/// Seeds and their hashes. A change of the core, of the wire or of the simulator that changes what
/// happens changes them: print the new ones with `cargo xtask sim --seeds 3 --hashes`.
pub const PINNED_HASHES: &[(u64, u64)] =
    &[(1, 0xa4b9_b1b5_f9e0_7e0f), (2, 0xa6f4_dd6c_42e3_40f0), (3, 0x4ee9_88a2_24d9_6c53)];
