//! The lines of a configuration, in order, each with its origin and its exact bytes.

mod origin;
mod slot;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use origin::Origin;
pub(crate) use slot::Slot;

use vedette_core::MasterName;

use crate::directives::SentinelDirective;
use crate::words;

/// A line and where it came from.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    origin: Origin,
    number: usize,
    /// With its line end, if it had one.
    text: Vec<u8>,
    slot: Slot,
}

/// The text is not shown: it may hold a password.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.origin.place(self.number), self.slot)
    }
}

impl Line {
    pub(crate) fn new(origin: Origin, number: usize, text: Vec<u8>) -> Self {
        let slot = Slot::of(&text);
        Self { origin, number, text, slot }
    }

    /// A line that the running process writes into the main file; `text` has no line end.
    pub(crate) fn written(mut text: Vec<u8>) -> Self {
        text.push(b'\n');
        Self::new(Origin::Main, 0, text)
    }

    /// Where it came from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Its number in its origin, from 1; 0 for a line that was written by the running process.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// The text without surrounding blanks.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        words::trim(&self.text)
    }

    /// Its words; none for comments, empty lines and unbalanced quotes.
    #[must_use]
    pub fn words(&self) -> Option<Vec<Vec<u8>>> {
        let text = self.text();
        if text.is_empty() || text.starts_with(b"#") {
            return None;
        }
        words::split(text).ok()
    }

    /// Whether nothing is on it.
    fn is_blank(&self) -> bool {
        self.text().is_empty()
    }
}

/// Where a line stands: the position of the line it was put behind, and its place after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u32, u32);

/// A lossless configuration: the main file with whatever includes, options and standard input
/// added to it. Unchanged it renders to the very bytes of the main file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    lines: BTreeMap<Place, Line>,
    by_slot: BTreeMap<Slot, BTreeSet<Place>>,
    /// What each change since the last [`Document::keep`] replaced, oldest first.
    undo: Vec<(Place, Option<Line>)>,
}

impl Document {
    /// A main file alone.
    #[must_use]
    pub fn parse(main: &[u8]) -> Self {
        let mut document = Self::default();
        document.push_text(&Origin::Main, 0, main);
        document.keep();
        document
    }

    /// All lines in reading order.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.values()
    }

    /// The bytes of the main file.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let main = || self.lines.values().filter(|line| line.origin == Origin::Main);
        let mut bytes = Vec::with_capacity(main().map(|line| line.text.len() + 1).sum());
        for line in main() {
            if bytes.last().is_some_and(|last| *last != b'\n') {
                bytes.push(b'\n');
            }
            bytes.extend_from_slice(&line.text);
        }
        bytes
    }

    /// Adds the lines of a text at the end, numbered from `before + 1`.
    pub(crate) fn push_text(&mut self, origin: &Origin, before: usize, text: &[u8]) {
        for (index, line) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            self.push(Line::new(origin.clone(), before + index + 1, line.to_vec()));
        }
    }

    /// Adds a line at the end.
    pub(crate) fn push(&mut self, line: Line) -> Place {
        let place =
            self.lines.last_key_value().map_or(Place(0, 0), |(last, _)| Place(last.0 + 1, 0));
        self.put(place, line);
        place
    }

    /// Adds a line directly behind another one that is the last of its group.
    pub(crate) fn push_behind(&mut self, before: Place, line: Line) -> Place {
        let place = Place(before.0, before.1 + 1);
        debug_assert!(!self.lines.contains_key(&place));
        self.put(place, line);
        place
    }

    /// Replaces a line of the main file by a text without line end.
    pub(crate) fn rewrite(&mut self, place: Place, mut text: Vec<u8>) {
        if self.lines.get(&place).is_some_and(|old| old.text.ends_with(b"\r\n")) {
            text.push(b'\r');
        }
        self.put(place, Line::written(text));
    }

    /// Takes a line out of the main file. Two empty lines that meet thereby become one.
    pub(crate) fn remove(&mut self, place: Place) {
        self.pull(place);
        let main = |(_, line): &(&Place, &Line)| line.origin == Origin::Main;
        let before = self.lines.range(..place).rev().find(main).map(|(_, line)| line.is_blank());
        let after =
            self.lines.range(place..).find(main).map(|(place, line)| (*place, line.is_blank()));
        if let (Some(true) | None, Some((after, true))) = (before, after) {
            self.pull(after);
        }
    }

    /// Puts another text in the place of the main file; all other lines stay.
    pub(crate) fn replace_main(&mut self, main: &[u8]) {
        let old: Vec<Place> = self
            .lines
            .iter()
            .filter(|(_, line)| line.origin == Origin::Main)
            .map(|(place, _)| *place)
            .collect();
        old.into_iter().for_each(|place| self.pull(place));
        let foreign: Vec<Line> = self.lines.values().cloned().collect();
        let places: Vec<Place> = self.lines.keys().copied().collect();
        places.into_iter().for_each(|place| self.pull(place));
        self.push_text(&Origin::Main, 0, main);
        foreign.into_iter().for_each(|line| {
            self.push(line);
        });
    }

    fn pull(&mut self, place: Place) {
        if let Some(old) = self.take(place) {
            self.undo.push((place, Some(old)));
        }
    }

    /// The line at a place.
    pub(crate) fn line(&self, place: Place) -> Option<&Line> {
        self.lines.get(&place)
    }

    /// All lines with their places, in order.
    pub(crate) fn places_and_lines(&self) -> impl Iterator<Item = (Place, &Line)> {
        self.lines.iter().map(|(place, line)| (*place, line))
    }

    /// The last line of the main file.
    pub(crate) fn last_main_line(&self) -> Option<&Line> {
        self.lines.values().rev().find(|line| line.origin == Origin::Main)
    }

    /// The slots of one master that have lines.
    pub(crate) fn slots_of(&self, master: &MasterName) -> impl Iterator<Item = &Slot> {
        let first = Slot::Master(master.clone(), SentinelDirective::FIRST);
        self.by_slot.range(first..).map(|(slot, _)| slot).take_while(move |slot| match slot {
            Slot::Master(name, _) => name == master,
            Slot::Text | Slot::Broken | Slot::General(_) | Slot::Process(_) | Slot::Stray => false,
        })
    }

    /// The lines of one slot, in order.
    pub(crate) fn places(&self, slot: &Slot) -> impl Iterator<Item = (Place, &Line)> {
        let places = self.by_slot.get(slot).into_iter().flatten();
        places.filter_map(|place| Some((*place, self.lines.get(place)?)))
    }

    /// The slots that have lines.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.by_slot.keys()
    }

    /// The changes so far are final.
    pub(crate) fn keep(&mut self) {
        self.undo.clear();
    }

    /// Takes back every change since the last [`Document::keep`].
    pub(crate) fn take_back(&mut self) {
        while let Some((place, old)) = self.undo.pop() {
            self.take(place);
            if let Some(old) = old {
                self.insert(place, old);
            }
        }
    }

    fn put(&mut self, place: Place, line: Line) {
        let old = self.take(place);
        self.insert(place, line);
        self.undo.push((place, old));
    }

    fn insert(&mut self, place: Place, line: Line) {
        if line.slot.is_managed() {
            self.by_slot.entry(line.slot.clone()).or_default().insert(place);
        }
        self.lines.insert(place, line);
    }

    fn take(&mut self, place: Place) -> Option<Line> {
        let line = self.lines.remove(&place)?;
        if let Some(places) = self.by_slot.get_mut(&line.slot) {
            places.remove(&place);
            if places.is_empty() {
                self.by_slot.remove(&line.slot);
            }
        }
        Some(line)
    }
}
