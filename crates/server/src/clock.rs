//! The process's clock, and the heartbeat of the control thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vedette_core::{Now, Span, Time, WallTime};

/// Tells the time in the core's terms: milliseconds since the process started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// The present.
    pub(crate) fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { mono: self.time(), wall: WallTime(whole_ms(wall)) }
    }

    /// The present on the monotonic clock.
    pub(crate) fn time(&self) -> Time {
        Time(whole_ms(self.start.elapsed()))
    }

    /// The first instant at which [`Clock::time`] is `time`.
    pub(crate) fn instant(&self, time: Time) -> Instant {
        // A moment centuries away may not be an `Instant`; a year is as good as never.
        const YEAR: Duration = Duration::from_secs(366 * 86400);
        let after = Duration::from_millis(time.0);
        self.start.checked_add(after).unwrap_or_else(|| self.start + YEAR)
    }
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The sign of life of the control thread (spec: DESIGN 1, "The shell").
///
/// It holds the moment by which the thread will give a sign at the latest: the core's deadline
/// while it waits, the present while it works or has letters. A thread that has nothing to do may
/// wait for ever and is still alive.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    due: AtomicU64,
    somebody_waits: AtomicBool,
}

impl Heartbeat {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { due: AtomicU64::new(u64::MAX), somebody_waits: AtomicBool::new(false) })
    }

    /// The control thread gives a sign and announces the next one. True if client threads wait for
    /// this sign: they must be woken.
    pub(crate) fn beat(&self, next: Option<Time>) -> bool {
        self.due.store(next.map_or(u64::MAX, |time| time.0), Ordering::SeqCst);
        self.somebody_waits.swap(false, Ordering::SeqCst)
    }

    /// The control thread was given work: a sign is due.
    pub(crate) fn owe(&self, now: Time) {
        self.due.fetch_min(now.0, Ordering::SeqCst);
    }

    /// Whether the sign is overdue by more than `trigger`. If so, the caller is woken by the next
    /// sign.
    pub(crate) fn is_overdue(&self, now: Time, trigger: Span) -> bool {
        let overdue = || now.since(Time(self.due.load(Ordering::SeqCst))) > trigger;
        if !overdue() {
            return false;
        }
        self.somebody_waits.store(true, Ordering::SeqCst);
        // A sign that came between the look and the note would wake nobody: look again.
        overdue()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIGGER: Span = Span(2000);

    #[test]
    fn a_waiting_thread_is_alive_until_its_deadline_has_passed() {
        let heart = Heartbeat::new();
        heart.beat(None);
        assert!(!heart.is_overdue(Time(1_000_000), TRIGGER));
        heart.beat(Some(Time(5000)));
        assert!(!heart.is_overdue(Time(7000), TRIGGER));
        assert!(heart.is_overdue(Time(7001), TRIGGER));
        assert!(heart.beat(None), "who saw it overdue is woken");
        assert!(!heart.beat(None));
    }

    #[test]
    fn work_makes_a_sign_due() {
        let heart = Heartbeat::new();
        heart.owe(Time(100));
        heart.owe(Time(2000));
        assert!(heart.is_overdue(Time(2101), TRIGGER));
    }
}
