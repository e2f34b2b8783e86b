//! The control thread's one timer: a descriptor of the system's, so that it fires together with the
//! sockets, to the microsecond, and costs nothing while it waits.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// A timer that is set again and again.
#[derive(Debug)]
pub(super) struct Timer {
    fd: AsyncFd<OwnedFd>,
    set_to: Option<Instant>,
}

impl Timer {
    /// A timer that is not set. It belongs to the present runtime.
    ///
    /// # Errors
    /// If the system gives no descriptor.
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        #[expect(deprecated, reason = "sound here: an `OwnedFd` stays the same descriptor")]
        let fd = AsyncFd::new(fd)?;
        Ok(Self { fd, set_to: None })
    }

    /// Wakes at this moment, not before; none is never.
    pub(super) fn set(&mut self, moment: Option<Instant>) {
        if self.set_to == moment {
            return;
        }
        self.set_to = moment;
        let wait = moment.map_or(Duration::ZERO, |moment| {
            // Zero would mean never.
            moment.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1))
        });
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            // A year at most, says the clock.
            it_value: wait.try_into().unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 }),
        };
        timerfd_settime(self.fd.get_ref(), TimerfdTimerFlags::empty(), &once)
            .unwrap_or_else(|error| panic!("a valid timer was refused: {error}"));
    }

    /// Sees to it that the timer wakes this task. Whether the moment has come is told by the clock.
    pub(super) fn watch(&self, cx: &mut Context<'_>) {
        while let Poll::Ready(Ok(mut fired)) = self.fd.poll_read_ready(cx) {
            fired.clear_ready();
        }
    }
}
