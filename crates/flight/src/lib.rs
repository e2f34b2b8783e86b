//! The flight recorder: what the core of a Sentinel was told, in bounded memory, and the file in
//! which that leaves the process.
//!
//! ```text
//! checkpoint ─ inputs and ends of turns … ─ checkpoint ─ inputs and ends of turns … (now)
//! └──────────── older segment ───────────┘ └──────────── newer segment ──────────┘
//! ```
//!
//! The core is pure: from a checkpoint (a copy of the core) the same inputs lead to the same orders
//! and to the same state. So a recording holds no orders, only their [`TurnDigest`], by which a
//! replay sees in which turn it begins to differ.
//!
//! No password is ever in a file: [`vedette_core::Secret`] is written as `***`. No rule of the core
//! looks into a password, so a replay decides what was decided. Neither is the text of an INFO
//! reply, which no rule reads either.
#![forbid(unsafe_code)]

mod recorded;

mod recorder;

mod checkpoint;

mod kept;

mod chunks;

mod digest;

mod file;

mod difference;

pub use checkpoint::Checkpoint;
pub use difference::{Difference, difference};
pub use digest::{Turn, TurnDigest};
pub use file::{FORMAT, Flight, FlightError, Header, Part, Reason, Step, read, write};
pub use recorded::{Recorded, Tape};
pub use recorder::{Bounds, Entry, History, Recorder, Segment};
