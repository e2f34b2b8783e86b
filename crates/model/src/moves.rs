//! What can happen next.

use crate::sentinel::{Number, Who};

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// A Sentinel opens an epoch.
    Stand {
        /// Who.
        who: usize,
        /// For which master.
        master: usize,
    },
    /// Everything it knows is on its disk now.
    Save(usize),
    /// It dies, and starts again from its disk.
    Crash(usize),
    /// As before, and the side file that tells whom it voted for is gone.
    CrashForgetful(usize),
    /// A question that was asked at some time comes in, perhaps again.
    Question {
        /// Who was asked.
        to: usize,
        /// Who asked.
        from: Who,
        /// About which master.
        master: usize,
        /// In which epoch.
        epoch: Number,
    },
    /// An answer comes in.
    Answer {
        /// To whom.
        to: usize,
        /// Whose.
        from: usize,
        /// About which master.
        master: usize,
    },
    /// A candidate or leader gives up.
    GiveUp {
        /// Who.
        who: usize,
        /// Which master's failover.
        master: usize,
    },
    /// A leader's promotion is confirmed, on disk, and announced.
    Promote {
        /// Who.
        who: usize,
        /// Of which master.
        master: usize,
    },
    /// A hello with a configuration that was announced at some time comes in.
    Configuration {
        /// Who hears it.
        to: usize,
        /// Of which master.
        master: usize,
        /// Its epoch.
        epoch: Number,
        /// Whose replica it names.
        named: Who,
    },
    /// A hello with somebody's current epoch comes in.
    CurrentEpoch {
        /// Who hears it.
        to: usize,
        /// Who said it.
        from: usize,
    },
}
