//! Putting bytes in the place of the configuration so that a crash at any moment leaves the old or
//! the new file (spec: behaviour 13.5, holes H28).

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use super::in_place::InPlace;
use super::spare::{Spare, write_new};
use super::target::{Ownership, Target};
use super::without_number;

/// Tries for a name that nobody has.
const NAME_ATTEMPTS_MAX: usize = 16;

/// The ways to write, best first.
#[derive(Debug)]
pub(super) struct Committer {
    spare: Spare,
    swaps: bool,
    renames: bool,
    in_place: InPlace,
    /// To be said; each comes once.
    pub(super) warnings: Vec<String>,
}

impl Committer {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            spare: Spare::new(target),
            swaps: true,
            renames: true,
            in_place: InPlace::new(target),
            warnings: Vec::new(),
        }
    }

    /// Makes these bytes the file.
    pub(super) fn commit(
        &mut self,
        target: &Target,
        bytes: &[u8],
        ownership: Ownership,
    ) -> io::Result<()> {
        if self.replace_whole(target, bytes, ownership)? {
            return self.in_place.forget(target);
        }
        let copied = InPlace::keep_copy(target, bytes, ownership);
        self.in_place.overwrite(target, bytes, copied, &mut self.warnings)
    }

    /// Gives the name to another file; not if it is bound to the one that has it.
    fn replace_whole(
        &mut self,
        target: &Target,
        bytes: &[u8],
        ownership: Ownership,
    ) -> io::Result<bool> {
        if self.swaps && self.spare.is_rested() {
            match self.spare.swap_in(target, bytes, ownership) {
                Ok(()) => return Ok(true),
                Err(error) if is_unsupported(&error) => self.swaps = false,
                Err(error) if is_full(&error) => return Err(error),
                // A spare that is gone or not ours is no reason to fail.
                Err(_) => {}
            }
        }
        if !self.renames {
            return Ok(false);
        }
        match replace(target, bytes, ownership) {
            Ok(()) => Ok(true),
            Err(error) if is_full(&error) && self.swaps => {
                self.spare.swap_in(target, bytes, ownership).map(|()| true).map_err(|_| error)
            }
            Err(error) if is_pinned(&error) => {
                self.settle_for_in_place(target, &error);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The text of the file, or what it would be had the last save not torn it.
    pub(super) fn read(&self, target: &Target) -> io::Result<Vec<u8>> {
        self.in_place.read(target)
    }

    /// Prepares the next save; not part of this one.
    pub(super) fn prepare(&self, length: u64, ownership: Ownership) {
        if self.swaps && self.renames {
            // Without a spare saves still work, until the disk is full.
            let _ = self.spare.provide(length, ownership);
        }
    }

    fn settle_for_in_place(&mut self, target: &Target, error: &io::Error) {
        self.renames = false;
        self.swaps = false;
        self.spare.discard();
        self.warnings.push(format!(
            "{} cannot be replaced ({}), so it is overwritten in place, with a copy in {} \
             meanwhile. Mount its folder rather than the single file, and let it be writable",
            target.path.display(),
            without_number(error),
            InPlace::copy_of(target).display(),
        ));
    }
}

/// Puts these bytes in the place of a file that is not the configuration: whole or not at all, with
/// the mode and the owner that it had. `warn` is told what is to be logged.
///
/// # Errors
/// The file stays as it was; should that be impossible, [`super::recover`] makes it whole.
pub fn replace_file(path: &Path, bytes: &[u8], warn: impl FnMut(String)) -> io::Result<()> {
    let target = Target::new(path);
    let ownership = target.look().as_ref().map_or_else(|| Ownership::own(0o600), Ownership::of);
    let mut committer = Committer::new(&target);
    let done = committer.commit(&target, bytes, ownership);
    committer.warnings.into_iter().for_each(warn);
    done
}

/// The classic way: a new file, then a rename over the old one.
fn replace(target: &Target, bytes: &[u8], ownership: Ownership) -> io::Result<()> {
    let new = fresh(target, bytes, ownership)?;
    fs::rename(&new, &target.path).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })?;
    target.sync_folder()
}

