//! The spare: a file beside the configuration that already owns the blocks of the next save, so
//! that a full disk does not stop votes. It is the configuration before the last one: a save
//! overwrites the spare and swaps the two, which also costs one journal commit less.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FallocateFlags, RenameFlags, fallocate, renameat_with};

use super::target::{Ownership, Target};

/// Room beyond the present size: some hundred more known replicas and Sentinels.
const SLACK_BYTES: u64 = 64 * 1024;
/// A file that was the configuration until a moment ago may still be read by somebody.
const REST: Duration = Duration::from_secs(1);
const BLOCK_BYTES: u64 = 512;

const SUFFIX: &str = ".vedette-spare";

/// The spare file.
#[derive(Debug)]
pub(super) struct Spare {
    path: PathBuf,
    /// When its bytes stopped being the configuration.
    retired: Option<Instant>,
}

impl Spare {
    pub(super) fn new(target: &Target) -> Self {
        Self { path: target.beside(SUFFIX), retired: None }
    }

    /// Whether it may be overwritten without tearing the file under a reader.
    pub(super) fn is_rested(&self) -> bool {
        self.retired.is_none_or(|retired| retired.elapsed() >= REST) && self.path.exists()
    }

    /// Saves by overwriting the spare and swapping it with the configuration.
    pub(super) fn swap_in(
        &mut self,
        target: &Target,
        bytes: &[u8],
        ownership: Ownership,
    ) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        ownership.give_to(&file)?;
        let length = bytes.len() as u64;
        let before = file.metadata()?.len();
        file.write_all(bytes)?;
        if before > length {
            file.set_len(length)?;
        }
        file.sync_data()?;
        renameat_with(CWD, &self.path, CWD, &target.path, RenameFlags::EXCHANGE)?;
        self.retired = Some(Instant::now());
        target.sync_folder()
    }

    /// Makes room for the next save; on a full disk it keeps what room it has.
    pub(super) fn provide(&self, length: u64, ownership: Ownership) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).mode(0o600).open(&self.path)?;
        ownership.give_to(&file)?;
        let wanted = length + SLACK_BYTES;
        if file.metadata()?.blocks() * BLOCK_BYTES < wanted {
            fallocate(&file, FallocateFlags::KEEP_SIZE, 0, wanted)?;
            file.sync_all()?;
        }
        Ok(())
    }

    /// Takes it away: it is of no use where files cannot be swapped.
    pub(super) fn discard(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Writes a new file whole and makes its bytes durable.
pub(super) fn write_new(path: &PathBuf, bytes: &[u8], ownership: Ownership) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    ownership.give_to(&file)?;
    file.write_all(bytes)?;
    file.sync_all()
}
