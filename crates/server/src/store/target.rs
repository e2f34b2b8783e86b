//! The file on the disk: where it really is, whose it is, and whether it is still as we left it.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// A file behind whatever links lead to it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) path: PathBuf,
    folder: PathBuf,
}

impl Target {
    /// Follows links, so that the link stays one when the file is replaced (spec: holes H28).
    pub(super) fn new(path: &Path) -> Self {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).to_path_buf();
        Self { path, folder }
    }

    /// A file beside it: the same name with a suffix.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(self.path.as_os_str());
        name.push(suffix);
        name.into()
    }

    /// Makes a rename in the folder durable.
    pub(super) fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    /// The file as it is now; none if it is gone.
    pub(super) fn look(&self) -> Option<Metadata> {
        fs::metadata(&self.path).ok()
    }
}

/// By what we know a file again: device, inode, size, and time of the last change of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint([u64; 5]);

impl Fingerprint {
    pub(super) fn of(meta: &Metadata) -> Self {
        let (secs, nanos) = (meta.mtime().cast_unsigned(), meta.mtime_nsec().cast_unsigned());
        Self([meta.dev(), meta.ino(), meta.size(), secs, nanos])
    }
}

/// Mode and owner, which survive a save (spec: holes H28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ownership {
    mode: u32,
    uid: u32,
    gid: u32,
}

impl Ownership {
    pub(super) fn of(meta: &Metadata) -> Self {
        Self { mode: meta.mode() & 0o7777, uid: meta.uid(), gid: meta.gid() }
    }

    /// A mode for a file that is the process's own.
    pub(super) fn own(mode: u32) -> Self {
        use rustix::process::{getegid, geteuid};
        Self { mode, uid: geteuid().as_raw(), gid: getegid().as_raw() }
    }

    /// Gives a file the same. An owner that we may not set is not worth a lost save.
    pub(super) fn give_to(self, file: &File) -> io::Result<()> {
        let now = Self::of(&file.metadata()?);
        if (now.uid, now.gid) != (self.uid, self.gid) {
            let _ = fchown(file, Some(self.uid), Some(self.gid));
        }
        if now != self {
            file.set_permissions(Permissions::from_mode(self.mode))?;
        }
        Ok(())
    }
}
