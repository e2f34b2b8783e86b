//! Overwriting a file that cannot be replaced. A copy beside it holds the truth until the file was
//! written whole, so that every start finds a whole text: the old or the new (spec: holes H28).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};

use super::commit::{fresh, is_full};
use super::target::{Fingerprint, Ownership, Target};
use super::without_number;

/// The copy that holds the truth while a file is overwritten in place.
const COPY: &str = ".vedette-copy";

/// The file as it is overwritten again and again.
#[derive(Debug)]
pub(super) struct InPlace {
    torn: Option<Torn>,
    lack_of_copy_said: bool,
    /// Another one in tests of what fails half way.
    write: fn(&Path, &[u8]) -> io::Result<()>,
}

/// A file that was not written whole and could not be put back either.
#[derive(Debug)]
struct Torn {
    /// What it was before.
    whole: Vec<u8>,
    /// By which it is known as long as nobody else writes it.
    looks: Option<Fingerprint>,
}

impl InPlace {
    /// A copy that is there already is what a torn file should be.
    pub(super) fn new(target: &Target) -> Self {
        let looks = target.look().as_ref().map(Fingerprint::of);
        let torn = fs::read(Self::copy_of(target)).ok().map(|whole| Torn { whole, looks });
        Self { torn, lack_of_copy_said: false, write: write_over }
    }

    /// Where the copy lies.
    pub(super) fn copy_of(target: &Target) -> PathBuf {
        target.beside(COPY)
    }

    /// Keeps these bytes beside the file, durably.
    pub(super) fn keep_copy(target: &Target, bytes: &[u8], ownership: Ownership) -> io::Result<()> {
        let new = fresh(target, bytes, ownership)?;
        fs::rename(&new, Self::copy_of(target)).inspect_err(|_| {
            let _ = fs::remove_file(&new);
        })?;
        target.sync_folder()
    }

    /// The text of the file; while it is torn, what it was before.
    pub(super) fn read(&self, target: &Target) -> io::Result<Vec<u8>> {
        let looks = target.look().as_ref().map(Fingerprint::of);
        match &self.torn {
            Some(torn) if torn.looks == looks => Ok(torn.whole.clone()),
            Some(_) | None => fs::read(&target.path),
        }
    }

    /// The file was replaced after all: a copy that is left is older.
    pub(super) fn forget(&mut self, target: &Target) -> io::Result<()> {
        if self.torn.take().is_some() { forget_copy(target) } else { Ok(()) }
    }

    /// Writes in place. `copied` tells whether a copy of these bytes is kept; if not, an older one
    /// may be there, which knows everything that was told to be saved.
    pub(super) fn overwrite(
        &mut self,
        target: &Target,
        bytes: &[u8],
        copied: io::Result<()>,
        warnings: &mut Vec<String>,
    ) -> io::Result<()> {
        if let Err(error) = &copied
            && !std::mem::replace(&mut self.lack_of_copy_said, true)
        {
            let text =
                "no copy can be kept meanwhile: a crash in such a moment can leave a torn file";
            let (path, error) = (target.path.display(), without_number(error));
            warnings.push(format!("{path}: {text} ({error})"));
        }
        let before = self.read(target).ok();
        if let Err(error) = (self.write)(&target.path, bytes) {
            self.put_back(target, before, &error, warnings);
            return Err(error);
        }
        self.torn = None;
        match (forget_copy(target), copied) {
            // A copy that stays is as new as the file; the next save tries again.
            (_, Ok(())) => Ok(()),
            // An older one would be put back over it at the next start: nothing is saved.
            (forgotten, Err(_)) => forgotten,
        }
    }

    /// Undoes what failed half way. If that fails too, whatever copy there is stays until a save
    /// succeeds.
    fn put_back(
        &mut self,
        target: &Target,
        before: Option<Vec<u8>>,
        why: &io::Error,
        warnings: &mut Vec<String>,
    ) {
        let Some(whole) = before else {
            // There was none: none is better than half of one.
            let _ = fs::remove_file(&target.path);
            return;
        };
        if (self.write)(&target.path, &whole).is_ok() {
            self.torn = None;
            // What failed is not to come back; if it does, it is whole.
            let _ = forget_copy(target);
            return;
        }
        let looks = target.look().as_ref().map(Fingerprint::of);
        if self.torn.replace(Torn { whole, looks }).is_none() {
            let copy = Self::copy_of(target);
            let kept = if copy.is_file() {
                format!("{} holds it whole and is put back at the next start", copy.display())
            } else {
                "there is no copy: keep this process alive until it can save".to_owned()
            };
            let (path, why) = (target.path.display(), without_number(why));
            warnings.push(format!("{path} is torn, a save failed half way ({why}); {kept}"));
        }
    }
}

/// The copy that the next start puts back over this file, if there is one.
#[must_use]
pub fn copy_to_put_back(path: &Path) -> Option<PathBuf> {
    Some(InPlace::copy_of(&Target::new(path))).filter(|copy| copy.is_file())
}

