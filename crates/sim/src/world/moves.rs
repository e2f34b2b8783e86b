//! Data nodes change their address, as containers do; and what operators then have to do.

use bytes::BytesMut;
use vedette_node::{Input as NodeInput, Revival, Role};
use vedette_resp::encode_command;

use super::World;
use crate::address;
use crate::fault::{NewHome, Order, Typed};
use crate::network::Health;
use crate::node_host::NodeIndex;
use crate::sentinel_host::SentinelIndex;

/// Operators wait so long for a failover before they give a master its old address again.
const PATIENCE_MS: u64 = 60_000;

impl World {
    /// It goes at once, and comes back elsewhere. `silently`: nobody answers at the old address.
    pub(super) fn move_node(
        &mut self,
        node: NodeIndex,
        for_ms: u64,
        (to, asks, silently): (NewHome, bool, bool),
    ) {
        let old = self.node_address(node);
        let Some(new) = address::moved_node(old, to) else { return };
        self.witness.reach("a data node moved");
        if self.favourite(self.nodes[node.0].group) == Some(node) {
            self.witness.reach("a master moved");
        }
        if silently {
            self.forget_connections(node);
        }
        self.kill_node(node, for_ms, Revival::WithData, false);
        let host = &mut self.nodes[node.0];
        host.address = new;
        host.moves += 1;
        host.asks |= asks;
        if silently {
            host.powered = false;
        }
    }

    /// Whatever is said on them is lost: the old address is nobody's.
    fn forget_connections(&mut self, node: NodeIndex) {
        for id in self.network.wires_of(self.node_site(node)) {
            if let Some(wire) = self.network.get_mut(id) {
                wire.health = Health::Vanishing;
            }
        }
    }

    /// The script that starts a node tells it its port, and if it asks the Sentinels, whom to
    /// follow: the node that they name by then, if it is another.
    pub(super) fn run_start_script(&mut self, node: NodeIndex) {
        let asks = std::mem::take(&mut self.nodes[node.0].asks);
        let here = self.node_address(node);
        if self.nodes[node.0].moves == 0 {
            return;
        }
        let port = here.port().to_string();
        let mut lines = vec![vec!["CONFIG", "SET", "replica-announce-port", &*port]];
        let named = self.favourite(self.nodes[node.0].group).filter(|named| *named != node);
        let master = named.filter(|_| asks).map(|named| self.node_address(named));
        let (ip, port) = master.map(|at| (at.ip().to_string(), at.port().to_string())).unzip();
        if let (Some(ip), Some(port)) = (&ip, &port) {
            lines.push(vec!["REPLICAOF", ip, port]);
        }
        lines.push(vec!["CONFIG", "REWRITE"]);
        let mut bytes = BytesMut::new();
        for line in lines {
            let words: Vec<&[u8]> = line.iter().map(|word| word.as_bytes()).collect();
            encode_command(&mut bytes, &words);
        }
        let conn = self.nodes[node.0].mint_client();
        let (peer, local) = (here, here);
        self.node_input(node, NodeInput::ConnectionOpened { conn, peer, local });
        self.node_input(node, NodeInput::BytesReceived { conn, bytes: bytes.freeze() });
        self.node_input(node, NodeInput::ConnectionClosed { conn });
    }

    /// A node that moved must be known by every healed Sentinel: from the INFO of its master.
    pub(super) fn pending_of_moved(&self, group: usize) -> Option<String> {
        let mut nodes = self.nodes_of(group).filter(|node| self.nodes[node.0].moves > 0);
        let stranger = nodes.find(|node| !self.is_known_to_all(*node))?;
        Some(format!("{} has moved and is not known", self.node_address(stranger)))
    }

    /// Operators lead back whom no Sentinel can find: a node that moved and follows nobody, or a
    /// dead address; and a Sentinel that knows nobody else. A master whom nobody can replace gets
    /// its old address again, at once if nobody else is known, and in any case when they have
    /// `waited_ms` long enough.
    pub(super) fn restore_moved(&mut self, group: usize, waited_ms: u64) {
        if self.nodes_of(group).all(|node| self.nodes[node.0].moves == 0) {
            return;
        }
        let is_late = waited_ms >= PATIENCE_MS;
        let Some(master) = self.favourite(group) else {
            return self.restore_address(group, is_late);
        };
        if self.node(master).role() != Role::Master {
            if is_late {
                self.order_node(master, Order::BecomeMaster);
            }
            return;
        }
        if is_late {
            self.restore_lost_sentinels(group);
        }
        let strangers = self.nodes_of(group).filter(|node| {
            self.nodes[node.0].moves > 0 && *node != master && !self.is_known_to_all(*node)
        });
        let number = master.0 - self.first_node(group).0;
        for stranger in strangers.collect::<Vec<_>>() {
            self.order_node(stranger, Order::Follow(number));
        }
    }

    /// A second master that only a broken Sentinel knows, since the others were told anew what to
    /// monitor, is an operator's to find: nobody else looks for it (seed 21033700).
    pub(super) fn restore_forgotten(&mut self, group: usize, waited_ms: u64) {
        let Some(master) = self.favourite(group).filter(|_| waited_ms >= PATIENCE_MS) else {
            return;
        };
        let number = master.0 - self.first_node(group).0;
        let forgotten = self.nodes_of(group).filter(|index| {
            *index != master
                && !self.is_known(*index)
                && self.is_known_to_broken(*index)
                && self.node(*index).role() == Role::Master
                && self.node(master).role() == Role::Master
        });
        for index in forgotten.collect::<Vec<_>>() {
            self.witness.reach("a forgotten master was found by an operator");
            self.order_node(index, Order::Follow(number));
        }
    }

