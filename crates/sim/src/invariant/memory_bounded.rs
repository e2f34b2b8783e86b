use vedette_core::{Census, GroupCensus, Rules};

use super::{Invariant, hold};
use crate::witness::{Scale, Scene, Seen};

/// Events that wait behind a vote which is being saved, per master.
const HELD_EVENTS_MAX: usize = 1_024;
/// Scripts that run or wait, in both lanes.
const SCRIPTS_MAX: usize = 2 * 256;

/// What a Sentinel remembers is bounded by what there is: masters, addresses that were ever a data
/// node's, Sentinels, and requests that clients wait for. Between turns nothing waits to be taken.
#[derive(Default)]
pub(super) struct MemoryBounded;

fn judge(census: &Census, scale: &Scale) -> Result<(), String> {
    let others = scale.sentinels - 1;
    let nodes: usize = census.groups.iter().map(|group| group.nodes).sum();
    let of_groups = |count: fn(&GroupCensus) -> usize| census.groups.iter().map(count);
    let waiting = census.requests + of_groups(|group| group.ballots).sum::<usize>();
    let bounds = [
        ("masters", census.groups.len(), scale.masters),
        ("data nodes", nodes, scale.addresses),
        ("peers", census.peers, others),
        ("members", of_groups(|group| group.members).max().unwrap_or(0), others),
        ("connections", census.connections, 2 * nodes + census.peers),
        ("waiting requests", waiting, scale.requests),
        ("unsaved masters", census.unsaved, census.groups.len()),
        ("held events", of_groups(|group| group.held_events).max().unwrap_or(0), HELD_EVENTS_MAX),
        ("untaken orders", census.untaken, 0),
        ("scripts", census.scripts, SCRIPTS_MAX),
        ("promotions", census.promotions.0 + census.promotions.1, census.groups.len()),
        ("names", census.names, 0),
        ("own addresses", census.announced, 1),
        ("deadlines", census.deadlines, census.groups.len() + census.peers),
    ];
    let above = bounds.iter().find(|(_, count, bound)| count > bound);
    hold(above.is_none(), || {
        format!("{above:?} (what, how many, at most) in {census:?}, {scale:?}")
    })
}

impl Invariant for MemoryBounded {
    fn name(&self) -> &'static str {
        "memory is bounded"
    }

    fn binds(&self, _: Rules) -> bool {
        true
    }

    fn see(&mut self, _scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Counted { census, scale } => judge(census, scale),
            Seen::Started(_)
            | Seen::Ended
            | Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_outgrows_the_group_is_found() {
        let scale = Scale { sentinels: 3, masters: 1, addresses: 3, requests: 2 };
        let group = GroupCensus { nodes: 3, members: 2, ballots: 1, held_events: 0 };
        let census = Census { connections: 8, peers: 2, groups: vec![group], ..Census::default() };
        assert!(judge(&census, &scale).is_ok());
        let too_many = [
            Census { connections: 9, ..census.clone() },
            Census { peers: 3, ..census.clone() },
            Census { groups: vec![group; 2], ..census.clone() },
            Census { groups: vec![GroupCensus { nodes: 4, ..group }], ..census.clone() },
            Census { requests: 2, ..census.clone() },
            Census { untaken: 1, ..census.clone() },
            Census { deadlines: 4, ..census.clone() },
        ];
        assert!(too_many.iter().all(|census| judge(census, &scale).is_err()));
    }
}
