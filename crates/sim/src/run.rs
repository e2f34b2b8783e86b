//! A run: both phases of a plan, and what came of it.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::plan::Plan;
use crate::timeline::Timeline;
use crate::trace::Trace;
use crate::witness::{Violation, Witness};
use crate::world::{Switch, World};

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
    /// The slowest switch of the outage, if there was one.
    pub switch: Option<Switch>,
    /// Interesting places, and how often they were reached.
    pub places: BTreeMap<&'static str, u64>,
    /// What the Sentinels said.
    pub timeline: Timeline,
    /// Everything, if it was asked for.
    pub trace: Option<Trace>,
}

/// Runs a plan. A panic is a violation like any other, if the build unwinds.
#[must_use]
pub fn run(plan: Plan, witness: Witness) -> Outcome {
    run_after(plan, witness, |_| {})
}

/// As [`run`]; `at_last` happens after all phases.
fn run_after(plan: Plan, witness: Witness, at_last: impl FnOnce(&mut World)) -> Outcome {
    let mut world = World::build(plan, witness);
    let (mut converged_ms, mut switch) = (0, None);
    let phases = AssertUnwindSafe(|| {
        phases(&mut world, &mut converged_ms, &mut switch);
        at_last(&mut world);
    });
    if let Err(panic) = catch_unwind(phases) {
        world.find("nothing panics", message(&*panic));
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
        switch,
        places: witness.places().clone(),
        timeline,
        trace: witness.trace().cloned(),
    }
}

/// Safety, liveness, outage.
fn phases(world: &mut World, converged_ms: &mut u64, switch: &mut Option<Switch>) {
    world.run_for(SETTLING_MS);
    world.begin();
    world.run_for(world.plan().safety_ms);
    if world.witness().violation().is_some() {
        return;
    }
    world.heal();
    match world.converge() {
        Ok(ms) => *converged_ms = ms,
        Err(evidence) => world.find("everything comes together again", evidence),
    }
    world.run_for(CALM_MS);
    if let Some(reason) = world.pending().filter(|_| world.witness().violation().is_none()) {
        // What can still change its mind once, for example a repair that was on its way.
        match world.converge() {
            Ok(ms) => *converged_ms += CALM_MS + ms,
            Err(_) => world.find("everything stays together", reason),
        }
    }
    if world.witness().violation().is_none() {
        *switch = world.lose_masters();
    }
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}

/// Runs a seed with all checks.
#[must_use]
pub fn run_seed(seed: u64) -> Outcome {
    run(Plan::draw(seed), Witness::strict())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_violation_with_its_message_and_a_trace() {
        let plan = crate::GroupPlan::default().to_plan();
        let outcome = run_after(plan, Witness::tracing(), |_| panic!("seed {}", 7));
        let violation = outcome.violation.unwrap_or_else(|| unreachable!("it panicked"));
        assert_eq!((violation.invariant, &*violation.evidence), ("nothing panics", "seed 7"));
        assert!(outcome.trace.is_some_and(|trace| !trace.lines().is_empty()));
    }
}
