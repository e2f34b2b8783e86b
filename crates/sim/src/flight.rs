//! Replaying what a flight recorder wrote: the same inputs to the same core, with every turn and
//! every checkpoint compared (docs/SIMULATION.md, "Replaying an incident").

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use vedette_core::{Effect, Input, Now, Sentinel};
pub use vedette_flight::{
    Bounds, Difference, FORMAT, Flight, FlightError, Header, History, Reason, read, write,
};
use vedette_flight::{Entry, Step, Turn, TurnDigest, difference};

pub use crate::trace::Peers;
use crate::trace::{effect_texts, input_text, request_text};

/// What a replay comes to.
#[derive(Debug)]
pub struct Replay {
    /// Inputs that the core took.
    pub inputs: usize,
    /// Turns whose orders were compared.
    pub turns: usize,
    /// Later checkpoints that were compared.
    pub checkpoints: usize,
    /// How it ended.
    pub ending: Ending,
}

/// How a replay ended.
#[derive(Debug)]
pub enum Ending {
    /// Everything was as recorded, up to the last line.
    Agrees,
    /// A turn ordered something else than recorded.
    OtherTurn {
        /// The line of the file.
        line: usize,
        /// As recorded.
        recorded: Turn,
        /// As replayed.
        replayed: Turn,
    },
    /// The state at a checkpoint is another one: recorded against replayed.
    OtherState(Difference),
    /// The core panicked after it took this input.
    Panicked {
        /// The line of the file.
        line: usize,
        /// What it took.
        input: Box<Input>,
        /// The panic's message.
        message: String,
    },
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agrees => f.write_str("the replay does what was recorded, to the end"),
            Self::OtherTurn { line, recorded, replayed } => {
                write!(f, "line {line}: recorded was {recorded:?}, the replay has {replayed:?}")
            }
            Self::OtherState(difference) => {
                write!(f, "at the second checkpoint, recorded against replayed: {difference}")
            }
            Self::Panicked { line, input, message } => {
                write!(f, "line {line}: the core panicked on {input:?}: {message}")
            }
        }
    }
}

/// What is seen during a replay.
#[derive(Clone, Copy, Debug)]
pub enum Sight<'a> {
    /// The core is about to take an input.
    Took(&'a Input),
    /// It gave an order.
    Ordered(&'a Effect),
    /// It is compared with a checkpoint.
    Checkpoint,
}

impl Sight<'_> {
    /// The lines of a trace. PINGs, INFO and hellos that tell nothing new have none. `peers` are
    /// those of the first checkpoint, and kept up to date here.
    #[must_use]
    pub fn lines(&self, peers: &mut Peers) -> Vec<String> {
        match self {
            Self::Took(Input::Requested { request, .. }) => vec![request_text(request)],
            Self::Took(input) => input_text(input).into_iter().collect(),
            Self::Ordered(Effect::Respond { response, .. }) => {
                vec![format!("answers {response:?}")]
            }
            Self::Ordered(effect) => {
                let mut texts = Vec::new();
                effect_texts(effect, peers, &mut texts);
                texts
            }
            Self::Checkpoint => vec!["== checkpoint".to_owned()],
        }
    }
}

/// Replays a recording from its first checkpoint, and shows everything to `watch` with its time. It
/// ends with the first difference.
///
/// # Errors
/// If the recording holds no checkpoint, or states cannot be compared.
pub fn replay(
    flight: &Flight,
    watch: &mut dyn FnMut(Now, Sight<'_>),
) -> Result<Replay, FlightError> {
    let first = flight.parts.first().ok_or(FlightError::NoCheckpoint(1))?;
    let mut replayer = Replayer {
        core: (*first.checkpoint).clone(),
        now: first.since,
        turn: TurnDigest::default(),
        last: None,
        replay: Replay { inputs: 0, turns: 0, checkpoints: 0, ending: Ending::Agrees },
        watch,
    };
    let ending = replayer.all(flight)?;
    Ok(Replay { ending: ending.unwrap_or(Ending::Agrees), ..replayer.replay })
}

struct Replayer<'a> {
    core: Sentinel,
    now: Now,
    turn: TurnDigest,
    /// The last input, with its line.
    last: Option<(usize, Input)>,
    replay: Replay,
    watch: &'a mut dyn FnMut(Now, Sight<'_>),
}

impl Replayer<'_> {
    /// The first thing that is not as it was.
    fn all(&mut self, flight: &Flight) -> Result<Option<Ending>, FlightError> {
        for (number, part) in flight.parts.iter().enumerate() {
            if number > 0 {
                (self.watch)(self.now, Sight::Checkpoint);
                self.replay.checkpoints += 1;
                if let Some(difference) = difference(&part.checkpoint, &self.core)? {
                    return Ok(Some(Ending::OtherState(difference)));
                }
            }
            if let Some(ending) = part.entries.iter().find_map(|step| self.step(step)) {
                return Ok(Some(ending));
            }
        }
        // The process may have ended while the core gave the orders of its last inputs.
        let panicked = self.last.is_some().then(|| self.drain().err()).flatten();
        Ok(panicked)
    }

    fn step(&mut self, step: &Step) -> Option<Ending> {
        match &step.entry {
            Entry::Took(now, input) => self.take(step.line, *now, input).err(),
            Entry::Ended(recorded) => {
                if let Err(ending) = self.drain() {
                    return Some(ending);
                }
                let replayed = self.turn.end(self.core.poll_deadline());
                self.last = None;
                self.replay.turns += 1;
                let (line, recorded) = (step.line, *recorded);
                (replayed != recorded).then_some(Ending::OtherTurn { line, recorded, replayed })
            }
        }
    }

    fn take(&mut self, line: usize, now: Now, input: &Input) -> Result<(), Ending> {
        self.now = now;
        (self.watch)(now, Sight::Took(input));
        self.replay.inputs += 1;
        self.last = Some((line, input.clone()));
        self.unless_it_panics(|core| core.handle_input(now, input.clone()))
    }

    /// Fetches the orders of the turn as the shell does: until there is none.
    fn drain(&mut self) -> Result<(), Ending> {
        while let Some(effect) = self.unless_it_panics(Sentinel::poll_effect)? {
            self.turn.note(&effect);
            (self.watch)(self.now, Sight::Ordered(&effect));
        }
        Ok(())
    }

    /// In a build that aborts on panics this does not return if the core panics.
    fn unless_it_panics<T>(&mut self, act: impl FnOnce(&mut Sentinel) -> T) -> Result<T, Ending> {
        let core = &mut self.core;
        // After a panic the core is not used again.
        catch_unwind(AssertUnwindSafe(|| act(core))).map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            let message = text.unwrap_or("no message").to_owned();
            let (line, input) = self.last.clone().unwrap_or((1, Input::DeadlineReached));
            Ending::Panicked { line, input: Box::new(input), message }
        })
    }
}
