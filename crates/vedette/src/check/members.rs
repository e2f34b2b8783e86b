//! How many Sentinels there are, and how many must agree.

use std::collections::BTreeSet;

use vedette_core::SavedMaster;

use super::findings::{Findings, Severity, Subject, is_loopback};

/// Fewer cannot outvote a lost one.
const MEMBERS_MIN: usize = 3;

/// Members and quorum of a master.
pub(super) fn members(found: &mut Findings, subject: &Subject<'_>, master: &SavedMaster) {
    let place = || subject.lines.of_master("monitor", &master.name);
    let members = master.sentinels.len() + 1;
    // A file that was never run knows nobody yet.
    let was_run = subject.loaded.state.my_id.is_some();
    if members == 1 && !was_run {
        let problem = "no other Sentinel is known yet; a failover needs at least two that agree, so \
                       three that exist";
        let remedy = "start this file's twins on two more machines; they find each other";
        found.add(Severity::Note, place(), problem, remedy);
        if master.settings.quorum == 1 {
            one_is_enough(found, subject, master);
        }
        return;
    }
    if members < MEMBERS_MIN {
        let problem = format!(
            "{members} Sentinel(s), this one included: without any one of them \
                               there is no majority and no failover"
        );
        found.warn(place(), problem, "run at least three, on different machines");
    } else if members.is_multiple_of(2) {
        let problem = format!(
            "{members} Sentinels, this one included: an even number tolerates no \
                               more losses than {} and can be split into halves",
            members - 1
        );
        found.warn(place(), problem, "add one or take one away; SENTINEL RESET forgets dead ones");
    }
    agreement(found, subject, master, members);
    same_machine(found, subject, master);
}

/// How many must agree that the master is down.
fn agreement(found: &mut Findings, subject: &Subject<'_>, master: &SavedMaster, members: usize) {
    let place = subject.lines.of_master("monitor", &master.name);
    let majority = members / 2 + 1;
    let quorum = usize::try_from(master.settings.quorum).unwrap_or(usize::MAX);
    if quorum > members {
        let problem = format!(
            "quorum {quorum} is above the number of Sentinels ({members}): there \
                               will never be a failover"
        );
        found.warn(place, problem, format!("write {majority}"));
    } else if quorum > majority {
        let problem = format!(
            "quorum {quorum} is above the majority ({majority}): fewer losses stop \
                               failovers than need to"
        );
        found.warn(place, problem, format!("write {majority} unless that is meant"));
    } else if quorum == 1 {
        one_is_enough(found, subject, master);
    }
}

fn one_is_enough(found: &mut Findings, subject: &Subject<'_>, master: &SavedMaster) {
    let place = subject.lines.of_master("monitor", &master.name);
    let problem = "quorum 1: a single Sentinel with a bad connection starts a failover of a healthy \
                   master";
    found.warn(place, problem, "write the majority, for instance 2 of 3");
}

/// Sentinels that die together.
fn same_machine(found: &mut Findings, subject: &Subject<'_>, master: &SavedMaster) {
    let mut hosts = BTreeSet::new();
    let peers = master.sentinels.iter().map(|peer| &*peer.address.host);
    let twice = peers.filter(|host| !is_loopback(host)).find(|host| !hosts.insert(*host));
    if let Some(host) = twice {
        let place = subject.lines.of_master("known-sentinel", &master.name);
        let problem = format!("two Sentinels run on {host}: they fail together but vote apart");
        found.warn(place, problem, "spread them over machines");
    }
}
