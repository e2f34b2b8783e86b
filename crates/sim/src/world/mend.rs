//! Faults end: one by one, and all together when the liveness phase begins.

use std::collections::VecDeque;

use vedette_node::{Fault as NodeFault, Revival};

use super::World;
use crate::agenda::Happening;
use crate::fault::{Typed, Way};
use crate::network::Site;
use crate::node_host::NodeIndex;
use crate::sentinel_host::SentinelIndex;

/// For ever, as far as a run is concerned.
pub(super) const FOR_EVER_MS: u64 = 1 << 40;

/// The end of a fault.
#[derive(Clone, Debug)]
pub(crate) enum Repair {
    NodeBack(NodeIndex, Revival),
    NodeResumes(NodeIndex),
    NodeAccepts(NodeIndex),
    ScriptEnds(NodeIndex),
    NodeInStep(NodeIndex),
    SentinelBack(SentinelIndex),
    /// In this life, if it has not ended.
    SentinelGoesOn(SentinelIndex, u64),
    DiskFast(SentinelIndex, u64),
    DiskHasRoom(SentinelIndex),
    DiskGoesOn(SentinelIndex),
    Unblock(Vec<(Site, Site)>),
    Faster(Vec<(Site, Site)>, u64),
    /// In the outage: whoever leads falls.
    LeaderFalls(SentinelIndex, super::outage::Fall),
    /// In the outage: the node that it chose falls.
    ChosenFalls(NodeIndex, super::outage::Fall),
    /// An operator types again.
    Type(SentinelIndex, usize, Typed),
}

impl World {
    pub(super) fn mend(&mut self, repair: Repair) {
        match repair {
            Repair::NodeBack(node, revival) => self.end_death(node, revival),
            Repair::NodeResumes(node) => {
                let hung = self.nodes[node.0].hung;
                self.nodes[node.0].hung = hung.saturating_sub(1);
                if hung == 1 {
                    self.suffer(node, NodeFault::Resumed);
                }
            }
            Repair::NodeAccepts(node) => {
                let refusing = self.nodes[node.0].refusing;
                self.nodes[node.0].refusing = refusing.saturating_sub(1);
                if refusing == 1 {
                    self.suffer(node, NodeFault::ConnectionsAccepted);
                }
            }
            Repair::ScriptEnds(node) => self.suffer(node, NodeFault::ScriptEnded),
            Repair::NodeInStep(node) => self.suffer(node, NodeFault::ReplicationResumed),
            Repair::SentinelBack(index) => {
                let host = &self.sentinels[index.0];
                if host.process.is_none() && !host.given_up {
                    self.start_sentinel(index);
                }
            }
            Repair::SentinelGoesOn(index, life) => self.end_stall(index, life),
            Repair::DiskFast(index, ms) => {
                let disk = &mut self.sentinels[index.0].disk;
                disk.extra_ms = disk.extra_ms.saturating_sub(ms);
            }
            Repair::DiskHasRoom(index) => {
                let disk = &mut self.sentinels[index.0].disk;
                disk.full = disk.full.saturating_sub(1);
            }
            Repair::DiskGoesOn(index) => self.unstick_disk(index),
            Repair::Unblock(ways) if !self.healed => {
                ways.iter().for_each(|(from, to)| self.network.unblock(*from, *to));
                self.release_held();
            }
            Repair::Faster(ways, ms) if !self.healed => {
                ways.iter().for_each(|(from, to)| self.network.speed_up(*from, *to, ms));
            }
            Repair::Unblock(_) | Repair::Faster(..) => {}
            Repair::LeaderFalls(index, fall) => self.leader_falls(index, fall),
            Repair::ChosenFalls(node, fall) => self.chosen_falls(node, fall),
            Repair::Type(sentinel, group, typed) => self.type_command(sentinel, group, typed),
        }
    }

    fn end_death(&mut self, node: NodeIndex, revival: Revival) {
        let host = &mut self.nodes[node.0];
        let down = std::mem::replace(&mut host.down, 0);
        host.down = down.saturating_sub(1);
        if down == 1 {
            host.powered = true;
            self.revive_node(node, revival);
        }
    }

    fn revive_node(&mut self, node: NodeIndex, revival: Revival) {
        self.suffer(node, NodeFault::Revived(revival));
        self.run_start_script(node);
    }

