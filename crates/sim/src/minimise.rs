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

#[cfg(test)]
mod tests {
    use vedette_node::Revival;

    use super::*;
    use crate::fault::{Fault, Incident, NodeHarm, NodePick, SentinelHarm};
    use crate::group_plan::GroupPlan;

    /// A group without rule L7 shows it at the death of its master; nothing else has a part in it.
    fn failing() -> Plan {
        let mut plan = GroupPlan::default().to_plan();
        plan.without = Some(vedette_core::Rule::L7);
        plan.safety_ms = 20_000;
        let jump = || Fault::Sentinel(1, SentinelHarm::WallClockJumps { by_ms: 5_000 });
        let (for_ms, back, silently) = (8_000, Revival::WithData, false);
        let death = NodeHarm::Dies { for_ms, back, silently };
        let mut faults = vec![jump(), jump(), Fault::Node(NodePick::Master(0), death)];
        faults.extend([jump(), jump(), jump()]);
        let incident =
            |(number, fault): (u64, _)| Incident { at_ms: 3_000 * number, fault, number: 0 };
        plan.incidents = (0..).zip(faults).map(incident).collect();
        (0..).zip(&mut plan.incidents).for_each(|(number, incident)| incident.number = number);
        plan
    }

    #[test]
    fn what_has_no_part_in_a_violation_is_taken_out() {
        let mut told = Vec::new();
        let (shorter, violation) = minimise(&failing(), |left| told.push(left))
            .unwrap_or_else(|| unreachable!("it fails"));
        assert_eq!(violation.invariant, "a promotion is announced at once");
        let kept: Vec<usize> = shorter.incidents.iter().map(|incident| incident.number).collect();
        assert_eq!(kept, [2]);
        assert!(shorter.safety_ms < failing().safety_ms, "what comes after it is cut off");
        assert_eq!(told.last(), Some(&1));
        let again = run(shorter, Witness::strict()).violation;
        assert_eq!(again, Some(violation));
    }

    #[test]
    fn a_plan_that_does_not_fail_stays() {
        let plan = Plan { without: None, ..failing() };
        assert!(minimise(&plan, |_| {}).is_none());
    }
}
