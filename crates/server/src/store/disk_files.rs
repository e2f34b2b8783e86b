//! The file system as the loader sees it at start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use vedette_conf::Files;

/// The real file system; a `dir` line changes the working directory of the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskFiles;

impl Files for DiskFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn glob(&self, pattern: &str) -> io::Result<Vec<PathBuf>> {
        let paths = glob::glob(pattern).map_err(|error| io::Error::other(error.to_string()))?;
        paths.map(|path| path.map_err(Into::into)).collect()
    }

    fn is_executable(&self, path: &Path) -> bool {
        may_run(path)
    }

    fn enter(&self, path: &Path) -> io::Result<()> {
        std::env::set_current_dir(path)
    }
}

/// Whether the system would let this process execute it, as the reference asks: a folder passes,
/// and fails as a script.
pub(crate) fn may_run(path: &Path) -> bool {
    access(path, Access::EXEC_OK).is_ok()
}
