//! Hashes of runs, the same in every build: a test compares them in debug, `sim --ci` in release.

/// Seeds and their hashes. A change of the core, of the wire or of the simulator that changes what
/// happens changes them: print the new ones with `cargo xtask sim --seeds 3 --hashes`.
pub const PINNED_HASHES: &[(u64, u64)] =
    &[(1, 0x1b16_de73_ba1c_00f6), (2, 0xac8a_3e76_fb42_13c7), (3, 0x7503_b9e0_ac68_48d0)];
