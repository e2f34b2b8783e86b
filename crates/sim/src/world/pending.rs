//! What is still missing in the liveness phase, and how long it may take.

use std::net::SocketAddr;

use vedette_core::MasterView;
use vedette_node::Role;

use super::World;
use crate::fault::{Order, Typed};
use crate::node_host::NodeIndex;
use crate::sentinel_host::SentinelIndex;

/// What does not depend on settings: the longest TILT, twice the time after which a half-open
/// connection is dropped, two INFO periods, an election, repairs.
const BASE_MS: u64 = 30_000 + 2 * 15_000 + 2 * 10_000 + 10_000 + 8_000 + 30_000;
/// How often an operator looks whether a master is missing or set wrongly.
const OPERATOR_MS: u64 = 5_000;
/// How often the world is looked at.
const LOOK_MS: u64 = 50;

impl World {
    /// A Sentinel at the reference's pace stands again only after twice failover-timeout; a few
    /// such rounds may be lost. Everything must have come together within this time after
    /// [`World::heal`].
    #[must_use]
    pub fn bound_ms(&self) -> u64 {
        let healed = self.healed_sentinels().filter_map(|index| self.snapshot(index));
        let views = healed.flat_map(|snapshot| snapshot.masters().cloned().collect::<Vec<_>>());
        let of_view = |view: &MasterView| {
            let settings = &view.settings;
            settings.down_after.0 * 4
                + settings.failover_timeout.0 * 2
                + if self.plan.old.is_empty() { 0 } else { settings.failover_timeout.0 * 6 }
                + view.replicas.len() as u64 * 11_000
        };
        let slowest = views.map(|view| of_view(&view)).max().unwrap_or(0);
        BASE_MS + slowest + self.plan.network.delay_ms * 200
    }

    /// Sentinels that were healed.
    pub(super) fn healed_sentinels(&self) -> impl Iterator<Item = SentinelIndex> {
        SentinelIndex::all(self.sentinels.len()).filter(|i| !self.sentinels[i.0].given_up)
    }

    /// What is still missing, if anything.
    #[must_use]
    pub fn pending(&self) -> Option<String> {
        (0..self.plan.masters.len()).find_map(|group| self.pending_in(group))
    }

    fn pending_in(&self, group: usize) -> Option<String> {
        let name = &self.plan.masters[group].name;
        let mut agreed: Option<SocketAddr> = None;
        for index in self.healed_sentinels() {
            let Some(view) = self.snapshot(index).and_then(|snapshot| snapshot.master(name)) else {
                return Some(format!("Sentinel {} does not watch {name}", index.0));
            };
            if let Some(reason) = self.pending_at(index, view) {
                return Some(format!("{name} at Sentinel {}: {reason}", index.0));
            }
            match (agreed, view.node.socket) {
                (Some(one), Some(other)) if one != other => {
                    return Some(format!("{name} is {one}, and {other} at Sentinel {}", index.0));
                }
                (_, here) => agreed = here,
            }
        }
        let master = agreed.and_then(|address| self.node_at(address));
        let Some(master) = master else { return Some(format!("{name} has no master")) };
        self.pending_of_nodes(group, master)
            .or_else(|| self.pending_of_moved(group))
            .or_else(|| self.pending_of_writers(group, master))
            .or_else(|| self.pending_of_readers(group, master))
    }

    fn pending_at(&self, index: SentinelIndex, view: &MasterView) -> Option<String> {
        let process = self.snapshot(index)?.process()?;
        if process.tilt_since.is_some() {
            return Some("in TILT".to_owned());
        }
        if view.node.sdown_since.is_some() || view.odown_since.is_some() {
            return Some(format!("{} is down", view.node.address));
        }
        if view.failover.is_some() {
            return Some("a failover goes on".to_owned());
        }
        let healed = |id| self.healed_sentinels().any(|other| self.sentinels[other.0].id == id);
        let down = view.sentinels.iter().find(|m| healed(m.id) && m.sdown_since.is_some());
        if let Some(member) = down {
            return Some(format!("member {} is down", member.id));
        }
        let known = view.sentinels.iter().filter(|member| healed(member.id)).count() + 1;
        let all = self.healed_sentinels().count();
        (known < all).then(|| format!("{known} of {all} members are known"))
    }

