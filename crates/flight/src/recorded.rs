//! A core and its recorder, driven as one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use vedette_core::{Effect, Input, Now, Sentinel, Span, Time};

use crate::checkpoint::Checkpoint;
use crate::digest::TurnDigest;
use crate::recorder::{Bounds, History, Recorder, Segment};

/// A core that remembers what it was told.
///
/// The recorder is locked for an input before the core takes it, and for a checkpoint after the
/// turn; never while the core works. So whoever finds the process panicking finds the recorder
/// whole, with the input that caused it as its last entry.
pub struct Recorded {
    core: Sentinel,
    tape: Tape,
    turn: TurnDigest,
    now: Now,
    began: Box<dyn FnMut(Option<Segment>) + Send>,
}

impl Recorded {
    /// Records from now on. `began` is told of each new segment but the first, and gets the one
    /// that is forgotten for it: freeing that and packing the new checkpoint ([`Tape::tidy_up`])
    /// take milliseconds, which another thread may have to spare.
    #[must_use]
    pub fn new(
        core: Sentinel,
        now: Now,
        bounds: Bounds,
        began: impl FnMut(Option<Segment>) + Send + 'static,
    ) -> Self {
        let recorder = Recorder::new(Arc::new(core.clone()), now, bounds);
        let tape = Tape(Arc::new(Mutex::new(recorder)));
        Self { core, tape, turn: TurnDigest::default(), now, began: Box::new(began) }
    }

    /// What is recorded, for others.
    #[must_use]
    pub fn tape(&self) -> Tape {
        self.tape.clone()
    }

    /// The core, to look at.
    #[must_use]
    pub fn core(&self) -> &Sentinel {
        &self.core
    }

    /// As [`Sentinel::handle_input`].
    pub fn handle_input(&mut self, now: Now, input: Input) {
        self.now = now;
        self.tape.locked().took(now, &input);
        self.core.handle_input(now, input);
    }

    /// As [`Sentinel::poll_effect`]. None ends the turn, after which a checkpoint may be taken.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        let effect = self.core.poll_effect();
        match &effect {
            Some(effect) => self.turn.note(effect),
            None => self.end_turn(),
        }
        effect
    }

    /// As [`Sentinel::poll_deadline`].
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Time> {
        self.core.poll_deadline()
    }

    /// As [`Sentinel::poll_composure`].
    #[must_use]
    pub fn poll_composure(&self) -> Span {
        self.core.poll_composure()
    }

    fn end_turn(&mut self) {
        let turn = self.turn.end(self.core.poll_deadline());
        let wants_checkpoint = {
            let mut recorder = self.tape.locked();
            recorder.ended(turn);
            recorder.wants_checkpoint(self.now)
        };
        if wants_checkpoint {
            let checkpoint = Arc::new(self.core.clone());
            let forgotten = self.tape.locked().begin_segment(checkpoint, self.now);
            (self.began)(forgotten);
        }
    }
}

/// A recorder that several threads reach.
#[derive(Clone, Debug)]
pub struct Tape(Arc<Mutex<Recorder>>);

impl Tape {
    /// All that is remembered.
    #[must_use]
    pub fn history(&self) -> History {
        self.locked().history()
    }

    /// The same for somebody who must not wait: none while another thread is at it.
    #[must_use]
    pub fn try_history(&self) -> Option<History> {
        match self.0.try_lock() {
            Ok(recorder) => Some(recorder.history()),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner().history()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Packs the checkpoints that are kept as they were taken. The recorder is not locked
    /// meanwhile.
    pub fn tidy_up(&self) {
        loop {
            let unpacked = self.locked().unpacked_checkpoint();
            let Some(copy) = unpacked else { return };
            // One that cannot be written stays as it is; so does what it would be written for.
            let Ok(packed) = Checkpoint::pack(&copy) else { return };
            self.locked().keep_packed(&copy, &packed);
        }
    }

    /// No update of a recorder can stop half-way, so a poisoned one is whole.
    fn locked(&self) -> MutexGuard<'_, Recorder> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::tests::{at, plain_core};

    #[test]
    fn who_must_not_wait_does_not() {
        let recorded = Recorded::new(plain_core(), at(0), Bounds::default(), drop);
        let tape = recorded.tape();
        assert!(tape.try_history().is_some());
        let _at_it = tape.locked();
        assert!(recorded.tape().try_history().is_none());
    }

    /// A checkpoint is taken between two turns, never in one: a replay begins where orders end.
    #[test]
    fn a_segment_begins_with_a_turn() {
        let bounds = Bounds { segment_bytes: 1, ..Bounds::default() };
        let mut recorded = Recorded::new(plain_core(), at(0), bounds, drop);
        for ms in 0..3 {
            recorded.handle_input(at(ms), Input::DeadlineReached);
            recorded.handle_input(at(ms), Input::DeadlineReached);
            while recorded.poll_effect().is_some() {}
        }
        let history = recorded.tape().history();
        let [before, present] = history.segments() else { panic!("two segments") };
        assert_eq!((before.entries().count(), present.entries().count()), (3, 0));
        assert_eq!(present.checkpoint().whole().map(|copy| &**copy), Some(&recorded.core));
    }

    #[test]
    fn checkpoints_are_packed_when_there_is_time() {
        let bounds = Bounds { segment_bytes: 1, ..Bounds::default() };
        let mut recorded = Recorded::new(plain_core(), at(0), bounds, drop);
        recorded.handle_input(at(1), Input::DeadlineReached);
        while recorded.poll_effect().is_some() {}
        let written = |history: &History| {
            let write = |segment: &Segment| {
                let mut text = Vec::new();
                segment.checkpoint().write(&mut text).map(|()| text)
            };
            history.segments().iter().map(write).collect::<Result<Vec<_>, _>>().unwrap()
        };
        let before = recorded.tape().history();
        recorded.tape().tidy_up();
        let after = recorded.tape().history();
        assert_eq!(written(&before), written(&after));
        let packed = |segment: &Segment| segment.checkpoint().whole().is_none();
        assert_eq!(before.segments().iter().map(packed).collect::<Vec<_>>(), [false, false]);
        assert_eq!(after.segments().iter().map(packed).collect::<Vec<_>>(), [true, true]);
    }
}
