//! Random bytes from the system, for ids and passwords.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

/// Fills `bytes`. Linux gives up to 256 bytes whole once its generator is seeded, which a system
/// that runs daemons has done.
pub(crate) fn fill(bytes: &mut [u8]) {
    let mut done = 0;
    while done < bytes.len() {
        match getrandom(&mut bytes[done..], GetRandomFlags::empty()) {
            Ok(more) => done += more,
            Err(Errno::INTR) => {}
            Err(error) => panic!("the system gives no random bytes: {error}"),
        }
    }
}

/// A random number, as the core's seed.
pub(crate) fn number() -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}

/// Twenty random bytes, as hexadecimal text an id.
pub(crate) fn id_bytes() -> [u8; 20] {
    let mut bytes = [0; 20];
    fill(&mut bytes);
    bytes
}
