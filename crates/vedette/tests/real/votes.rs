//! What a Sentinel promised, read from its log and its file.

use std::collections::BTreeMap;

use vedette::lab::{Lab, Sentinel};

/// No Sentinel voted for two others in one epoch, over all its lives.
pub(crate) fn check_votes(lab: &Lab) {
    for sentinel in &lab.sentinels {
        let mut votes: BTreeMap<String, String> = BTreeMap::new();
        for line in sentinel.log().lines() {
            let Some((_, vote)) = line.split_once("+vote-for-leader ") else { continue };
            let (leader, epoch) = vote.trim().split_once(' ').expect("a leader and an epoch");
            let first = votes.entry(epoch.to_owned()).or_insert_with(|| leader.to_owned());
            assert_eq!(first, leader, "two votes in epoch {epoch}: {}", sentinel.log());
        }
    }
}

/// The saved epoch of the last vote.
pub(crate) fn saved_leader_epoch(sentinel: &Sentinel, name: &str) -> u64 {
    let text = std::fs::read_to_string(sentinel.conf()).expect("its file");
    let prefix = format!("sentinel leader-epoch {name} ");
    let epoch = text.lines().find_map(|line| line.strip_prefix(&prefix));
    epoch.map_or(0, |epoch| epoch.trim().parse().expect("an epoch"))
}
