//! Hashes of runs, the same in every build: a test compares them in debug, `sim --ci` in release.

/// Seeds and their hashes. A change of the core, of the wire or of the simulator that changes what
/// happens changes them: print the new ones with `cargo xtask sim --seeds 3 --hashes`.
pub const PINNED_HASHES: &[(u64, u64)] =
    &[(1, 0xf6cd_bf9e_04b0_f18e), (2, 0x6a58_4753_ac11_61f2), (3, 0xe07b_f470_64e2_f674)];
