//! What a Sentinel promised, read from its log and its file.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};

use super::{Lab, Sentinel};

/// No Sentinel voted for two others in one epoch of a master, over all its lives.
///
/// # Errors
///
/// One did; with its log.
pub fn check_votes(lab: &Lab) -> anyhow::Result<()> {
    lab.sentinels.iter().try_for_each(|sentinel| check_log(&sentinel.log()))
}

/// Meant for one master: the log does not name it.
fn check_log(log: &str) -> anyhow::Result<()> {
    let mut votes: BTreeMap<&str, &str> = BTreeMap::new();
    for line in log.lines() {
        let Some((_, vote)) = line.split_once("+vote-for-leader ") else { continue };
        let (leader, epoch) = vote.trim().split_once(' ').context("a vote without an epoch")?;
        let first = *votes.entry(epoch).or_insert(leader);
        ensure!(first == leader, "voted for {first} and {leader} in epoch {epoch}: {log}");
    }
    Ok(())
}

/// The saved epoch of the last vote; zero before the first.
///
/// # Errors
///
/// The file cannot be read or holds something else.
pub fn saved_leader_epoch(sentinel: &Sentinel, name: &str) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(sentinel.conf())?;
    let prefix = format!("sentinel leader-epoch {name} ");
    let epoch = text.lines().find_map(|line| line.strip_prefix(&prefix));
    Ok(epoch.map_or(Ok(0), |epoch| epoch.trim().parse())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_votes_in_one_epoch_are_found() {
        let log = "1:X # +vote-for-leader a 1\n1:X # +vote-for-leader b 2\n";
        check_log(log).unwrap();
        check_log(&format!("{log}1:X # +vote-for-leader b 2\n")).unwrap();
        assert!(check_log(&format!("{log}2:X # +vote-for-leader a 2\n")).is_err());
    }
}
