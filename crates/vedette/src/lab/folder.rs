//! The folder of a lab: temporary unless somebody wants to look into it afterwards.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;

use super::warden;

/// When this variable is set, folders stay and their paths are printed.
const KEEP: &str = "VEDETTE_LAB_KEEP";

/// A folder that is removed on drop.
#[derive(Debug)]
pub struct Folder {
    /// None if the files are to stay.
    _held: Option<TempDir>,
    path: PathBuf,
}

impl Folder {
    /// A new folder below `parent`, or where temporary files go.
    ///
    /// # Errors
    ///
    /// The folder cannot be created.
    pub fn new(parent: Option<&Path>) -> anyhow::Result<Self> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let held = tempfile::Builder::new()
            .prefix("vedette-lab-")
            .tempdir_in(&parent)
            .with_context(|| format!("cannot create a folder in {}", parent.display()))?;
        // Sentinels of another user work here too.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(held.path(), mode)?;
        let path = held.path().to_path_buf();
        if std::env::var_os(KEEP).is_some() {
            eprintln!("the lab's files stay in {}", held.keep().display());
            return Ok(Self { _held: None, path });
        }
        warden::add_folder(&path);
        Ok(Self { _held: Some(held), path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
