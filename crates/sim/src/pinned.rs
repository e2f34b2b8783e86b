//! Hashes of runs, the same in every build: a test compares them in debug, `sim --ci` in release.

/// Seeds and their hashes. A change of the core, of the wire or of the simulator that changes what
/// happens changes them: print the new ones with `cargo xtask sim --seeds 3 --hashes`.
pub const PINNED_HASHES: &[(u64, u64)] =
    &[(1, 0x272a_caaf_b31b_097e), (2, 0x8960_62f8_602a_4fbb), (3, 0x4ee9_88a2_24d9_6c53)];
