//! Incidents befall the inhabitants.

use vedette_node::{Fault as NodeFault, Input as NodeInput, Revival};

use super::{Repair, World};
use crate::address;
use crate::agenda::Happening;
use crate::fault::{Fault, Incident, NetworkHarm, NodeHarm, NodePick, Place, SentinelHarm, Way};
use crate::network::{End, Health, Parcel, Site};
use crate::node_host::NodeIndex;
use crate::sentinel_host::SentinelIndex;

impl World {
    pub(super) fn befall(&mut self, number: usize) {
        if self.healed {
            return;
        }
        self.count_memory();
        let Incident { fault, number, .. } = self.plan.incidents[number].clone();
        self.witness.note_incident(self.now_ms, number, &fault);
        match fault {
            Fault::Node(pick, harm) => self.harm_node(self.picked(pick), harm),
            Fault::Sentinel(index, harm) => self.harm_sentinel(SentinelIndex(index), harm),
            Fault::Network(harm) => self.harm_network(harm),
            Fault::Trapped { group, moment, trap } => self.traps.push((group, moment, trap)),
            Fault::VoterCrashes { group, for_ms, silently } => {
                self.voter_traps.insert(group, (for_ms, silently));
            }
            Fault::Typed { sentinel, group, typed } => {
                self.type_command(SentinelIndex(sentinel), group, typed);
            }
        }
    }

    /// The fault ends after this time.
    pub(super) fn mend_after(&mut self, for_ms: u64, repair: Repair) {
        self.agenda.add(self.now_ms + for_ms, Happening::Repair(repair));
    }

    pub(super) fn suffer(&mut self, node: NodeIndex, fault: NodeFault) {
        self.node_input(node, NodeInput::Faulted(fault));
    }
}

/// Nodes.
impl World {
    fn harm_node(&mut self, node: NodeIndex, harm: NodeHarm) {
        match harm {
            NodeHarm::Dies { for_ms, back, silently } => {
                self.kill_node(node, for_ms, back, silently);
            }
            NodeHarm::Hangs { for_ms } => {
                self.nodes[node.0].hung += 1;
                self.suffer(node, NodeFault::Hung);
                self.mend_after(for_ms, Repair::NodeResumes(node));
            }
            NodeHarm::Refuses { for_ms, cut } => {
                self.nodes[node.0].refusing += 1;
                self.suffer(node, NodeFault::ConnectionsRefused);
                if cut {
                    self.reset_connections(self.node_site(node));
                }
                self.mend_after(for_ms, Repair::NodeAccepts(node));
            }
            NodeHarm::Loads { for_ms } => {
                self.suffer(node, NodeFault::LoadingStarted { ms: for_ms });
            }
            NodeHarm::Busy { for_ms, has_written } => {
                self.suffer(node, NodeFault::ScriptStarted { has_written });
                self.mend_after(for_ms, Repair::ScriptEnds(node));
            }
            NodeHarm::Lags { lag_ms, for_ms } => {
                self.suffer(node, NodeFault::ReplicationLagged { ms: lag_ms });
                self.mend_after(for_ms, Repair::NodeInStep(node));
            }
            NodeHarm::Ordered(order) => self.order_node(node, order),
            NodeHarm::Moves { for_ms, to, asks, silently } => {
                self.move_node(node, for_ms, (to, asks, silently));
            }
        }
    }

    pub(super) fn kill_node(
        &mut self,
        node: NodeIndex,
        for_ms: u64,
        back: Revival,
        silently: bool,
    ) {
        if silently {
            self.orphan_connections(self.node_site(node));
            self.nodes[node.0].powered = false;
        }
        self.nodes[node.0].down += 1;
        self.suffer(node, NodeFault::Killed);
        self.mend_after(for_ms, Repair::NodeBack(node, back));
    }

    /// The node that a plan means at this moment.
    pub(super) fn picked(&self, pick: NodePick) -> NodeIndex {
        match pick {
            NodePick::Master(group) => {
                self.favourite(group).unwrap_or_else(|| self.first_node(group))
            }
            NodePick::Node(group, number) => NodeIndex(self.first_node(group).0 + number),
        }
    }
}

/// Sentinels.
impl World {
    fn harm_sentinel(&mut self, index: SentinelIndex, harm: SentinelHarm) {
        match harm {
            SentinelHarm::Crashes { for_ms, silently, side_file_lost } => {
                self.crash_sentinel(index, for_ms, silently, side_file_lost);
            }
            SentinelHarm::Moves { for_ms } => self.move_sentinel(index, for_ms),
            SentinelHarm::Stalls { for_ms } => self.stall_sentinel(index, for_ms),
            SentinelHarm::WallClockJumps { by_ms } => {
                self.sentinels[index.0].wall_offset_ms += by_ms;
            }
            SentinelHarm::DiskSlow { ms, for_ms } => {
                self.sentinels[index.0].disk.extra_ms += ms;
                self.mend_after(for_ms, Repair::DiskFast(index, ms));
            }
            SentinelHarm::DiskFull { for_ms } => {
                self.sentinels[index.0].disk.full += 1;
                self.mend_after(for_ms, Repair::DiskHasRoom(index));
            }
            SentinelHarm::DiskStuck { for_ms } => {
                self.sentinels[index.0].disk.stuck += 1;
                self.mend_after(for_ms, Repair::DiskGoesOn(index));
            }
        }
    }