    /// Every node that a healed Sentinel knows follows the agreed master.
    fn pending_of_nodes(&self, group: usize, master: NodeIndex) -> Option<String> {
        let address = self.node_address(master);
        if self.node(master).role() != Role::Master {
            return Some(format!("{address} is no master"));
        }
        for index in self.nodes_of(group) {
            let (node, here) = (self.node(index), self.node_address(index));
            if index == master || !self.is_known(index) {
                continue;
            }
            let wanted = Some((address.ip().to_string(), address.port()));
            let follows = node.master_address().map(|(host, port)| (host.to_owned(), port));
            if follows != wanted {
                return Some(format!("{here} follows {follows:?}, not {address}"));
            }
            if !node.is_link_up() {
                return Some(format!("{here} is not in step with {address}"));
            }
        }
        None
    }

    pub(super) fn pending_of_writers(&self, group: usize, master: NodeIndex) -> Option<String> {
        let wanted = self.node_address(master);
        self.written_to(group).into_iter().find_map(|at| match at {
            Some(at) if at == wanted => None,
            Some(at) => Some(format!("a client writes to {at}, not {wanted}")),
            None => Some(format!("a client cannot write to {wanted}")),
        })
    }

    /// Who reads finds a replica wherever there is one.
    fn pending_of_readers(&self, group: usize, master: NodeIndex) -> Option<String> {
        let is_replica = |node: &NodeIndex| *node != master && self.is_known(*node);
        let replicas = self.nodes_of(group).filter(is_replica);
        let mut wanted: Vec<SocketAddr> = replicas.map(|node| self.node_address(node)).collect();
        if wanted.is_empty() {
            wanted.push(self.node_address(master));
        }
        let reads_well = |from: &Vec<SocketAddr>| from.iter().any(|at| wanted.contains(at));
        let lost = self.read_from(group).into_iter().find(|from| !reads_well(from));
        lost.map(|from| format!("a client reads from {from:?}, not from one of {wanted:?}"))
    }

    /// Waits until nothing is missing any more; an operator restores what operators took away.
    ///
    /// # Errors
    /// What is still missing after the bound.
    pub fn converge(&mut self) -> Result<u64, String> {
        let healed_ms = self.now_ms;
        loop {
            self.count_memory();
            let mut look_ms = 0;
            let together = self.run_until(OPERATOR_MS, |world| {
                let due = world.now_ms >= look_ms;
                if due {
                    look_ms = world.now_ms + LOOK_MS;
                }
                due && world.pending().is_none()
            });
            if together {
                return Ok(self.now_ms - healed_ms);
            }
            if self.witness.violation().is_some() {
                return Ok(0);
            }
            if self.now_ms - healed_ms > self.bound_ms() {
                if self.healed_sentinels().all(|index| self.plan.old.contains(&index.0)) {
                    // The reference's rules alone promise nothing: two may draw for ever (H4).
                    self.witness.reach("references alone did not come together");
                    return Ok(self.now_ms - healed_ms);
                }
                let reason = self.pending().unwrap_or_default();
                return Err(format!("{reason}, {} ms after healing", self.now_ms - healed_ms));
            }
            self.restore_masters(self.now_ms - healed_ms);
        }
    }

    /// Sentinels at the reference's pace, and failovers forced without a majority, may leave two
    /// addresses under one epoch; if only one of them is a master, nobody settles that (rule A2,
    /// and spec: rules, "What stays as weak as in the reference"): operators force a failover.
    fn settle_disagreement(&mut self, group: usize) {
        let name = &self.plan.masters[group].name;
        let views = self.healed_sentinels().filter_map(|index| {
            let view = self.snapshot(index)?.master(name)?;
            Some((index, view.config_epoch, view.node.address.clone()))
        });
        let views: Vec<_> = views.collect();
        let disagree = views.iter().any(|(_, epoch, address)| {
            views.iter().any(|(_, other, elsewhere)| epoch == other && address != elsewhere)
        });
        let ours = views.iter().find(|(index, ..)| !self.plan.old.contains(&index.0));
        if let Some((index, ..)) = ours.filter(|_| disagree) {
            self.type_command(*index, group, Typed::Failover);
        }
    }

