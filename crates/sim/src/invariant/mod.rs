//! What must always hold, one file each: the statement is its doc comment, the evidence its error.
//!
//! To add one: a file with a type that implements [`Invariant`], a line in [`all`], and a test that
//! feeds it a history in which it does not hold.

mod best_replica;
mod candidacy_opens;
mod candidate_asks;
mod durable_first;
mod elections;
mod epochs_rise;
mod events_well_formed;
mod first_hello;
mod fresh_info;
mod fresh_master;
mod leader_in_time;
mod lines;
mod memory_bounded;
mod misled_in_time;
mod odown_has_reasons;
mod one_address;
mod one_leader;
mod one_target;
mod one_vote;
mod order_with_info;
mod queues_bounded;
mod reads_first;
mod scripts_once;
mod tilt_is_passive;
mod votes_given;

#[cfg(test)]
mod samples;

use vedette_core::{DurableState, MasterView, Rules, SavedMaster};

use crate::witness::{Scene, Seen};

/// A statement about every run.
pub trait Invariant {
    /// The statement in a few words.
    fn name(&self) -> &'static str;

    /// Whether it holds for Sentinels that keep these rules: most do for ours alone.
    fn binds(&self, rules: Rules) -> bool {
        rules == Rules::ALL
    }

    /// Sees what happened.
    ///
    /// # Errors
    /// The evidence that the statement does not hold.
    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String>;
}

/// Every invariant, at the beginning of a run.
#[must_use]
pub(crate) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(one_vote::OneVote::default()),
        Box::new(one_leader::OneLeader::default()),
        Box::new(one_address::OneAddress::default()),
        Box::new(epochs_rise::EpochsRise::default()),
        Box::new(durable_first::DurableFirst::default()),
        Box::new(tilt_is_passive::TiltIsPassive::default()),
        Box::new(odown_has_reasons::OdownHasReasons::default()),
        Box::new(one_target::OneTarget::default()),
        Box::new(fresh_info::FreshInfo::default()),
        Box::new(fresh_master::FreshMaster::default()),
        Box::new(first_hello::FirstHello::default()),
        Box::new(votes_given::VotesGiven::default()),
        Box::new(candidate_asks::CandidateAsks::default()),
        Box::new(candidacy_opens::CandidacyOpens::default()),
        Box::new(leader_in_time::LeaderInTime::default()),
        Box::new(best_replica::BestReplica::default()),
        Box::new(order_with_info::OrderWithInfo::default()),
        Box::new(reads_first::ReadsFirst),
        Box::new(scripts_once::ScriptsOnce::default()),
        Box::new(memory_bounded::MemoryBounded),
        Box::new(events_well_formed::EventsWellFormed::default()),
        Box::new(queues_bounded::QueuesBounded::default()),
        Box::new(misled_in_time::MisledInTime::default()),
    ]
}

/// A master as the disk has it.
fn saved<'a>(disk: &'a DurableState, name: &str) -> Option<&'a SavedMaster> {
    disk.masters.iter().find(|master| *master.name == *name)
}

/// A master as clients see it.
fn shown<'a>(scene: &Scene<'a>, name: &str) -> Option<&'a MasterView> {
    scene.snapshot.and_then(|snapshot| snapshot.master(name)).map(|view| &**view)
}

/// Says no with evidence.
fn hold(fine: bool, evidence: impl FnOnce() -> String) -> Result<(), String> {
    if fine { Ok(()) } else { Err(evidence()) }
}
