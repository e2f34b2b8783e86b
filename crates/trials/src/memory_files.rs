//! A file system of a few files in memory.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use vedette_conf::Files;

/// Files by path. Everything named `*.sh` can be executed; `/gone` cannot be entered.
#[derive(Default)]
pub(crate) struct MemoryFiles(BTreeMap<PathBuf, Vec<u8>>);

impl MemoryFiles {
    /// The same and one more file.
    pub(crate) fn with(mut self, path: &str, text: &[u8]) -> Self {
        self.0.insert(path.into(), text.to_vec());
        self
    }
}

impl Files for MemoryFiles {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn glob(&self, pattern: &str) -> io::Result<Vec<PathBuf>> {
        let start = pattern.trim_end_matches('*');
        let fits = |path: &&PathBuf| path.to_string_lossy().starts_with(start);
        Ok(self.0.keys().filter(fits).cloned().collect())
    }

    fn is_executable(&self, path: &Path) -> bool {
        path.as_os_str().as_encoded_bytes().ends_with(b".sh")
    }

    fn enter(&self, path: &Path) -> io::Result<()> {
        if path == Path::new("/gone") { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) }
    }
}
