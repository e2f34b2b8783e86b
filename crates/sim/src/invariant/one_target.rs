use std::collections::BTreeMap;

use vedette_core::{Effect, Endpoint, Query, ReplicationTarget};

use super::{Invariant, hold};
use crate::address;
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// A node is told to follow only the master that the Sentinel names to its clients.
#[derive(Default)]
pub(super) struct OneTarget {
    /// Orders of the present turn that do not fit the picture before it: its own comes last.
    orders: BTreeMap<SentinelIndex, Vec<Endpoint>>,
}

/// The masters that clients are told.
fn named(scene: &Scene<'_>) -> Vec<Endpoint> {
    let masters = scene.snapshot.into_iter().flat_map(|snapshot| snapshot.masters());
    masters.map(|view| view.node.address.clone()).collect()
}

impl OneTarget {
    fn judge(&mut self, who: SentinelIndex, named: &[Endpoint]) -> Result<(), String> {
        let orders = self.orders.remove(&who).unwrap_or_default();
        let stray = orders.iter().find(|target| {
            let group = address::group_of(target);
            let here = named.iter().filter(|master| address::group_of(master) == group);
            let here: Vec<_> = here.collect();
            !here.is_empty() && !here.contains(target)
        });
        hold(stray.is_none(), || format!("SLAVEOF {stray:?}, but its masters are {named:?}"))
    }
}

impl Invariant for OneTarget {
    fn name(&self) -> &'static str {
        "nodes are told to follow the named master only"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Ordered(Effect::Send {
                query: Query::Replicate { target: ReplicationTarget::Node(target), .. },
                ..
            }) => {
                // After a stall a turn can hold the order and, behind it, what overtakes it.
                if !named(scene).contains(target) {
                    self.orders.entry(scene.sentinel).or_default().push(target.clone());
                }
                Ok(())
            }
            Seen::Took(_) if self.orders.contains_key(&scene.sentinel) => {
                self.judge(scene.sentinel, &named(scene))
            }
            Seen::Ended => {
                self.orders.remove(&scene.sentinel);
                Ok(())
            }
            Seen::Started(_)
            | Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Heard { .. }
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Responded { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_to_follow_another_node_is_found() {
        let [one, two] = ["10.1.0.1", "10.1.0.2"].map(|host| Endpoint::new(host, 6379));
        let who = SentinelIndex(0);
        let judge = |target: &Endpoint| {
            let mut check = OneTarget::default();
            check.orders.insert(who, vec![target.clone()]);
            check.judge(who, std::slice::from_ref(&one))
        };
        assert!(judge(&one).is_ok());
        assert!(judge(&two).is_err());
    }
}
