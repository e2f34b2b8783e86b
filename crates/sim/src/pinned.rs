//! Hashes of runs, the same in every build: a test compares them in debug, `sim --ci` in release.

/// Seeds and their hashes. A change of the core, of the wire or of the simulator that changes what
/// happens changes them: print the new ones with `cargo xtask sim --seeds 3 --hashes`.
pub const PINNED_HASHES: &[(u64, u64)] =
    &[(1, 0xa428_5c16_93b9_3b3a), (2, 0x4e37_3d19_681e_54a2), (3, 0x4e5f_b57a_f6d7_2e97)];
