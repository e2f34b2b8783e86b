//! A Sentinel's disk: the bytes that would be there after a crash. What is written goes through the
//! real renderer of `sentinel.conf`, what is read back through the real loader.

use std::io;
use std::path::{Path, PathBuf};

use vedette_conf::{Files, SentinelFile};
use vedette_core::{DurableChange, DurableState, Generation, SentinelId};

use crate::random::Random;

const MAIN: &str = "/sentinel.conf";
/// What a disk writes whole or not at all; small, so that a file has several.
const BLOCK: usize = 64;

/// The files of one Sentinel, and the save that is on its way.
pub(crate) struct Disk {
    files: MemoryFiles,
    /// The name cannot be given to another file: it is overwritten in place, with a copy beside it
    /// that is durable before.
    pub(crate) in_place: bool,
    copy: Option<Vec<u8>>,
    votes: Vec<u8>,
    /// What the side file was before: it is written last, and not waited for.
    older_votes: Vec<u8>,
    store: SentinelFile,
    /// What the file must tell, kept apart from it.
    image: DurableState,
    flight: Option<Flight>,
    /// Saves take this much longer.
    pub(crate) extra_ms: u64,
    /// Saves fail.
    pub(crate) full: u32,
    /// Saves do not end.
    pub(crate) stuck: u32,
}

/// A save on its way.
struct Flight {
    generation: Generation,
    changes: Vec<DurableChange>,
    bytes: Vec<u8>,
    votes: Vec<u8>,
    /// It is known to fail when it ends.
    fails: bool,
    /// Its time came while the disk was stuck.
    overdue: bool,
}

/// What became of a save whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    Done,
    Failed,
    /// It failed, and a vote was in it.
    VoteLost,
    /// The disk is stuck, or nobody waits for it any more.
    NotYet,
}

#[derive(Clone, Debug)]
struct MemoryFiles(Vec<u8>);

impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if path == Path::new(MAIN) {
            return Ok(self.0.clone());
        }
        Err(io::Error::from_raw_os_error(2))
    }

    fn glob(&self, _pattern: &str) -> io::Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }

    fn is_executable(&self, _path: &Path) -> bool {
        true
    }

    fn enter(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

impl Disk {
    /// A disk with the file that an operator wrote.
    pub(crate) fn new(text: &str, id: SentinelId) -> Self {
        let files = MemoryFiles(text.as_bytes().to_vec());
        let (store, image) = load(&files, &[], id);
        let (votes, older_votes) = (Vec::new(), Vec::new());
        let (flight, extra_ms, full, stuck) = (None, 0, 0, 0);
        let (in_place, copy) = (false, None);
        Self {
            files,
            in_place,
            copy,
            votes,
            older_votes,
            store,
            image,
            flight,
            extra_ms,
            full,
            stuck,
        }
    }

    /// What is durable.
    pub(crate) fn image(&self) -> &DurableState {
        &self.image
    }

    /// The file as it stands.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.files.0).into_owned()
    }

    /// Begins a save.
    pub(crate) fn begin(&mut self, generation: Generation, changes: Vec<DurableChange>) {
        changes.iter().for_each(|change| self.store.change(change));
        let bytes = self.store.render();
        let votes = self.store.render_votes();
        let fails = self.full > 0;
        self.flight = Some(Flight { generation, changes, bytes, votes, fails, overdue: false });
    }

    /// The time of a save has come.
    pub(crate) fn end(&mut self, generation: Generation) -> Saved {
        let Some(mut flight) = self.flight.take_if(|flight| flight.generation == generation) else {
            return Saved::NotYet;
        };
        if self.stuck > 0 {
            flight.overdue = true;
            self.flight = Some(flight);
            return Saved::NotYet;
        }
        if flight.fails || self.full > 0 {
            self.store.reject();
            let loses_vote = flight.changes.iter().any(|change| self.tells_vote(change));
            return if loses_vote { Saved::VoteLost } else { Saved::Failed };
        }
        self.put_in_place(flight);
        self.store.accept();
        Saved::Done
    }

    fn tells_vote(&self, change: &DurableChange) -> bool {
        let DurableChange::Master(new) = change else { return false };
        let old = self.image.masters.iter().find(|old| old.name == new.name);
        old.is_some_and(|old| old.leader_epoch < new.leader_epoch)
    }

    /// The save that waits for a disk which is not stuck any more.
    pub(crate) fn overdue(&self) -> Option<Generation> {
        self.flight.as_ref().filter(|flight| flight.overdue).map(|flight| flight.generation)
    }

    fn put_in_place(&mut self, flight: Flight) {
        self.files.0 = flight.bytes;
        self.older_votes = std::mem::replace(&mut self.votes, flight.votes);
        flight.changes.iter().for_each(|change| apply(&mut self.image, change));
    }

    /// The process is gone: the old file is there, or the new one. The side file comes after it
    /// without an fsync: it may be the old one, torn, empty, or lost.
    pub(crate) fn crash(&mut self, random: &mut Random, side_file_lost: bool) {
        if let Some(flight) = self.flight.take()
            && !flight.fails
            && random.percent(50)
        {
            let older = self.files.0.clone();
            self.put_in_place(flight);
            if self.in_place {
                self.tear(&older, random);
            }
        }
        match random.below(10) {
            0 => self.votes = std::mem::take(&mut self.older_votes),
            1 | 2 => self.votes.truncate(random.index(self.votes.len() + 1)),
            _ => {}
        }
        if side_file_lost {
            self.votes.clear();
        }
    }

    /// The crash came while the file was overwritten, its copy being durable: of each block the old
    /// bytes or the new ones are there, and the length may be the old one.
    fn tear(&mut self, older: &[u8], random: &mut Random) {
        let new = std::mem::take(&mut self.files.0);
        let length = if random.percent(50) { new.len() } else { new.len().max(older.len()) };
        for start in (0..length).step_by(BLOCK) {
            let end = (start + BLOCK).min(length);
            let from = if random.percent(50) { older } else { &new };
            let block = from.get(start..).unwrap_or(&[]).iter().take(end - start);
            self.files.0.extend(block);
            // What was not written yet of a longer file is a hole.
            self.files.0.resize(end, 0);
        }
        self.copy = Some(new);
    }

    /// A new process puts back the copy of an overwriting that was cut short, as the daemon does
    /// before it loads, and reads what is there.
    pub(crate) fn restart(&mut self) -> Result<DurableState, String> {
        if let Some(copy) = self.copy.take() {
            self.files.0 = copy;
        }
        let id = self.image.my_id;
        let (store, state) = load(&self.files, &self.votes, id);
        self.store = store;
        let (told, given) = (comparable(&state), comparable(&self.image));
        self.image = state.clone();
        if told == given {
            return Ok(state);
        }
        Err(format!("the file tells {told:?} but was given {given:?}\n{}", self.text()))
    }
}

