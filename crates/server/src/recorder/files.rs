//! Where recordings lie: beside the configuration file, or, where that folder takes none, in the
//! folder for temporary files. A few are kept; the oldest gives way.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Recordings that are kept. Repeated signals and crashes overwrite the oldest.
const KEPT: usize = 4;
/// Nobody else's business: names and addresses of a group.
const MODE: u32 = 0o600;

/// Who writes. Both may at the same time, each to a temporary file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    Thread,
    Panic,
}

/// The files of a process.
#[derive(Debug)]
pub(super) struct Files {
    /// What the names begin with, in the order of preference.
    stems: [PathBuf; 2],
}

impl Files {
    /// Beside this file, behind whatever links lead to it, else in the folder for temporary files,
    /// where the process's number tells it from others.
    pub(super) fn beside(config_file: &Path) -> Self {
        let path = fs::canonicalize(config_file).unwrap_or_else(|_| config_file.to_path_buf());
        let name = path.file_name().unwrap_or_default().to_owned();
        let elsewhere = with_suffix(Path::new(&name), &format!(".{}", std::process::id()));
        Self { stems: [path, std::env::temp_dir().join(elsewhere)] }
    }

    /// Writes a file, whole or not at all, and tells where.
    ///
    /// # Errors
    /// If neither folder takes it; the error is that of the first.
    pub(super) fn write(
        &self,
        writer: Writer,
        fill: impl Fn(&mut BufWriter<File>) -> io::Result<()>,
    ) -> io::Result<PathBuf> {
        let [beside, elsewhere] = &self.stems;
        write_at(beside, writer, &fill)
            .or_else(|error| write_at(elsewhere, writer, &fill).map_err(|_| error))
    }
}

fn write_at(
    stem: &Path,
    writer: Writer,
    fill: impl Fn(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let temporary = with_suffix(
        stem,
        match writer {
            Writer::Thread => ".flight.tmp",
            Writer::Panic => ".flight-panic.tmp",
        },
    );
    // What an interrupted process left behind. A link that somebody laid there is not followed.
    let _ = fs::remove_file(&temporary);
    let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&temporary)?;
    let mut out = BufWriter::new(file);
    let path = place(stem);
    let outcome = fill(&mut out).and_then(|()| out.flush());
    let outcome = outcome.and_then(|()| fs::rename(&temporary, &path));
    if outcome.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    outcome.map(|()| path)
}

/// The first free name, or that of the oldest file.
fn place(stem: &Path) -> PathBuf {
    let names = (1..=KEPT).map(|number| with_suffix(stem, &format!(".flight-{number}.jsonl")));
    // A missing file is older than any.
    let age = |path: &PathBuf| {
        fs::symlink_metadata(path)
            .and_then(|meta| meta.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH)
    };
    names.min_by_key(age).unwrap_or_else(|| stem.to_path_buf())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn write(files: &Files, text: &str) -> PathBuf {
        files.write(Writer::Thread, |out| out.write_all(text.as_bytes())).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = entries.map(|entry| name(entry).into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_oldest_recording_gives_way() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::beside(&folder.path().join("s.conf"));
        let day = |number| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(86_400 * number);
        let mut written = Vec::new();
        for number in 1..=KEPT as u64 {
            let path = write(&files, &number.to_string());
            File::options().write(true).open(&path).unwrap().set_modified(day(number)).unwrap();
            written.push(path);
        }
        assert_eq!(write(&files, "new"), written[0]);
        assert_eq!(fs::read_to_string(&written[0]).unwrap(), "new");
        assert_eq!(names(folder.path()).len(), KEPT);
        assert_eq!(names(folder.path())[0], "s.conf.flight-1.jsonl");
    }

    #[test]
    fn only_the_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(&Files::beside(&folder.path().join("s.conf")), "x");
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, MODE);
    }

    #[test]
    fn what_fails_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let fill = |out: &mut BufWriter<File>| {
            out.write_all(b"half")?;
            Err(io::Error::other("full"))
        };
        let stem = folder.path().join("s.conf");
        assert_eq!(write_at(&stem, Writer::Panic, fill).unwrap_err().to_string(), "full");
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[test]
    fn another_folder_takes_what_the_first_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = folder.path().join("s.conf.1");
        let files = Files { stems: [folder.path().join("missing/s.conf"), elsewhere] };
        assert_eq!(write(&files, "x"), folder.path().join("s.conf.1.flight-1.jsonl"));
    }
}