/// Ends an overwriting that was cut short: to be called before the file is loaded. Whether a copy
/// was put back.
///
/// # Errors
/// The copy is there but cannot be read, or the file cannot be written: it may be torn.
pub fn recover(path: &Path) -> io::Result<bool> {
    let target = Target::new(path);
    let whole = match fs::read(InPlace::copy_of(&target)) {
        Ok(whole) => whole,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let is_whole = fs::read(&target.path).is_ok_and(|text| text == whole);
    if !is_whole {
        write_over(&target.path, &whole)?;
    }
    // A copy that stays is as new as the file.
    let _ = forget_copy(&target);
    Ok(!is_whole)
}

/// Removes the copy, durably.
fn forget_copy(target: &Target) -> io::Result<()> {
    let copy = InPlace::copy_of(target);
    match fs::remove_file(&copy) {
        Ok(()) => target.sync_folder(),
        Err(_) if !copy.is_file() => Ok(()),
        Err(error) => Err(error),
    }
}

fn write_over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    make_room(&file, bytes.len() as u64)?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// A disk that is full is to be noticed before the first byte is written.
fn make_room(file: &File, length: u64) -> io::Result<()> {
    if length <= file.metadata()?.len() {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::KEEP_SIZE, 0, length).map_err(io::Error::from) {
        Err(error) if is_full(&error) => Err(error),
        // Not every file system can.
        Err(_) | Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file on a disk that may stop in the middle.
    struct Case {
        _folder: tempfile::TempDir,
        target: Target,
        in_place: InPlace,
        warnings: Vec<String>,
    }

    fn open(text: &str) -> Case {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s.conf");
        fs::write(&path, text).expect("written");
        let target = Target::new(&path);
        let in_place = InPlace::new(&target);
        Case { _folder: folder, target, in_place, warnings: Vec::new() }
    }

    /// Writes a few bytes and fails, whatever it is.
    fn fail_half_way(path: &Path, _bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.write_all(b"###")?;
        Err(io::Error::other("the disk is gone"))
    }

    /// The same, but what is old can be written.
    fn fail_on_what_is_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
        if bytes.starts_with(b"old") { write_over(path, bytes) } else { fail_half_way(path, bytes) }
    }

    impl Case {
        fn save(&mut self, text: &str) -> io::Result<()> {
            let ownership = Ownership::of(&self.target.look().expect("a file"));
            let copied = InPlace::keep_copy(&self.target, text.as_bytes(), ownership);
            self.save_with(text, copied)
        }

        fn save_with(&mut self, text: &str, copied: io::Result<()>) -> io::Result<()> {
            self.in_place.overwrite(&self.target, text.as_bytes(), copied, &mut self.warnings)
        }

        fn text(&self) -> String {
            fs::read_to_string(&self.target.path).expect("a file")
        }

        fn has_copy(&self) -> bool {
            InPlace::copy_of(&self.target).exists()
        }

        /// What the next start finds.
        fn after_a_crash(&self) -> String {
            recover(&self.target.path).expect("recovered");
            assert!(!self.has_copy());
            self.text()
        }
    }

    fn full() -> io::Result<()> {
        Err(io::ErrorKind::StorageFull.into())
    }

    #[test]
    fn an_old_copy_is_never_put_back_over_a_newer_file() {
        let mut case = open("old");
        fs::write(InPlace::copy_of(&case.target), "old").expect("written");
        case.save_with("new", full()).expect("saved");
        assert_eq!(case.after_a_crash(), "new");
    }

    #[test]
    fn an_interrupted_overwriting_is_finished() {
        let case = open("torn");
        fs::write(InPlace::copy_of(&case.target), "whole").expect("written");
        assert_eq!(case.after_a_crash(), "whole");
        assert!(!recover(&case.target.path).expect("nothing to do"));
    }

    #[test]
    fn a_save_that_fails_half_way_leaves_the_old_file() {
        for copied in [true, false] {
            let mut case = open("old and long");
            case.in_place.write = fail_on_what_is_new;
            let saved =
                if copied { case.save("a new one") } else { case.save_with("a new one", full()) };
            saved.expect_err("it fails");
            assert_eq!(case.text(), "old and long");
            assert!(!case.has_copy());
            assert_eq!(case.after_a_crash(), "old and long");
        }
    }

    #[test]
    fn the_copy_is_kept_until_a_whole_save() {
        let mut case = open("old and long");
        case.in_place.write = fail_half_way;
        case.save("new").expect_err("it fails");
        case.save("newer").expect_err("it fails again");
        assert_eq!(case.text(), "### and long", "it is torn");
        assert_eq!(case.in_place.read(&case.target).expect("known"), b"old and long");
        assert_eq!(case.warnings.len(), 1, "{:?}", case.warnings);
        // The disk is full now, too: the copy stays whatever fails.
        case.save_with("newest", full()).expect_err("it fails");
        assert!(case.has_copy());
        case.in_place.write = write_over;
        case.save_with("newest", full()).expect("saved");
        assert_eq!(case.text(), "newest");
        assert!(!case.has_copy());
    }

    #[test]
    fn a_torn_file_is_whole_at_the_next_start() {
        let mut case = open("old and long");
        case.in_place.write = fail_half_way;
        case.save("new").expect_err("it fails");
        assert_eq!(case.after_a_crash(), "new");
    }

    /// As of an `aclfile`, each of whose saves begins anew.
    #[test]
    fn a_later_save_knows_of_a_torn_file() {
        let mut case = open("old and long");
        case.in_place.write = fail_half_way;
        case.save("old, but a newer one").expect_err("it fails");
        case.in_place = InPlace::new(&case.target);
        case.in_place.write = fail_on_what_is_new;
        case.save("a third one").expect_err("it fails");
        assert_eq!(case.text(), "old, but a newer one");
        assert!(!case.has_copy());
    }

    #[test]
    fn who_mends_a_torn_file_is_heard() {
        let mut case = open("old and long");
        case.in_place.write = fail_half_way;
        case.save("new").expect_err("it fails");
        fs::write(&case.target.path, "mended by hand").expect("written");
        assert_eq!(case.in_place.read(&case.target).expect("readable"), b"mended by hand");
    }
}
