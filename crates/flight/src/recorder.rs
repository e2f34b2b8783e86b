//! Two segments of history: the present one grows, the one before it is complete.
//!
//! What happened is kept encoded: an input takes some ten bytes rather than a hundred, its size is
//! known exactly, and no password stays in memory for the recorder's sake. Full chunks are packed,
//! and so are checkpoints, by somebody who has the time ([`crate::Tape::tidy_up`]).

use std::sync::Arc;

use vedette_core::{Input, Now, Sentinel, Span};

use crate::checkpoint::Checkpoint;
use crate::chunks::Chunks;
use crate::digest::Turn;
use crate::kept::{Decoder, Encoder};

/// How much history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the inputs of a segment, after which the next one begins.
    pub segment_bytes: usize,
    /// Age of a segment after which the next one begins.
    pub segment_age: Span,
}

impl Default for Bounds {
    /// Ten minutes or 4 MiB, whichever comes first, kept in half of that. Eighty masters with two
    /// replicas and three Sentinels fill 16 KiB a second; so often as that is 4 MiB their core is
    /// copied, in 0.1 ms (`cargo run --release -p vedette-sim --example recording_cost 80`). The
    /// file takes twenty times as much as the bytes.
    fn default() -> Self {
        Self { segment_bytes: 4 << 20, segment_age: Span::from_secs(600) }
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

/// A checkpoint and what happened since.
#[derive(Clone, Debug)]
pub struct Segment {
    checkpoint: Checkpoint,
    since: Now,
    chunks: Chunks,
}

impl Segment {
    fn new(checkpoint: Arc<Sentinel>, since: Now) -> Self {
        let checkpoint = Checkpoint::new(checkpoint);
        Self { checkpoint, since, chunks: Chunks::default() }
    }

    /// The copy of the core with which it begins.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// When it begins.
    #[must_use]
    pub fn since(&self) -> Now {
        self.since
    }

    /// What happened, in order. An error would be a bug in the encoding; what follows it in its
    /// chunk is lost.
    pub fn entries(&self) -> impl Iterator<Item = Result<Entry, postcard::Error>> {
        let mut decoder = Decoder::new(self.since);
        self.chunks.unpacked().flat_map(move |chunk| decoder.read(chunk.as_deref()))
    }

    /// How much has happened: the size of its entries, encoded.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.chunks.bytes()
    }

    /// Its size in memory, without the checkpoint.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.chunks.memory_bytes()
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
    encoder: Encoder,
}

impl Recorder {
    /// Begins with a checkpoint.
    #[must_use]
    pub fn new(checkpoint: Arc<Sentinel>, now: Now, bounds: Bounds) -> Self {
        let present = Segment::new(checkpoint, now);
        Self { bounds, before: None, present, encoder: Encoder::new(now) }
    }

    /// The core is about to take an input: if that makes it panic, the input is already here.
    pub fn took(&mut self, now: Now, input: &Input) {
        self.encoder.took(now, input, &mut self.present.chunks);
    }

    /// The core has no further orders.
    pub fn ended(&mut self, turn: Turn) {
        self.encoder.ended(turn, &mut self.present.chunks);
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
        self.encoder = Encoder::new(now);
        self.before.replace(ended)
    }

    /// A checkpoint that is not packed yet.
    pub(crate) fn unpacked_checkpoint(&self) -> Option<Arc<Sentinel>> {
        let segments = self.before.iter().chain([&self.present]);
        segments.filter_map(|segment| segment.checkpoint.whole()).next().cloned()
    }

    /// Keeps it packed from now on. The copy must be freed by the caller.
    pub(crate) fn keep_packed(&mut self, copy: &Arc<Sentinel>, packed: &Checkpoint) {
        for segment in self.before.iter_mut().chain([&mut self.present]) {
            if segment.checkpoint.whole().is_some_and(|whole| Arc::ptr_eq(whole, copy)) {
                segment.checkpoint = packed.clone();
            }
        }
    }

    /// All that is remembered, for somebody who writes it down while recording goes on.
    #[must_use]
    pub fn history(&self) -> History {
        History(self.before.iter().chain([&self.present]).cloned().collect())
    }
}

#[cfg(test)]
pub(crate) mod tests;
