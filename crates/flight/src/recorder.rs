//! Two segments of history: the present one grows, the one before it is complete.
//!
//! What happened is kept encoded: an input takes some ten bytes rather than a hundred, its size is
//! known exactly, and no password stays in memory for the recorder's sake. Full chunks are packed,
//! for most of what is heard has been heard before.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vedette_core::{Input, Now, Sentinel, Span, Time, WallTime};

use crate::digest::Turn;

/// Bytes of a chunk before it is packed. Chunks are shared with whoever writes the file, so a
/// hand-over copies less than one chunk.
const CHUNK_BYTES: usize = 64 * 1024;

/// How much history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the inputs of a segment, after which the next one begins.
    pub segment_bytes: usize,
    /// Age of a segment after which the next one begins.
    pub segment_age: Span,
}

impl Default for Bounds {
    /// Ten minutes or 8 MiB, whichever comes first, kept in a quarter of that. A master with two
    /// replicas and three Sentinels fills 0.6 MiB in ten minutes; a hundred of them fill 8 MiB in a
    /// minute and a half, and so often their core is copied, in 0.1 ms (`cargo run --release -p
    /// vedette-sim --example recording_cost 100`). The file takes four times as much as the bytes.
    fn default() -> Self {
        Self { segment_bytes: 8 << 20, segment_age: Span::from_secs(600) }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The core was about to take this.
    Took(Now, Input),
    /// The core had no further orders.
    Ended(Turn),
}

/// An entry as it is kept: times are counted from the entry before.
#[derive(Serialize, Deserialize)]
enum Kept<'a> {
    Took { mono: u64, wall: i64, input: Cow<'a, Input> },
    Ended(Turn),
}

/// A checkpoint and what happened since.
#[derive(Clone, Debug)]
pub struct Segment {
    checkpoint: Arc<Sentinel>,
    since: Now,
    /// The time of the last input.
    last: Now,
    packed: Vec<Arc<[u8]>>,
    open: Vec<u8>,
    /// Bytes of the packed chunks before they were packed.
    full_bytes: usize,
}

impl Segment {
    fn new(checkpoint: Arc<Sentinel>, since: Now) -> Self {
        let (packed, open) = (Vec::new(), Vec::new());
        Self { checkpoint, since, last: since, packed, open, full_bytes: 0 }
    }

    /// The copy of the core with which it begins.
    #[must_use]
    pub fn checkpoint(&self) -> &Sentinel {
        &self.checkpoint
    }

    /// When it begins.
    #[must_use]
    pub fn since(&self) -> Now {
        self.since
    }

    /// What happened, in order. An error would be a bug in the encoding, and the last item.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry, postcard::Error>> {
        let mut now = self.since;
        let chunks = self.packed.iter().map(|packed| Decoder::unpack(packed));
        chunks.chain([Decoder::of(&self.open)]).flatten().map(move |kept| {
            Ok(match kept? {
                Kept::Took { mono, wall, input } => {
                    now.mono = Time(now.mono.0.wrapping_add(mono));
                    now.wall = WallTime(now.wall.0.wrapping_add_signed(wall));
                    Entry::Took(now, input.into_owned())
                }
                Kept::Ended(turn) => Entry::Ended(turn),
            })
        })
    }

    /// How much has happened: the size of its entries, encoded.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.full_bytes + self.open.len()
    }

    /// Its size in memory, without the checkpoint.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.packed.iter().map(|packed| packed.len()).sum::<usize>() + self.open.capacity()
    }

    fn took(&mut self, now: Now, input: &Input) {
        let mono = now.mono.0.wrapping_sub(self.last.mono.0);
        let wall = now.wall.0.wrapping_sub(self.last.wall.0).cast_signed();
        self.last = now;
        self.keep(&Kept::Took { mono, wall, input: Cow::Borrowed(input) });
    }

    fn keep(&mut self, kept: &Kept<'_>) {
        let before = self.open.len();
        if postcard::to_io(kept, &mut self.open).is_err() {
            // Every input can be encoded, as the simulator shows. One that cannot would be missing.
            self.open.truncate(before);
        }
        if self.open.len() >= CHUNK_BYTES {
            self.full_bytes += self.open.len();
            self.packed.push(lz4_flex::compress_prepend_size(&self.open).into());
            self.open.clear();
        }
    }
}

/// What is left of a chunk.
struct Decoder<'a> {
    bytes: Cow<'a, [u8]>,
    read: usize,
    /// It could not be unpacked.
    broken: bool,
}

impl<'a> Decoder<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.into(), read: 0, broken: false }
    }

    fn unpack(packed: &[u8]) -> Self {
        let unpacked = lz4_flex::decompress_size_prepended(packed);
        let broken = unpacked.is_err();
        Self { bytes: unpacked.unwrap_or_default().into(), read: 0, broken }
    }
}

impl Iterator for Decoder<'_> {
    type Item = Result<Kept<'static>, postcard::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if std::mem::take(&mut self.broken) {
            return Some(Err(postcard::Error::DeserializeBadEncoding));
        }
        let rest = self.bytes.get(self.read..).filter(|rest| !rest.is_empty())?;
        match postcard::take_from_bytes(rest) {
            Ok((kept, after)) => {
                self.read = self.bytes.len() - after.len();
                Some(Ok(kept))
            }
            Err(error) => {
                self.read = self.bytes.len();
                Some(Err(error))
            }
        }
    }
}

/// What is known at a moment: one or two segments, oldest first.
#[derive(Clone, Debug)]
pub struct History(Vec<Segment>);

impl History {
    /// Its segments, oldest first.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }
}

/// Remembers between one and two segments.
#[derive(Debug)]
pub struct Recorder {
    bounds: Bounds,
    before: Option<Segment>,
    present: Segment,
}

impl Recorder {
    /// Begins with a checkpoint.
    #[must_use]
    pub fn new(checkpoint: Arc<Sentinel>, now: Now, bounds: Bounds) -> Self {
        Self { bounds, before: None, present: Segment::new(checkpoint, now) }
    }

    /// The core is about to take an input: if that makes it panic, the input is already here.
    pub fn took(&mut self, now: Now, input: &Input) {
        self.present.took(now, input);
    }

    /// The core has no further orders.
    pub fn ended(&mut self, turn: Turn) {
        self.present.keep(&Kept::Ended(turn));
    }

    /// Whether a segment is full. To be asked between turns.
    #[must_use]
    pub fn wants_checkpoint(&self, now: Now) -> bool {
        self.present.bytes() >= self.bounds.segment_bytes
            || now.mono.since(self.present.since.mono) >= self.bounds.segment_age
    }

    /// Begins a segment between two turns. The oldest is given back: freeing it takes time.
    pub fn begin_segment(&mut self, checkpoint: Arc<Sentinel>, now: Now) -> Option<Segment> {
        let ended = std::mem::replace(&mut self.present, Segment::new(checkpoint, now));
        self.before.replace(ended)
    }

    /// All that is remembered, for somebody who writes it down while recording goes on.
    #[must_use]
    pub fn history(&self) -> History {
        History(self.before.iter().chain([&self.present]).cloned().collect())
    }
}

#[cfg(test)]
pub(crate) mod tests;