    /// A master that an operator turned into a replica stays down for ever if nobody else may be
    /// promoted: only an operator can take that back.
    fn restore_role(&mut self, group: usize) {
        let priorities = &self.plan.masters[group].priorities;
        let Some(master) = self.favourite(group) else { return };
        let number = master.0 - self.first_node(group).0;
        let others = priorities.iter().enumerate().filter(|(other, _)| *other != number);
        let alone = others.into_iter().all(|(_, priority)| *priority == 0);
        if alone && self.node(master).role() == Role::Replica {
            self.order_node(master, Order::BecomeMaster);
        }
    }

    fn restore_masters(&mut self, waited_ms: u64) {
        for group in 0..self.plan.masters.len() {
            self.restore_role(group);
            self.restore_moved(group, waited_ms);
            self.restore_forgotten(group, waited_ms);
            self.settle_disagreement(group);
        }
        let healed: Vec<SentinelIndex> = self.healed_sentinels().collect();
        for index in healed {
            for group in 0..self.plan.masters.len() {
                let name = &self.plan.masters[group].name;
                let watched = self.snapshot(index).is_some_and(|s| s.master(name).is_some());
                if !watched {
                    self.type_command(index, group, Typed::Monitor);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use vedette_node::Fault as NodeFault;

    use super::*;
    use crate::fault::Way;
    use crate::group_plan::GroupPlan;
    use crate::plan::Plan;
    use crate::witness::Witness;

    fn calm(replicas: usize) -> World {
        let plan = GroupPlan { replicas, ..GroupPlan::default() }.to_plan();
        let mut world = World::build(plan, Witness::strict());
        world.run_for(5_000);
        assert_eq!(world.pending(), None);
        world
    }

    fn missing(world: &World, what: &str) -> bool {
        world.pending().is_some_and(|reason| reason.contains(what))
    }

    #[test]
    fn a_master_that_never_comes_back_is_found_after_the_bound() {
        let mut world = calm(0);
        world.suffer(NodeIndex(0), NodeFault::Killed);
        world.run_for(5_000);
        let (began_ms, bound_ms) = (world.now_ms(), world.bound_ms());
        let found = world.converge();
        assert!(found.is_err_and(|reason| reason.contains("is down")));
        assert!(world.now_ms() - began_ms > bound_ms);
    }

    #[test]
    fn a_member_that_is_cut_off_is_missing_until_it_is_back() {
        let mut world = calm(1);
        let site = world.sentinel_site(SentinelIndex(2));
        world.isolate(site, Way::Both, 10_000);
        world.run_for(5_000);
        assert!(missing(&world, "is down"), "{:?}", world.pending());
        assert!(world.converge().is_ok());
    }

    #[test]
    fn a_known_replica_that_is_out_of_step_is_missing() {
        let mut world = calm(2);
        world.suffer(NodeIndex(1), NodeFault::Killed);
        assert!(missing(&world, "10.1.0.2:6379"), "{:?}", world.pending());
    }

    #[test]
    fn a_client_that_reads_from_no_replica_is_missing_one() {
        let plan = GroupPlan { replicas: 1, ..GroupPlan::default() }.to_plan();
        let plan = Plan { readers: true, ..plan };
        let mut world = World::build(plan, Witness::strict());
        world.run_for(5_000);
        assert_eq!(world.pending(), None);
        assert!(world.pending_of_readers(0, NodeIndex(1)).is_some(), "that is no replica of it");
        let site = world.outside();
        world.isolate(site, Way::Both, 60_000);
        world.run_for(30_000);
        assert!(missing(&world, "a client reads from []"), "{:?}", world.pending());
    }

    #[test]
    fn two_addresses_for_one_master_are_missing_an_agreement() {
        let mut world = calm(2);
        world.force_failover(SentinelIndex(0));
        let split = |world: &World| missing(world, "m") && !world.agree_on(NodeIndex(0));
        assert!(world.run_until(5_000, split));
        assert!(world.converge().is_ok());
        assert!(world.agree_on(NodeIndex(1)) || world.agree_on(NodeIndex(2)));
    }
}
