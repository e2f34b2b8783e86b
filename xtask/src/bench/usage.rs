//! What a process uses, as the kernel counts it.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

/// Processor time of all threads, in the scheduler's nanoseconds.
pub(super) fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        let ns = text.split(' ').next().context("an empty schedstat")?.parse()?;
        total += Duration::from_nanos(ns);
    }
    Ok(total)
}

/// What the present thread used of the processors, and how long it waited for one.
pub(super) fn own_time() -> anyhow::Result<(Duration, Duration)> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let mut words = text.split_whitespace().map(str::parse);
    let mut next = || anyhow::Ok(Duration::from_nanos(words.next().context("a short schedstat")??));
    Ok((next()?, next()?))
}

/// Resident memory in MiB.
pub(super) fn resident_mib(pid: u32) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 =
        line.and_then(|rest| rest.split_whitespace().next()).context("no VmRSS")?.parse()?;
    Ok(kib / 1024.0)
}
