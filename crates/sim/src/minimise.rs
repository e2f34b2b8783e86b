//! A shorter list of incidents with which a run still fails in the same way.

use crate::plan::Plan;
use crate::run::{SETTLING_MS, run};
use crate::witness::{Violation, Witness};
use crate::world::SYNC_MS;

/// The safety phase begins after this, at the earliest.
const BEFORE_SAFETY_MS: u64 = SYNC_MS + SETTLING_MS;

/// Takes incidents out: those after the violation, then halves, then single ones, while the same
/// invariant stays violated. Tells after each success how many are left.
#[must_use]
pub fn minimise(plan: &Plan, mut tell: impl FnMut(usize)) -> Option<(Plan, Violation)> {
    let mut violation = run(plan.clone(), Witness::strict()).violation?;
    let mut plan = cut_off(plan, &violation);
    tell(plan.incidents.len());
    let mut size = plan.incidents.len().div_ceil(2);
    while size > 0 {
        let mut start = 0;
        let mut shorter = false;
        while start < plan.incidents.len() {
            let mut tried = plan.clone();
            let end = (start + size).min(tried.incidents.len());
            tried.incidents.drain(start..end);
            match run(tried.clone(), Witness::strict()).violation {
                Some(found) if found.invariant == violation.invariant => {
                    (plan, violation, shorter) = (tried, found, true);
                    tell(plan.incidents.len());
                }
                Some(_) | None => start += size,
            }
        }
        size = if size > 1 { size / 2 } else { usize::from(shorter) };
    }
    Some((plan, violation))
}

/// What comes after the violation has no part in it, and only makes every try longer.
fn cut_off(plan: &Plan, violation: &Violation) -> Plan {
    let mut shorter = plan.clone();
    let end_ms = violation.at_ms.saturating_sub(BEFORE_SAFETY_MS);
    if end_ms < plan.safety_ms {
        shorter.safety_ms = end_ms + 1;
        shorter.incidents.retain(|incident| incident.at_ms <= end_ms);
    }
    let same = run(shorter.clone(), Witness::strict()).violation.as_ref() == Some(violation);
    if same { shorter } else { plan.clone() }
}
