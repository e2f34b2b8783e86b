//! The file of a recording: one JSON value a line.
//!
//! ```text
//! {"flight":{"format":1,"program":"vedette 0.1.0",…}}     who, when and why
//! {"checkpoint":{"since":{…},"state":{…}}}                the core
//! {"in":[1234,1767225600000,{"Answered":{…}}]}            monotonic and wall time in ms, an input
//! {"turn":{"effects":2,"digest":9,"deadline":1300}}       the core had no further orders
//! {"end":{"lines":40211}}                                 nothing is missing
//! ```

use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use vedette_core::{Input, Now, Sentinel, Time, WallTime};

use crate::digest::Turn;
use crate::recorder::{Entry, History, Segment};

/// The version of the format.
pub const FORMAT: u32 = 1;

/// The first line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`] of the writer.
    pub format: u32,
    /// Who recorded it: name and version.
    pub program: String,
    /// Its process.
    pub pid: u32,
    /// When the file was written.
    pub written_at: WallTime,
    /// Why.
    pub reason: Reason,
}

/// Why a file was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Somebody asked for it.
    Signal,
    /// The process panicked at this place of its code. The message is in the log; it stays out of
    /// the file, for it might quote what a client sent.
    Panic(String),
    /// A test or a simulated Sentinel wrote it.
    Test,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal => f.write_str("a signal"),
            Self::Panic(place) => write!(f, "a panic at {place}"),
            Self::Test => f.write_str("a test"),
        }
    }
}

/// A recording that was read.
#[derive(Clone, Debug)]
pub struct Flight {
    /// Who wrote it, when and why.
    pub header: Header,
    /// One or two, oldest first.
    pub parts: Vec<Part>,
}

/// A checkpoint and what happened since.
#[derive(Clone, Debug)]
pub struct Part {
    /// When it begins.
    pub since: Now,
    /// The core at that time.
    pub checkpoint: Box<Sentinel>,
    /// What happened, in order.
    pub entries: Vec<Step>,
}

/// One thing that happened, with the number of its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The line in the file, from 1.
    pub line: usize,
    /// What happened.
    pub entry: Entry,
}

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum FlightError {
    /// The system cannot read it.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A line is not what it should be.
    #[error("line {line}: {error}{}", recorded_by(.program))]
    Line {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        error: serde_json::Error,
        /// Who recorded the file, as far as it is known.
        program: Option<String>,
    },
    /// The first line is no header.
    #[error("it does not begin with the header of a recording")]
    NoHeader,
    /// A format of the future, or of the past.
    #[error("format {0}, but this program reads format {FORMAT}; use the program of its time")]
    Format(u32),
    /// An input stands before the first checkpoint.
    #[error("line {0}: something happened before the first checkpoint")]
    NoCheckpoint(usize),
    /// A state cannot be written as JSON.
    #[error("a state cannot be written: {0}")]
    State(serde_json::Error),
    /// The last line is missing, or counts other lines.
    #[error("it is not whole: copy it again")]
    NotWhole,
}

fn recorded_by(program: &Option<String>) -> String {
    let program = program.as_ref();
    program.map_or(String::new(), |program| format!(" (it was recorded by {program})"))
}

/// A line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Flight(Cow<'a, Header>),
    Checkpoint { since: Now, state: Box<Cow<'a, Sentinel>> },
    In(u64, u64, Cow<'a, Input>),
    Turn(Turn),
    End { lines: usize },
}

/// Writes a recording.
///
/// # Errors
/// If `out` does not take it.
pub fn write(header: &Header, history: &History, out: &mut impl Write) -> io::Result<()> {
    let mut lines = Lines { out, count: 0 };
    lines.put(&Line::Flight(Cow::Borrowed(header)))?;
    for segment in history.segments() {
        lines.checkpoint(segment)?;
        for entry in segment.entries() {
            lines.put(&match entry.map_err(io::Error::other)? {
                Entry::Took(now, input) => Line::In(now.mono.0, now.wall.0, Cow::Owned(input)),
                Entry::Ended(turn) => Line::Turn(turn),
            })?;
        }
    }
    let count = lines.count;
    lines.put(&Line::End { lines: count })
}

struct Lines<'a, W> {
    out: &'a mut W,
    count: usize,
}