    pub(super) fn crash_sentinel(
        &mut self,
        index: SentinelIndex,
        for_ms: u64,
        silently: bool,
        side_file_lost: bool,
    ) {
        if self.sentinels[index.0].process.is_none() {
            return;
        }
        self.note_crash(index);
        let site = self.sentinel_site(index);
        if silently {
            self.orphan_connections(site);
        } else {
            self.close_connections(site);
        }
        let host = &mut self.sentinels[index.0];
        host.process = None;
        host.powered = !silently;
        host.stalled_until = None;
        host.backlog.clear();
        host.disk.crash(&mut self.chance.disk, side_file_lost);
        self.mend_after(for_ms, Repair::SentinelBack(index));
    }

    fn move_sentinel(&mut self, index: SentinelIndex, for_ms: u64) {
        if self.sentinels[index.0].process.is_some() {
            self.crash_sentinel(index, for_ms, false, false);
            let host = &mut self.sentinels[index.0];
            host.address = address::moved_sentinel(host.address);
        }
    }

    pub(super) fn stall_sentinel(&mut self, index: SentinelIndex, for_ms: u64) {
        let host = &mut self.sentinels[index.0];
        if host.process.is_none() || host.stalled_until.is_some() {
            return;
        }
        host.stalled_until = Some(self.now_ms + for_ms);
        let life = host.life;
        self.mend_after(for_ms, Repair::SentinelGoesOn(index, life));
    }
}

/// The network.
impl World {
    fn harm_network(&mut self, harm: NetworkHarm) {
        match harm {
            NetworkHarm::Cut { one, other, way, for_ms } => {
                let ways = ways(self.site(one), &[self.site(other)], way);
                self.block(ways, for_ms);
            }
            NetworkHarm::Isolated { place, way, for_ms } => {
                self.isolate(self.site(place), way, for_ms)
            }
            NetworkHarm::Split { mask, for_ms } => {
                let side = |site: &usize| mask >> (site % 64) & 1 == 1;
                let (left, right): (Vec<usize>, Vec<usize>) = (0..self.outside().0).partition(side);
                let right: Vec<Site> = right.into_iter().map(Site).collect();
                let both = left.into_iter().flat_map(|one| ways(Site(one), &right, Way::Both));
                self.block(both.collect(), for_ms);
            }
            NetworkHarm::Slow { one, other, ms, for_ms } => {
                let ways = ways(self.site(one), &[self.site(other)], Way::Both);
                ways.iter().for_each(|(from, to)| self.network.slow_down(*from, *to, ms));
                self.mend_after(for_ms, Repair::Faster(ways, ms));
            }
            NetworkHarm::Reset { place } => self.reset_connections(self.site(place)),
            NetworkHarm::HalfOpen { place } => {
                for wire in self.network.wires_of(self.site(place)) {
                    if let Some(wire) = self.network.get_mut(wire) {
                        wire.health = Health::Vanishing;
                    }
                }
            }
        }
    }

    pub(super) fn isolate(&mut self, site: Site, way: Way, for_ms: u64) {
        let others: Vec<Site> = (0..self.outside().0).map(Site).collect();
        self.block(ways(site, &others, way), for_ms);
    }

    fn block(&mut self, ways: Vec<(Site, Site)>, for_ms: u64) {
        ways.iter().for_each(|(from, to)| self.network.block(*from, *to));
        self.mend_after(for_ms, Repair::Unblock(ways));
    }

    fn site(&self, place: Place) -> Site {
        match place {
            Place::Sentinel(index) => self.sentinel_site(SentinelIndex(index)),
            Place::Node(pick) => self.node_site(self.picked(pick)),
        }
    }

    /// Both ends of every connection hear that it is over.
    fn reset_connections(&mut self, site: Site) {
        for wire in self.network.wires_of(site) {
            for end in [End::Caller, End::Callee] {
                self.dispatch(wire, end, Parcel::Close);
            }
        }
    }

    /// The other ends hear that this process is gone.
    fn close_connections(&mut self, site: Site) {
        for id in self.network.wires_of(site) {
            let Some(wire) = self.network.get(id) else { continue };
            let end = match wire.sites[0] == site {
                true => End::Callee,
                false => End::Caller,
            };
            self.dispatch(id, end, Parcel::Close);
        }
    }

    /// Nobody hears anything, until they say something to a machine that is back.
    pub(super) fn orphan_connections(&mut self, site: Site) {
        for id in self.network.wires_of(site) {
            if let Some(wire) = self.network.get_mut(id) {
                wire.health = Health::Orphaned;
            }
        }
    }
}

/// The ways between a process and others that a fault concerns.
fn ways(one: Site, others: &[Site], way: Way) -> Vec<(Site, Site)> {
    let others = others.iter().copied().filter(|other| *other != one);
    let both = |other| match way {
        Way::Both => vec![(one, other), (other, one)],
        Way::Into => vec![(other, one)],
        Way::OutOf => vec![(one, other)],
    };
    others.flat_map(both).collect()
}