/// Writes `<conf>.XXXXXX` with these bytes, durably.
pub(super) fn fresh(target: &Target, bytes: &[u8], ownership: Ownership) -> io::Result<PathBuf> {
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for _ in 0..NAME_ATTEMPTS_MAX {
        let path = target.beside(&random_suffix());
        match write_new(&path, bytes, ownership) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => {
                let _ = fs::remove_file(&path);
                return Err(error);
            }
        }
    }
    Err(last)
}

/// A dot and six random letters or digits, as the reference names its temporary file.
fn random_suffix() -> String {
    const LETTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut random = RandomState::new().hash_one(std::process::id());
    let mut suffix = String::from(".");
    for _ in 0..6 {
        let index = usize::try_from(random % LETTERS.len() as u64).unwrap_or(0);
        suffix.push(char::from(LETTERS[index]));
        random /= LETTERS.len() as u64;
    }
    suffix
}

/// Whether the file system cannot swap two files.
fn is_unsupported(error: &io::Error) -> bool {
    let unsupported =
        matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput);
    unsupported || is_pinned(error)
}

pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether the name cannot be given to another file: a mount point, or a folder that is not ours
/// or cannot be written to at all.
fn is_pinned(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    let mounted = matches!(error.kind(), K::ResourceBusy | K::CrossesDevices);
    mounted || matches!(error.kind(), K::PermissionDenied | K::ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        _folder: tempfile::TempDir,
        target: Target,
        committer: Committer,
    }

    fn open(text: &str) -> Case {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.conf");
        fs::write(&path, text).expect("written");
        let target = Target::new(&path);
        let committer = Committer::new(&target);
        Case { _folder: folder, target, committer }
    }

    impl Case {
        fn commit(&mut self, text: &str) {
            let ownership = Ownership::of(&self.target.look().expect("a file"));
            self.committer.commit(&self.target, text.as_bytes(), ownership).expect("saved");
            assert_eq!(fs::read_to_string(&self.target.path).expect("a file"), text);
            self.committer.prepare(text.len() as u64, ownership);
        }

        fn names(&self) -> Vec<String> {
            let folder = self.target.path.parent().expect("a folder");
            let entries = fs::read_dir(folder).expect("readable");
            let mut names: Vec<_> = entries
                .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
                .collect();
            names.sort();
            names
        }
    }

    #[test]
    fn a_spare_lies_ready_and_nothing_else_is_left() {
        let mut case = open("old");
        for text in ["one", "a longer one", "short"] {
            case.commit(text);
            assert_eq!(case.names(), ["s.conf", "s.conf.vedette-spare"]);
        }
    }

    #[test]
    fn a_rested_spare_is_swapped_in() {
        use std::os::unix::fs::MetadataExt as _;
        let mut case = open("old");
        case.commit("one");
        let spare = fs::metadata(case.target.beside(".vedette-spare")).expect("a spare").ino();
        case.commit("two");
        assert_eq!(case.target.look().expect("a file").ino(), spare);
        // What was the file until now may still be read, so it is left alone for a while.
        case.commit("three");
        let old = fs::read_to_string(case.target.beside(".vedette-spare")).expect("a spare");
        assert_eq!(old, "one");
    }

    #[test]
    fn a_pinned_file_is_overwritten_with_one_warning() {
        let mut case = open("a long old text");
        let busy = io::Error::from(io::ErrorKind::ResourceBusy);
        case.committer.settle_for_in_place(&case.target, &busy);
        case.commit("new");
        case.commit("newer");
        assert_eq!(case.names(), ["s.conf"]);
        assert_eq!(case.committer.warnings.len(), 1);
    }
}
