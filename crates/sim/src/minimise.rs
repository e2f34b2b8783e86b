//! A shorter list of incidents with which a run still fails in the same way.

use crate::plan::Plan;
use crate::run::run;
use crate::witness::{Violation, Witness};

/// Takes incidents out, halves first, then single ones, while the same invariant stays violated.
/// Tells after each success how many are left.
#[must_use]
pub fn minimise(plan: &Plan, mut tell: impl FnMut(usize)) -> Option<(Plan, Violation)> {
    let mut violation = run(plan.clone(), Witness::strict()).violation?;
    let mut plan = plan.clone();
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
