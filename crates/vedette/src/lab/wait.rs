//! Waiting for a condition, never for a length of time.

use std::time::{Duration, Instant};

use anyhow::bail;

/// Generous for anything that a healthy group does, on a busy machine too.
pub const BOUND: Duration = Duration::from_secs(60);

/// Pause between two looks; short beside what is waited for, long beside a look.
const LOOK: Duration = Duration::from_millis(10);

/// Looks again and again until `condition` gives a value.
///
/// # Errors
///
/// It gave none within `bound`; the message names `what`.
pub fn until<T>(
    what: &str,
    bound: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> anyhow::Result<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return Ok(value);
        }
        if start.elapsed() > bound {
            bail!("waited {bound:?} in vain for {what}");
        }
        std::thread::sleep(LOOK);
    }
}