    /// A Sentinel of which all knew another address, and who knows none that is still in use, hears
    /// from nobody: it is told anew what to monitor.
    fn restore_lost_sentinels(&mut self, group: usize) {
        let healed: Vec<_> = self.healed_sentinels().collect();
        for index in healed {
            let named = self.official(index, group);
            if named.is_some_and(|address| self.node_at(address).is_none()) {
                self.witness.reach("a Sentinel that knew dead addresses only was told anew");
                self.type_command(index, group, Typed::RemoveAndMonitor);
            }
        }
    }

    fn restore_address(&mut self, group: usize, is_late: bool) {
        let priorities = &self.plan.masters[group].priorities;
        let mut others = self.nodes_of(group).zip(priorities);
        if !is_late && others.any(|(node, priority)| *priority > 0 && self.is_known(node)) {
            return;
        }
        let healed: Vec<_> = self.healed_sentinels().collect();
        let named = healed.into_iter().find_map(|index| self.official(index, group));
        let Some(named) = named else { return };
        let lived = |(number, _): &(usize, NodeIndex)| {
            address::hosts_of_node(group, *number).any(|host| host == named.ip())
        };
        let Some((_, node)) = (0..).zip(self.nodes_of(group)).find(lived) else { return };
        self.witness.reach("a moved master got its old address again");
        self.kill_node(node, 0, Revival::WithData, false);
        self.nodes[node.0].address = named;
    }

    /// A Sentinel that was not healed knows it.
    fn is_known_to_broken(&self, node: NodeIndex) -> bool {
        let all = SentinelIndex::all(self.sentinels.len());
        let mut broken = all.filter(|index| self.sentinels[index.0].given_up);
        broken.any(|index| self.knows(index, node))
    }

    fn is_known_to_all(&self, node: NodeIndex) -> bool {
        self.healed_sentinels().all(|index| self.knows(index, node))
    }

    pub(super) fn is_known(&self, node: NodeIndex) -> bool {
        self.healed_sentinels().any(|index| self.knows(index, node))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group_plan::GroupPlan;
    use crate::witness::Witness;

    fn calm() -> World {
        let plan = GroupPlan { replicas: 2, sentinels: 3, ..GroupPlan::default() }.to_plan();
        let mut world = World::build(plan, Witness::strict());
        world.run_for(5_000);
        world
    }

    /// The old addresses of a group that every Sentinel calls down.
    fn dead_entries(world: &World) -> usize {
        let snapshot = world.snapshot(crate::SentinelIndex(0));
        let views = snapshot.into_iter().flat_map(|snapshot| snapshot.masters());
        let replicas = views.flat_map(|view| &view.replicas);
        replicas.filter(|replica| replica.node.sdown_since.is_some()).count()
    }

    #[test]
    fn a_replica_that_moved_is_found_beside_its_dead_entry() {
        for to in [NewHome::Host, NewHome::Port] {
            let mut world = calm();
            world.move_node(NodeIndex(1), 100, (to, false, true));
            assert!(world.pending().is_some_and(|reason| reason.contains("is not known")));
            assert!(world.run_until(30_000, |world| world.pending().is_none()), "{to:?}");
            world.run_for(5_000);
            assert_eq!(world.witness().violation(), None);
            assert_eq!(dead_entries(&world), 1, "{to:?}");
            assert!(world.node(NodeIndex(1)).is_link_up());
        }
    }

    #[test]
    fn a_master_that_moved_follows_whom_the_sentinels_name() {
        let mut world = calm();
        world.move_node(NodeIndex(0), 8_000, (NewHome::Host, true, false));
        world.heal();
        assert!(world.converge().is_ok());
        assert_eq!(world.witness().violation(), None);
        assert!(world.favourite(0).is_some_and(|master| master != NodeIndex(0)));
        assert_eq!(world.node(NodeIndex(0)).role(), Role::Replica);
    }

    /// Seed 21033700.
    #[test]
    fn a_forgotten_master_is_found_by_an_operator() {
        let mut world = calm();
        world.order_node(NodeIndex(1), Order::BecomeMaster);
        world.run_for(2_000);
        for index in 0..2 {
            world.type_command(crate::SentinelIndex(index), 0, Typed::RemoveAndMonitor);
        }
        world.run_for(5_000);
        world.restore_forgotten(0, PATIENCE_MS);
        assert!(world.is_known(NodeIndex(1)), "by a healed one, which will see to it");
        world.sentinels[2].given_up = true;
        world.stall_sentinel(crate::SentinelIndex(2), 60_000);
        assert!(!world.is_known(NodeIndex(1)));
        world.restore_forgotten(0, 0);
        world.run_for(15_000);
        assert_eq!(world.node(NodeIndex(1)).role(), Role::Master);
        world.restore_forgotten(0, PATIENCE_MS);
        world.run_for(15_000);
        assert_eq!(world.node(NodeIndex(1)).role(), Role::Replica);
        assert!(world.is_known(NodeIndex(1)));
        assert_eq!(world.witness().violation(), None);
    }

    #[test]
    fn a_lone_master_that_moved_gets_its_address_again() {
        let plan = GroupPlan { replicas: 0, sentinels: 3, ..GroupPlan::default() }.to_plan();
        let mut world = World::build(plan, Witness::strict());
        world.run_for(5_000);
        let home = world.node_address(NodeIndex(0));
        world.move_node(NodeIndex(0), 100, (NewHome::Host, true, false));
        world.heal();
        assert!(world.converge().is_ok());
        assert_eq!(world.node_address(NodeIndex(0)), home);
    }
}
