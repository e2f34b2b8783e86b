//! Hashes of runs, the same in every build: a test compares them in debug, `sim --ci` in release.

/// Seeds and their hashes. A change of the core, of the wire or of the simulator that changes what
/// happens changes them: print the new ones with `cargo xtask sim --seeds 3 --hashes`.
pub const PINNED_HASHES: &[(u64, u64)] =
    &[(1, 0x7c05_ee56_fdc7_df73), (2, 0x2375_185c_b5f2_2e28), (3, 0xe07b_f470_64e2_f674)];
