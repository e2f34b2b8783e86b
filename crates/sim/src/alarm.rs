//! The timer of a process: which moments stand on the agenda for it.

/// A deadline that came nearer leaves the moment from before on the agenda, which then asks for
/// the deadline once more. No moment is put there twice: each would ask for ever.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    next_ms: Option<u64>,
    /// All that are still to come; few.
    pending_ms: Vec<u64>,
}

impl Alarm {
    /// Wants a moment. True if the agenda must be told: nothing comes before it, and it is not
    /// there yet.
    #[must_use]
    pub(crate) fn set(&mut self, at_ms: u64) -> bool {
        if self.next_ms.is_some_and(|next_ms| next_ms <= at_ms) {
            return false;
        }
        self.next_ms = Some(at_ms);
        let is_new = !self.pending_ms.contains(&at_ms);
        if is_new {
            self.pending_ms.push(at_ms);
        }
        is_new
    }

    /// A moment has come, and nobody hears it.
    pub(crate) fn pass(&mut self, now_ms: u64) {
        self.pending_ms.retain(|at_ms| *at_ms != now_ms);
    }

    /// A moment has come: from now on any other may be wanted.
    pub(crate) fn ring(&mut self, now_ms: u64) {
        self.pass(now_ms);
        self.next_ms = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_on_the_agenda_once() {
        let mut alarm = Alarm::default();
        assert!(alarm.set(100));
        assert!(!alarm.set(200));
        assert!(alarm.set(50));
        alarm.ring(50);
        assert!(!alarm.set(100), "it is there since the beginning");
        alarm.ring(100);
        assert!(alarm.set(100));
        alarm.pass(100);
        assert!(!alarm.set(150), "nobody heard the one before");
        alarm.ring(120);
        assert!(alarm.set(150));
    }
}
