//! The file system for a check: `dir` moves nothing but the view.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

use vedette_conf::Files;
use vedette_server::store::DiskFiles;

/// The real files, with a working directory of its own.
#[derive(Default)]
pub(super) struct CheckedFiles {
    /// Empty until a `dir` line.
    folder: RefCell<PathBuf>,
}

impl CheckedFiles {
    fn resolve(&self, path: &Path) -> PathBuf {
        self.folder.borrow().join(path)
    }
}

impl Files for CheckedFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        DiskFiles.read(&self.resolve(path))
    }

    fn glob(&self, pattern: &str) -> io::Result<Vec<PathBuf>> {
        DiskFiles.glob(&self.resolve(Path::new(pattern)).to_string_lossy())
    }

    fn is_executable(&self, path: &Path) -> bool {
        DiskFiles.is_executable(&self.resolve(path))
    }

    fn enter(&self, path: &Path) -> io::Result<()> {
        let folder = self.resolve(path);
        std::fs::read_dir(&folder)?;
        *self.folder.borrow_mut() = folder;
        Ok(())
    }
}
