//! The system's allocator, told to keep one heap for all threads.

/// By default each thread gets a heap of its own, and one that is not the first is given back to
/// the system and taken again many times a second: a seventh of what a Sentinel of 500 masters
/// costs. Our threads allocate little at the same time.
///
/// To be called before there is another thread. Other allocators than glibc's are left alone.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a parameter of the C library, which has no other way to it")]
pub(crate) fn keep_one() {
    // SAFETY: sets a number of the allocator's own; no memory of ours is touched. A refusal changes
    // nothing and is no harm.
    let _best_effort = unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

/// Other allocators than glibc's are left alone.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn keep_one() {}
