//! How entries are encoded: small, and the better to be packed the more of them are alike.
//!
//! Times are counted from the entry before. Hellos, which come again and again, are kept once for
//! each segment, and named by their number afterwards.

use std::borrow::Cow;
use std::sync::Arc;

use foldhash::HashMap;
use serde::{Deserialize, Serialize};
use vedette_core::{ConnId, Hello, Input, Now, Request, Ticket, Time, WallTime};

use crate::chunks::Chunks;
use crate::digest::Turn;
use crate::recorder::Entry;

/// Hellos with a number, in each segment. Others are kept whole each time.
const HELLOS: usize = 16 * 1024;

/// An entry as it is kept.
#[derive(Serialize, Deserialize)]
enum Kept<'a> {
    Took(Later, Cow<'a, Input>),
    /// This hello gets the next number. No entry by itself.
    Hello(Cow<'a, Hello>),
    /// A hello was heard on a subscription.
    Heard(Later, ConnId, u32),
    /// A fellow Sentinel sent a hello.
    Told(Later, Ticket, u32),
    /// The end of a turn that ordered nothing.
    Idle(Option<u64>),
    Ended {
        effects: u32,
        digest: u32,
        /// From the last input on, in ms; it may lie before it, and wraps then.
        deadline: Option<u64>,
    },
}

/// The time of an entry.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Later {
    /// Milliseconds since the entry before.
    mono: u64,
    /// How much more the wall clock went forward meanwhile.
    ahead: i64,
}

impl Later {
    fn between(from: Now, to: Now) -> Self {
        let mono = to.mono.0.wrapping_sub(from.mono.0);
        let wall = to.wall.0.wrapping_sub(from.wall.0);
        Self { mono, ahead: wall.wrapping_sub(mono).cast_signed() }
    }

    fn after(self, from: Now) -> Now {
        let wall = from.wall.0.wrapping_add(self.mono).wrapping_add_signed(self.ahead);
        Now { mono: Time(from.mono.0.wrapping_add(self.mono)), wall: WallTime(wall) }
    }
}

/// Encodes the entries of one segment.
#[derive(Debug)]
pub(crate) struct Encoder {
    /// The time of the last input.
    last: Now,
    numbers: HashMap<Arc<Hello>, u32>,
    /// The same by their place in memory, which is quicker to look up: what a thread hears is
    /// shared as long as it repeats. They are held here, so that their places stay theirs.
    places: HashMap<usize, (Arc<Hello>, u32)>,
}

impl Encoder {
    /// Of a segment that begins at `since`.
    pub(crate) fn new(since: Now) -> Self {
        Self { last: since, numbers: HashMap::default(), places: HashMap::default() }
    }

    pub(crate) fn took(&mut self, now: Now, input: &Input, chunks: &mut Chunks) {
        let later = Later::between(self.last, now);
        self.last = now;
        let kept = if let Input::MessageReceived { conn, hello: Some(hello) } = input {
            self.number_by_place(hello, chunks).map(|number| Kept::Heard(later, *conn, number))
        } else if let Input::Requested { ticket, request: Request::Hello(Some(hello)) } = input {
            self.number_by_place(hello, chunks).map(|number| Kept::Told(later, *ticket, number))
        } else {
            None
        };
        put(&kept.unwrap_or(Kept::Took(later, Cow::Borrowed(input))), chunks);
    }

    pub(crate) fn ended(&self, turn: Turn, chunks: &mut Chunks) {
        let Turn { effects, digest, deadline } = turn;
        let deadline = deadline.map(|at| at.0.wrapping_sub(self.last.mono.0));
        let kept = match (effects, digest) {
            (0, 0) => Kept::Idle(deadline),
            (_, _) => Kept::Ended { effects, digest, deadline },
        };
        put(&kept, chunks);
    }

    fn number_by_place(&mut self, hello: &Arc<Hello>, chunks: &mut Chunks) -> Option<u32> {
        let place = Arc::as_ptr(hello).addr();
        if let Some((_, number)) = self.places.get(&place) {
            return Some(*number);
        }
        let number = self.number(hello, chunks)?;
        if self.places.len() < HELLOS {
            self.places.insert(place, (hello.clone(), number));
        }
        Some(number)
    }

    fn number(&mut self, hello: &Arc<Hello>, chunks: &mut Chunks) -> Option<u32> {
        if let Some(number) = self.numbers.get(hello) {
            return Some(*number);
        }
        let number =
            u32::try_from(self.numbers.len()).ok().filter(|_| self.numbers.len() < HELLOS)?;
        put(&Kept::Hello(Cow::Borrowed(hello)), chunks);
        self.numbers.insert(hello.clone(), number);
        Some(number)
    }
}

fn put(kept: &Kept<'_>, chunks: &mut Chunks) {
    // Every input can be encoded, as the simulator shows. One that cannot would be missing.
    let _would_be_missing = chunks.append(|open| postcard::to_io(kept, open).map(|_| ()));
}

/// Decodes the entries of one segment.
pub(crate) struct Decoder {
    now: Now,
    hellos: Vec<Arc<Hello>>,
}

impl Decoder {
    /// Of a segment that begins at `since`.
    pub(crate) fn new(since: Now) -> Self {
        Self { now: since, hellos: Vec::new() }
    }

    /// The entries of the next chunk. An error is the last item.
    pub(crate) fn read(&mut self, chunk: Option<&[u8]>) -> Vec<Result<Entry, postcard::Error>> {
        let Some(mut rest) = chunk else {
            return vec![Err(postcard::Error::DeserializeBadEncoding)];
        };
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let entry = postcard::take_from_bytes(rest).and_then(|(kept, after)| {
                rest = after;
                self.entry(kept)
            });
            let is_error = entry.is_err();
            entries.extend(entry.transpose());
            if is_error {
                break;
            }
        }
        entries
    }

    fn entry(&mut self, kept: Kept<'_>) -> Result<Option<Entry>, postcard::Error> {
        let entry = match kept {
            Kept::Hello(hello) => {
                self.hellos.push(Arc::new(hello.into_owned()));
                return Ok(None);
            }
            Kept::Took(later, input) => Entry::Took(self.at(later), input.into_owned()),
            Kept::Heard(later, conn, number) => {
                let hello = Some(self.hello(number)?);
                Entry::Took(self.at(later), Input::MessageReceived { conn, hello })
            }
            Kept::Told(later, ticket, number) => {
                let request = Request::Hello(Some(self.hello(number)?));
                Entry::Took(self.at(later), Input::Requested { ticket, request })
            }
            Kept::Idle(deadline) => self.turn(0, 0, deadline),
            Kept::Ended { effects, digest, deadline } => self.turn(effects, digest, deadline),
        };
        Ok(Some(entry))
    }

    fn at(&mut self, later: Later) -> Now {
        self.now = later.after(self.now);
        self.now
    }

    fn hello(&self, number: u32) -> Result<Arc<Hello>, postcard::Error> {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        self.hellos.get(place).cloned().ok_or(postcard::Error::DeserializeBadEncoding)
    }

    fn turn(&self, effects: u32, digest: u32, deadline: Option<u64>) -> Entry {
        let deadline = deadline.map(|after| Time(self.now.mono.0.wrapping_add(after)));
        Entry::Ended(Turn { effects, digest, deadline })
    }
}
