//! What the loader may ask about the outside world.

use std::io;
use std::path::{Path, PathBuf};

/// The caller's view of the file system. Relative paths are relative to the working directory,
/// which a `dir` line moves.
pub trait Files {
    /// The whole content of a file.
    ///
    /// # Errors
    /// Whatever the operating system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The files that match a pattern of `*`, `?` and `[…]`, sorted by name; empty if none does.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    fn glob(&self, pattern: &str) -> io::Result<Vec<PathBuf>>;

    /// Whether the path is a regular file that may be executed (spec: behaviour 11.4).
    fn is_executable(&self, path: &Path) -> bool;

    /// Makes `path` the working directory (spec: interface 8.4, `dir`).
    ///
    /// # Errors
    /// The operating system's refusal, which is fatal for the configuration.
    fn enter(&self, path: &Path) -> io::Result<()>;
}