    fn end_stall(&mut self, index: SentinelIndex, life: u64) {
        let host = &mut self.sentinels[index.0];
        if host.given_up || host.life != life || host.stalled_until.take().is_none() {
            return;
        }
        let (mut inputs, mut clients) = (VecDeque::new(), Vec::new());
        for (wire, at, parcel) in std::mem::take(&mut host.backlog) {
            clients.extend(self.read(index, wire, at, parcel, &mut inputs));
        }
        self.run_turns(index, inputs);
        clients.sort_unstable();
        clients.dedup();
        clients.into_iter().for_each(|client| self.flush_client(index, client));
        // Healing may end a stall before its time (seed 11003671).
        let held = std::mem::take(&mut self.sentinels[index.0].held);
        held.into_iter().for_each(|happening| self.agenda.add(self.now_ms, happening));
        // The timer comes last: what arrives at this very moment is read before (rule E3).
        self.agenda.add(self.now_ms, Happening::SentinelDeadline { sentinel: index, life });
    }

    fn unstick_disk(&mut self, index: SentinelIndex) {
        let disk = &mut self.sentinels[index.0].disk;
        disk.stuck = disk.stuck.saturating_sub(1);
        if disk.stuck == 0
            && let Some(generation) = disk.overdue()
        {
            self.time_save(index, generation);
        }
    }
}

/// The liveness phase.
impl World {
    /// Heals everything but some Sentinels that stay broken: whatever is missing now must come.
    pub fn heal(&mut self) {
        self.count_memory();
        self.witness.note_phase(self.now_ms, "everything is healed".to_owned());
        self.healed = true;
        self.traps.clear();
        self.voter_traps.clear();
        self.network.heal();
        let broken = self.draw_broken();
        for index in SentinelIndex::all(self.sentinels.len()) {
            self.heal_sentinel(index);
        }
        for node in NodeIndex::all(self.nodes.len()) {
            self.heal_node(node);
        }
        for index in broken {
            self.break_for_good(index);
        }
        self.release_held();
        self.apps.iter_mut().for_each(|app| app.role.forget_reads());
    }

    fn draw_broken(&mut self) -> Vec<SentinelIndex> {
        let mut candidates: Vec<_> = SentinelIndex::all(self.sentinels.len()).collect();
        let mut broken = Vec::new();
        let most = self.sentinels.len().saturating_sub(self.enough_now());
        for _ in 0..self.plan.left_broken.min(most) {
            broken.push(candidates.remove(self.chance.lives.index(candidates.len())));
        }
        broken
    }

    fn heal_sentinel(&mut self, index: SentinelIndex) {
        let disk = &mut self.sentinels[index.0].disk;
        (disk.extra_ms, disk.full, disk.stuck) = (0, 0, 0);
        if let Some(generation) = disk.overdue() {
            self.time_save(index, generation);
        }
        let host = &self.sentinels[index.0];
        if host.process.is_none() {
            self.start_sentinel(index);
        } else if host.stalled_until.is_some() {
            self.end_stall(index, host.life);
        }
    }

    fn heal_node(&mut self, node: NodeIndex) {
        let host = &mut self.nodes[node.0];
        let (down, hung, refusing) = (host.down, host.hung, host.refusing);
        (host.down, host.hung, host.refusing) = (0, 0, 0);
        host.powered = true;
        if down > 0 {
            self.revive_node(node, Revival::WithData);
        }
        if hung > 0 {
            self.suffer(node, NodeFault::Resumed);
        }
        if refusing > 0 {
            self.suffer(node, NodeFault::ConnectionsAccepted);
        }
        self.suffer(node, NodeFault::ScriptEnded);
        self.suffer(node, NodeFault::ReplicationResumed);
    }

    fn break_for_good(&mut self, index: SentinelIndex) {
        self.sentinels[index.0].given_up = true;
        let site = self.sentinel_site(index);
        match self.chance.lives.below(4) {
            0 => self.crash_sentinel(index, FOR_EVER_MS, false, false),
            1 => self.isolate(site, Way::Both, FOR_EVER_MS),
            2 => self.isolate(site, Way::Into, FOR_EVER_MS),
            _ => self.isolate(site, Way::OutOf, FOR_EVER_MS),
        }
    }
}
