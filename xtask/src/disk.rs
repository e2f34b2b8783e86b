//! The disk under the Sentinels' files: where it is, and how long a commit takes on it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Commits measured; their median is printed.
const PROBES: usize = 50;
/// `TMPFS_MAGIC` of Linux.
const TMPFS: i64 = 0x0102_1994;
/// The size of a usual sentinel.conf.
const FILE_LEN: usize = 2048;

/// A folder on the disk of the build's files, which is a real one on most machines.
///
/// # Errors
///
/// It cannot be created.
pub(crate) fn folder() -> anyhow::Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target"),
        PathBuf::from,
    );
    let folder = target.join("lab");
    std::fs::create_dir_all(&folder)?;
    if is_in_memory(&folder) {
        eprintln!("warning: {} is in memory: commits cost nothing there", folder.display());
    }
    Ok(folder)
}

fn is_in_memory(folder: &Path) -> bool {
    #[allow(clippy::unnecessary_cast, reason = "the field's type differs between platforms")]
    rustix::fs::statfs(folder).is_ok_and(|fs| fs.f_type as i64 == TMPFS)
}

/// The median time of what a Sentinel's save does: temporary file, fsync, rename, fsync of the
/// folder.
///
/// # Errors
///
/// The disk refuses.
pub(crate) fn median_commit(folder: &Path) -> anyhow::Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..PROBES {
        let start = Instant::now();
        commit(folder).context("cannot commit a file")?;
        times.push(start.elapsed());
    }
    std::fs::remove_file(folder.join("probe"))?;
    times.sort_unstable();
    Ok(times[PROBES / 2])
}

fn commit(folder: &Path) -> std::io::Result<()> {
    let temporary = folder.join("probe.tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(&[b'x'; FILE_LEN])?;
    file.sync_all()?;
    std::fs::rename(&temporary, folder.join("probe"))?;
    File::open(folder)?.sync_all()
}
