//! Writing the state back into the document (spec: interface 9).

mod general;
mod image;
mod replace;
mod wanted;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use vedette_core::{DurableChange, DurableState, MasterName};

use self::image::Image;
pub(crate) use self::replace::MARKER;
use self::replace::Writer;
use crate::directives::SentinelDirective;
use crate::document::{Document, Origin, Place, Slot};
use crate::error::Warning;
use crate::nul;

/// A change that does not come from the core.
#[derive(Clone, PartialEq, Eq)]
pub enum ShellChange {
    /// All users, one each: name and rules as they are to stand in the file, without the word
    /// `user`. Ignored while an `aclfile` is set, which then holds the users.
    Users(Vec<Vec<u8>>),
}

/// The main file as it is to be written: the document and the state that it must tell.
///
/// A save is `change`…, `render`, then `accept` once the bytes are durable or `reject` if they are
/// not: after `reject` everything is as it was after the last `accept`.
#[derive(Clone)]
pub struct SentinelFile {
    document: Document,
    image: Image,
    /// Working directory, saved if the file names none.
    dir: PathBuf,
    marker: Option<Place>,
    /// Masters that the file had lines of when nothing monitored them: the lines stay.
    orphans: BTreeSet<MasterName>,
    /// What somebody should know about the changes that were noted.
    warnings: Vec<Warning>,
    stale: Stale,
}

/// What must be rendered again.
#[derive(Clone, Debug, Default)]
struct Stale {
    everything: bool,
    process: bool,
    users: bool,
    masters: BTreeSet<MasterName>,
}

impl SentinelFile {
    /// The file of a start. `dir` is the working directory, saved if the file names none.
    #[must_use]
    pub fn new(mut document: Document, state: &DurableState, dir: &Path) -> Self {
        document.keep();
        let marker = marker(&document);
        let stale = Stale { everything: true, ..Stale::default() };
        let image = Image::new(state);
        let orphans = strangers(&document, &image);
        let (dir, warnings) = (dir.to_path_buf(), Vec::new());
        Self { document, image, dir, marker, orphans, warnings, stale }
    }

    /// Notes a change of the core.
    pub fn change(&mut self, change: &DurableChange) {
        match change {
            DurableChange::CurrentEpoch(_) | DurableChange::Settings(_) => {
                self.stale.process = true
            }
            DurableChange::Master(master) => {
                self.stale.masters.insert(master.name.clone());
            }
            DurableChange::Removed(name) => {
                self.warnings.extend(self.comes_back(name));
                self.stale.masters.insert(name.clone());
            }
        }
        self.image.change(change);
    }

    /// A line that is not ours to take out monitors the master again after the next start.
    fn comes_back(&self, name: &MasterName) -> Option<Warning> {
        let slot = Slot::Master(name.clone(), SentinelDirective::Monitor);
        let mut lines = self.document.places(&slot).map(|(_, line)| line);
        let line = lines.find(|line| *line.origin() != Origin::Main)?;
        let text =
            format!("master `{name}` is removed, but only until the next start: this names it");
        let remedy = "take it out there too";
        Some(Warning { place: Some((line.origin().clone(), line.number())), text, remedy })
    }

    /// What somebody should know about the changes that were noted; each is told once.
    pub fn take_warnings(&mut self) -> Vec<Warning> {
        std::mem::take(&mut self.warnings)
    }

    /// Notes a change of the shell.
    pub fn change_shell(&mut self, change: ShellChange) {
        match change {
            ShellChange::Users(users) => self.image.set_users(users),
        }
        self.stale.users = true;
    }

    /// Takes over a main file that somebody else changed: what is managed is told by the state, the
    /// rest by the new text. Lines of includes and options stay known.
    pub fn merge(&mut self, main: &[u8]) {
        let main = nul::without_any(main, &mut self.warnings);
        self.document.replace_main(&main);
        self.marker = marker(&self.document);
        self.stale.everything = true;
    }

    /// The bytes of the file. Only what changed since the last call is rendered again.
    pub fn render(&mut self) -> Vec<u8> {
        let stale = std::mem::take(&mut self.stale);
        let mut writer = Writer { document: &mut self.document, marker: &mut self.marker };
        let image = &self.image;
        if stale.everything {
            writer.mark_unreadable();
            remove_strangers(&mut writer, image, &self.orphans);
            writer.drop_open_default();
            writer.write_always(&self.dir);
        }
        if stale.everything || stale.process {
            writer.write_log_level(image.settings.log_level);
        }
        if let Some(users) = image.users.as_ref().filter(|_| stale.everything || stale.users) {
            writer.write_users(users);
        }
        if stale.everything || stale.process {
            let lines = wanted::before_masters(image.my_id.as_str(), &image.settings);
            lines.into_iter().for_each(|line| writer.write(vec![line], Slot::Process));
        }
        if stale.everything {
            image
                .masters_in_order()
                .into_iter()
                .for_each(|name| write_master(&mut writer, image, name));
        } else {
            stale.masters.iter().for_each(|name| write_master(&mut writer, image, name));
        }
        if stale.everything || stale.process {
            let lines = wanted::after_masters(image.current_epoch, &image.settings);
            lines.into_iter().for_each(|line| writer.write(vec![line], Slot::Process));
        }
        self.document.render()
    }

    /// The rendered bytes are durable.
    pub fn accept(&mut self) {
        self.document.keep();
        self.image.keep();
    }

    /// The rendered bytes were not saved: forgets the changes since the last `accept`.
    pub fn reject(&mut self) {
        self.document.take_back();
        self.image.take_back();
        self.warnings.clear();
        self.marker = marker(&self.document);
        // What was rendered was taken back with its lines; what was stale before may be again.
        self.stale = Stale { everything: true, ..Stale::default() };
    }

    /// The bytes of `<conf>.vedette`.
    #[must_use]
    pub fn render_votes(&self) -> Vec<u8> {
        crate::render_votes(self.image.votes())
    }
}

fn write_master(writer: &mut Writer<'_>, image: &Image, name: &MasterName) {
    match image.master(name) {
        Some(master) => writer
            .write(wanted::of_master(master), |directive| Slot::Master(name.clone(), directive)),
        None => remove_master(writer, name),
    }
}

fn remove_master(writer: &mut Writer<'_>, name: &MasterName) {
    let slots: Vec<Slot> = writer.document.slots_of(name).cloned().collect();
    slots.iter().for_each(|slot| writer.remove_main(slot));
}

/// Lines of masters that are not monitored. What was there at the start stays, but for lines that
/// would monitor them.
fn remove_strangers(writer: &mut Writer<'_>, image: &Image, orphans: &BTreeSet<MasterName>) {
    for name in strangers(writer.document, image) {
        if orphans.contains(&name) {
            writer.remove_main(&Slot::Master(name, SentinelDirective::Monitor));
        } else {
            remove_master(writer, &name);
        }
    }
}

/// Masters that have lines and are not monitored.
fn strangers(document: &Document, image: &Image) -> BTreeSet<MasterName> {
    let names = document.slots().filter_map(|slot| match slot {
        Slot::Master(name, _) => Some(name.clone()),
        Slot::Text | Slot::Broken | Slot::General(_) | Slot::Process(_) | Slot::Stray => None,
    });
    names.filter(|name| image.master(name).is_none()).collect()
}

fn marker(document: &Document) -> Option<Place> {
    let mut lines = document.places_and_lines();
    let found = lines.find(|(_, line)| *line.origin() == Origin::Main && line.text() == MARKER);
    found.map(|(place, _)| place)
}
