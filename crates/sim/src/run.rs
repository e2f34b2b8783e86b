//! A run: both phases of a plan, and what came of it.

use std::collections::BTreeMap;

use crate::plan::Plan;
use crate::timeline::Timeline;
use crate::trace::Trace;
use crate::witness::{Violation, Witness};
use crate::world::World;

/// The group finds itself before anything goes wrong.
pub(crate) const SETTLING_MS: u64 = 5_000;
/// After everything came together it must stay so.
const CALM_MS: u64 = 2_000;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What was wrong, if anything.
    pub violation: Option<Violation>,
    /// The same for every run of the same plan.
    pub hash: u64,
    /// Failovers that reached `+switch-master`.
    pub failovers: u64,
    /// Writes that were acknowledged.
    pub writes: u64,
    /// Virtual time.
    pub simulated_ms: u64,
    /// How long it took to come together after healing.
    pub converged_ms: u64,
    /// Interesting places, and how often they were reached.
    pub places: BTreeMap<&'static str, u64>,
    /// What the Sentinels said.
    pub timeline: Timeline,
    /// Everything, if it was asked for.
    pub trace: Option<Trace>,
}

/// Runs a plan.
#[must_use]
pub fn run(plan: Plan, witness: Witness) -> Outcome {
    let safety_ms = plan.safety_ms;
    let mut world = World::build(plan, witness);
    world.run_for(SETTLING_MS);
    world.begin();
    world.run_for(safety_ms);
    let mut converged_ms = 0;
    if world.witness().violation().is_none() {
        world.heal();
        match world.converge() {
            Ok(ms) => converged_ms = ms,
            Err(evidence) => world.find("everything comes together again", evidence),
        }
        world.run_for(CALM_MS);
        if let Some(reason) = world.pending().filter(|_| world.witness().violation().is_none()) {
            // What can still change its mind once, for example a repair that was on its way.
            match world.converge() {
                Ok(ms) => converged_ms += CALM_MS + ms,
                Err(_) => world.find("everything stays together", reason),
            }
        }
    }
    let simulated_ms = world.now_ms();
    let (witness, timeline) = world.into_parts();
    Outcome {
        violation: witness.violation().cloned(),
        hash: witness.hash(),
        failovers: witness.failovers(),
        writes: witness.writes(),
        simulated_ms,
        converged_ms,
        places: witness.places().clone(),
        timeline,
        trace: witness.trace().cloned(),
    }
}

/// Runs a seed with all checks.
#[must_use]
pub fn run_seed(seed: u64) -> Outcome {
    run(Plan::draw(seed), Witness::strict())
}
