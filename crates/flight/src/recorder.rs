//! Two segments of history: the present one grows, the one before it is complete.

use std::sync::Arc;

use vedette_core::{Answer, InfoAnswer, InfoReport, Input, Now, Sentinel, Span};

use crate::digest::Turn;
use crate::weight::weight;

/// Entries of a chunk. Chunks are shared with whoever writes the file, so a hand-over copies less
/// than one chunk.
const CHUNK: usize = 512;

/// How much history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Estimated bytes of the inputs of a segment, after which the next one begins.
    pub segment_bytes: usize,
    /// Age of a segment after which the next one begins.
    pub segment_age: Span,
}

impl Default for Bounds {
    /// Ten minutes or 8 MiB, whichever comes first: a small group fills about 2 MiB in ten minutes;
    /// five hundred masters fill 8 MiB in less than a minute, and their core is copied that often.
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

/// A checkpoint and what happened since.
#[derive(Clone, Debug)]
pub struct Segment {
    checkpoint: Arc<Sentinel>,
    since: Now,
    chunks: Vec<Arc<Vec<Entry>>>,
    open: Vec<Entry>,
    bytes: usize,
}

impl Segment {
    fn new(checkpoint: Arc<Sentinel>, since: Now) -> Self {
        Self { checkpoint, since, chunks: Vec::new(), open: Vec::with_capacity(CHUNK), bytes: 0 }
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

    /// What happened, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).chain(&self.open)
    }

    /// Its estimated size in memory, without the checkpoint.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn push(&mut self, entry: Entry, bytes: usize) {
        self.open.push(entry);
        self.bytes += bytes;
        if self.open.len() == CHUNK {
            let full = std::mem::replace(&mut self.open, Vec::with_capacity(CHUNK));
            self.chunks.push(Arc::new(full));
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
        let input = without_text(input);
        let bytes = weight(&input);
        self.present.push(Entry::Took(now, input), bytes);
    }

    /// The core has no further orders.
    pub fn ended(&mut self, turn: Turn) {
        self.present.push(Entry::Ended(turn), size_of::<Entry>());
    }

    /// Whether a segment is full. To be asked between turns.
    #[must_use]
    pub fn wants_checkpoint(&self, now: Now) -> bool {
        self.present.bytes >= self.bounds.segment_bytes
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

/// The text of an INFO reply is most of what a Sentinel hears, and no rule reads it.
fn without_text(input: &Input) -> Input {
    match input {
        Input::Answered { conn, answer: Answer::Info(InfoAnswer::Report(report)) } => {
            let InfoReport { text: _, ref replicas, ref master, .. } = **report;
            let report = InfoReport {
                text: Arc::default(),
                run_id: report.run_id,
                role: report.role,
                replicas: replicas.clone(),
                link_down_ms: report.link_down_ms,
                master: master.clone(),
                link_up: report.link_up,
                priority: report.priority,
                offset: report.offset,
                announced: report.announced,
            };
            let answer = Answer::Info(InfoAnswer::Report(Arc::new(report)));
            Input::Answered { conn: *conn, answer }
        }
        other => other.clone(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
