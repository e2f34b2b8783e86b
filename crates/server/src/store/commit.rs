//! Putting bytes in the place of the configuration so that a crash at any moment leaves the old or
//! the new file (spec: behaviour 13.5, holes H28).

use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::spare::{Spare, write_new};
use super::target::{Ownership, Target};
use super::without_number;

/// Tries for a name that nobody has.
const NAME_ATTEMPTS_MAX: usize = 16;
/// The copy that holds the truth while a file is overwritten in place.
const IN_PLACE: &str = ".vedette-copy";

/// The ways to write, best first.
#[derive(Debug)]
pub(super) struct Committer {
    spare: Spare,
    swaps: bool,
    renames: bool,
    lack_of_copy_said: bool,
    /// To be said; each comes once.
    pub(super) warnings: Vec<String>,
}

impl Committer {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            spare: Spare::new(target),
            swaps: true,
            renames: true,
            lack_of_copy_said: false,
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
        if self.swaps && self.spare.is_rested() {
            match self.spare.swap_in(target, bytes, ownership) {
                Ok(()) => return Ok(()),
                Err(error) if is_unsupported(&error) => self.swaps = false,
                Err(error) if is_full(&error) => return Err(error),
                // A spare that is gone or not ours is no reason to fail.
                Err(_) => {}
            }
        }
        if self.renames {
            match replace(target, bytes, ownership) {
                Err(error) if is_full(&error) && self.swaps => {
                    return self.spare.swap_in(target, bytes, ownership).map_err(|_| error);
                }
                Err(error) if is_pinned(&error) => self.settle_for_in_place(target, &error),
                done => return done,
            }
        }
        self.overwrite(target, bytes, ownership)
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
            target.beside(IN_PLACE).display(),
        ));
    }

    fn overwrite(&mut self, target: &Target, bytes: &[u8], ownership: Ownership) -> io::Result<()> {
        let copy = target.beside(IN_PLACE);
        let copied = fresh(target, bytes, ownership).and_then(|new| {
            fs::rename(&new, &copy)?;
            target.sync_folder()
        });
        self.overwrite_beside(target, bytes, &copied)
    }

    /// Writes in place; an older copy must not be there by then, or it would be put back.
    fn overwrite_beside(
        &mut self,
        target: &Target,
        bytes: &[u8],
        copied: &io::Result<()>,
    ) -> io::Result<()> {
        if let Err(error) = copied
            && !std::mem::replace(&mut self.lack_of_copy_said, true)
        {
            let text =
                "no copy can be kept meanwhile: a crash in such a moment can leave a torn file";
            let (path, error) = (target.path.display(), without_number(error));
            self.warnings.push(format!("{path}: {text} ({error})"));
        }
        if copied.is_err() {
            forget_copy(target)?;
        }
        write_over(&target.path, bytes)?;
        if copied.is_ok() {
            // A copy that stays is as new as the file; the next save tries again.
            let _ = forget_copy(target);
        }
        Ok(())
    }
}

/// Puts these bytes in the place of a file that is not the configuration: whole or not at all, with
/// the mode and the owner that it had.
///
/// # Errors
/// The file stays as it was.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = Target::new(path);
    let ownership = target.look().as_ref().map_or_else(|| Ownership::own(0o600), Ownership::of);
    Committer::new(&target).commit(&target, bytes, ownership)
}

/// Ends an overwriting that a crash cut short: to be called before the file is loaded.
///
/// # Errors
/// The copy is there but the file cannot be written.
pub fn recover(path: &Path) -> io::Result<()> {
    let target = Target::new(path);
    let copy = target.beside(IN_PLACE);
    match fs::read(&copy) {
        Ok(bytes) => {
            write_over(&target.path, &bytes)?;
            fs::remove_file(&copy)
        }
        Err(_) => Ok(()),
    }
}

/// Removes the copy, durably.
fn forget_copy(target: &Target) -> io::Result<()> {
    let copy = target.beside(IN_PLACE);
    match fs::remove_file(&copy) {
        Ok(()) => target.sync_folder(),
        Err(_) if !copy.is_file() => Ok(()),
        Err(error) => Err(error),
    }
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
fn fresh(target: &Target, bytes: &[u8], ownership: Ownership) -> io::Result<PathBuf> {
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

fn write_over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// Whether the file system cannot swap two files.
fn is_unsupported(error: &io::Error) -> bool {
    let unsupported =
        matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput);
    unsupported || is_pinned(error)
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether the name cannot be given to another file: a mount point, or a folder that is not ours.
fn is_pinned(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::ResourceBusy | K::CrossesDevices | K::PermissionDenied)
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

    #[test]
    fn an_old_copy_is_never_put_back_over_a_newer_file() {
        let mut case = open("old");
        let copy = case.target.beside(IN_PLACE);
        let full = Err(io::ErrorKind::StorageFull.into());
        fs::write(&copy, "old").expect("written");
        case.committer.overwrite_beside(&case.target, b"new", &full).expect("saved");
        recover(&case.target.path).expect("recovered");
        assert_eq!(fs::read_to_string(&case.target.path).expect("a file"), "new");
        assert_eq!(case.names(), ["s.conf"]);
    }

    #[test]
    fn an_interrupted_overwriting_is_finished() {
        let case = open("torn");
        fs::write(case.target.beside(IN_PLACE), "whole").expect("written");
        recover(&case.target.path).expect("recovered");
        assert_eq!(fs::read_to_string(&case.target.path).expect("a file"), "whole");
        assert_eq!(case.names(), ["s.conf"]);
    }
}
