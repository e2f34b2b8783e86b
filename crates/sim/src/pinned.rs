//! Hashes of runs, the same in every build: a test compares them in debug, `sim --ci` in release.

/// Seeds and their hashes. A change of the core, of the wire or of the simulator that changes what
/// happens changes them: print the new ones with `cargo xtask sim --seeds 3 --hashes`.
pub const PINNED_HASHES: &[(u64, u64)] =
    &[(1, 0xe4fb_0e64_6341_341b), (2, 0x7ed8_017a_bb86_00ff), (3, 0x527c_0633_2177_97c4)];