/// What the file must tell, whatever the order of its lines. Votes are told beside it.
fn comparable(state: &DurableState) -> DurableState {
    let mut state = state.clone();
    state.masters.sort_by(|one, other| one.name.cmp(&other.name));
    for master in &mut state.masters {
        master.last_vote = None;
        master.replicas.sort();
        master.sentinels.sort_by_key(|sentinel| sentinel.id);
    }
    state
}

fn load(files: &MemoryFiles, votes: &[u8], id: SentinelId) -> (SentinelFile, DurableState) {
    let mut loaded = vedette_conf::load(Path::new(MAIN), &[], None, files)
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(&files.0)));
    loaded.remember_votes(votes);
    let state = loaded.state.durable(id);
    (SentinelFile::new(loaded.document, &state, Path::new("/")), state)
}

fn apply(image: &mut DurableState, change: &DurableChange) {
    match change {
        DurableChange::CurrentEpoch(epoch) => image.current_epoch = Some(*epoch),
        DurableChange::Settings(settings) => image.settings = (**settings).clone(),
        DurableChange::Master(master) => {
            let found = image.masters.iter_mut().find(|other| other.name == master.name);
            match found {
                Some(found) => *found = (**master).clone(),
                None => image.masters.push((**master).clone()),
            }
        }
        DurableChange::Removed(name) => image.masters.retain(|master| master.name != *name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address;

    /// A file that is overwritten in place, cut short by a crash in the middle of a save.
    fn torn(seed: u64) -> (Disk, String) {
        let text = "port 26379\nsentinel monitor m0 10.1.0.1 6379 2\n";
        let mut disk = Disk::new(text, address::sentinel_id(1, 0));
        disk.in_place = true;
        let before = disk.text();
        let mut master = disk.image.masters[0].clone();
        master.leader_epoch = vedette_core::Epoch::new(7);
        disk.begin(Generation(1), vec![DurableChange::Master(master.into())]);
        disk.crash(&mut Random::stream(seed, "disk"), false);
        (disk, before)
    }

    #[test]
    fn a_file_torn_by_an_overwriting_is_put_back_from_its_copy() {
        let mut was_torn = 0;
        for seed in 0..40 {
            let (mut disk, before) = torn(seed);
            let whole = disk.copy.clone().unwrap_or_else(|| before.into_bytes());
            was_torn += usize::from(disk.files.0 != whole);
            let epoch = disk.image.masters[0].leader_epoch;
            let state = disk.restart().unwrap_or_else(|evidence| panic!("{evidence}"));
            assert_eq!(state.masters[0].leader_epoch, epoch);
            assert_eq!(disk.files.0, whole);
        }
        assert!(was_torn >= 5, "{was_torn} of 40");
    }
}