impl<W: Write> Lines<'_, W> {
    /// As [`Line::Checkpoint`]; the state may be JSON already.
    fn checkpoint(&mut self, segment: &Segment) -> io::Result<()> {
        self.out.write_all(br#"{"checkpoint":{"since":"#)?;
        serde_json::to_writer(&mut *self.out, &segment.since())?;
        self.out.write_all(br#","state":"#)?;
        segment.checkpoint().write(&mut *self.out)?;
        self.count += 1;
        self.out.write_all(b"}}\n")
    }

    fn put(&mut self, line: &Line<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut *self.out, line)?;
        self.count += 1;
        self.out.write_all(b"\n")
    }
}

/// Reads a recording.
///
/// # Errors
/// If it is none, or not whole.
pub fn read(input: impl BufRead) -> Result<Flight, FlightError> {
    let mut flight: Option<Flight> = None;
    for (index, text) in input.lines().enumerate() {
        let line = index + 1;
        let program = || flight.as_ref().map(|flight| flight.header.program.clone());
        let parsed = serde_json::from_str(&text?).map_err(|error| FlightError::Line {
            line,
            error,
            program: program(),
        })?;
        let Some(flight) = &mut flight else {
            let Line::Flight(header) = parsed else { return Err(FlightError::NoHeader) };
            if header.format != FORMAT {
                return Err(FlightError::Format(header.format));
            }
            flight = Some(Flight { header: header.into_owned(), parts: Vec::new() });
            continue;
        };
        match parsed {
            Line::Flight(_) => return Err(FlightError::NoHeader),
            Line::Checkpoint { since, state } => {
                let checkpoint = Box::new(state.into_owned());
                flight.parts.push(Part { since, checkpoint, entries: Vec::new() });
            }
            Line::In(mono, wall, input) => {
                let now = Now { mono: Time(mono), wall: WallTime(wall) };
                flight.happened(line, Entry::Took(now, input.into_owned()))?;
            }
            Line::Turn(turn) => flight.happened(line, Entry::Ended(turn))?,
            Line::End { lines } if lines == index => return finished(flight),
            Line::End { .. } => return Err(FlightError::NotWhole),
        }
    }
    Err(if flight.is_some() { FlightError::NotWhole } else { FlightError::NoHeader })
}

fn finished(flight: &mut Flight) -> Result<Flight, FlightError> {
    let parts = std::mem::take(&mut flight.parts);
    Ok(Flight { header: flight.header.clone(), parts })
}

impl Flight {
    fn happened(&mut self, line: usize, entry: Entry) -> Result<(), FlightError> {
        let part = self.parts.last_mut().ok_or(FlightError::NoCheckpoint(line))?;
        part.entries.push(Step { line, entry });
        Ok(())
    }

    /// How many inputs it holds.
    #[must_use]
    pub fn inputs(&self) -> usize {
        let took = |step: &&Step| matches!(step.entry, Entry::Took(..));
        self.parts.iter().flat_map(|part| &part.entries).filter(took).count()
    }

    /// From the first checkpoint to the last input.
    #[must_use]
    pub fn span(&self) -> Option<(Now, Now)> {
        let first = self.parts.first()?.since;
        let steps = self.parts.iter().flat_map(|part| &part.entries);
        let last = steps.rev().find_map(|step| match step.entry {
            Entry::Took(now, _) => Some(now),
            Entry::Ended(_) => None,
        });
        Some((first, last.unwrap_or(first)))
    }
}

#[cfg(test)]
mod tests;
