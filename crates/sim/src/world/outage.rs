//! The outage: masters of a calm group are lost, and must be replaced within what rules.md
//! promises.

use std::net::SocketAddr;

use vedette_core::{Publication, Request, Response, SimulatedFailures};
use vedette_node::{Fault as NodeFault, Role};

use super::mend::FOR_EVER_MS;
use super::patience::Patience;
use super::{Repair, World};
use crate::address;
use crate::client::STAY_MS;
use crate::fault::{Moment, Typed};
use crate::node_host::NodeIndex;
use crate::plan::{Fate, Loss, Outage};
use crate::sentinel_host::SentinelIndex;

/// How often the world is looked at.
const LOOK_MS: u64 = 10;
/// Rules S6 and S7 hold nobody back any more after this, nor does a back-off (rule F2).
const CALM_MS: u64 = 7_000;
/// More than any stale repair takes off.
const FOR_GOOD: u32 = 1 << 16;
/// A client asks one Sentinel after the other; each may be dead, and the last one known to be.
const CLIENT_TRY_MS: u64 = 1_000 + 250;

/// The third phase as far as it has come.
#[derive(Clone, Debug)]
pub(super) struct Ordeal {
    pub(super) loss: Loss,
    lost: Vec<Lost>,
    began_ms: u64,
    /// What was to go wrong has not happened yet.
    pending: bool,
    pub(super) leader_fell: Option<Fall>,
    pub(super) chosen_fell: Option<Fall>,
    pub(super) replicas_hang_ms: Option<u64>,
    /// Whoever was told to fail over answered that another may be at it (rule C1).
    order_refused: bool,
}

/// A lost master.
#[derive(Clone, Debug)]
struct Lost {
    group: usize,
    old: NodeIndex,
    /// Who could take its place when it was lost.
    eligible: Vec<NodeIndex>,
    /// Since when the new configuration is durable at a majority of healed Sentinels.
    durable_ms: Option<u64>,
}

/// How a leader or its replica falls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fall {
    pub(super) after_ms: u64,
    silently: bool,
    hangs: bool,
    /// The replica had accepted to become a master.
    pub(super) accepted: bool,
}

/// How long the slowest switch of an outage took, and how long it might have taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switch {
    /// From the loss until every healed Sentinel shows the same running master.
    pub took_ms: u64,
    /// The sum of what the rules allow.
    pub allowed_ms: u64,
}

/// The phase.
impl World {
    /// Loses masters, and waits for others in their place. None if no master can be replaced, and
    /// in mixed groups: at the reference's pace elections may be lost again and again.
    pub fn lose_masters(&mut self) -> Option<Switch> {
        let outage = self.plan.outage.clone().filter(|_| self.plan.old.is_empty())?;
        self.disarm();
        let paces = 0..self.plan.masters.len();
        let longest = paces.map(|group| self.pace(group).longest_work_ms()).max().unwrap_or(0);
        // A vote of before the calm holds nobody back any more (rules F1, V8).
        self.run_for(longest.max(CALM_MS) + outage.offset_ms);
        if self.witness.violation().is_some() || self.pending().is_some() {
            return None;
        }
        let lost = self.choose_masters(&outage);
        if lost.is_empty() {
            return None;
        }
        self.witness.reach("an outage");
        self.outage = Some(Ordeal {
            loss: outage.loss.clone(),
            lost: lost.clone(),
            began_ms: self.now_ms,
            pending: true,
            leader_fell: None,
            chosen_fell: None,
            replicas_hang_ms: None,
            order_refused: false,
        });
        for one in &lost {
            self.lose(one, &outage.loss);
        }
        let switch = self.await_switches()?;
        self.await_clients(&outage.loss);
        Some(switch)
    }

    /// An operator takes back what simulates failures.
    fn disarm(&mut self) {
        let healed: Vec<SentinelIndex> = self.healed_sentinels().collect();
        for index in healed {
            let process = self.snapshot(index).and_then(|snapshot| snapshot.process());
            let none = SimulatedFailures::default();
            if process.is_some_and(|process| process.simulated_failures != none) {
                self.request(index, Request::SimulateFailure(none));
            }
        }
    }

    fn choose_masters(&self, outage: &Outage) -> Vec<Lost> {
        let mut groups: Vec<usize> =
            (0..self.plan.masters.len()).filter(|group| self.can_be_replaced(*group)).collect();
        let most = match outage.loss {
            Loss::Killed { .. } => outage.picks.len(),
            Loss::Forced { .. } => 1,
        };
        let mut lost = Vec::new();
        for pick in outage.picks.iter().take(most.min(groups.len())) {
            let place = usize::try_from(*pick % groups.len() as u64).unwrap_or(0);
            let group = groups.remove(place);
            if let Some(old) = self.favourite(group) {
                let eligible = self.eligible(group);
                lost.push(Lost { group, old, eligible, durable_ms: None });
            }
        }
        lost
    }

    /// Enough healed Sentinels, and a replica that each of them would promote.
    fn can_be_replaced(&self, group: usize) -> bool {
        let healed = self.healed_sentinels().count();
        healed >= self.enough_at(group) && !self.eligible(group).is_empty()
    }

    /// Votes that elect at the most demanding Sentinel.
    fn enough_at(&self, group: usize) -> usize {
        let name = &self.plan.masters[group].name;
        let views = self.healed_sentinels().filter_map(|index| self.snapshot(index)?.master(name));
        let enough = views.map(|view| {
            let quorum = usize::try_from(view.settings.quorum).unwrap_or(usize::MAX);
            let known = view.sentinels.len() + 1;
            (known / 2 + 1).max(quorum)
        });
        enough.max().unwrap_or(usize::MAX)
    }

    /// Replicas in step that every healed Sentinel would promote.
    fn eligible(&self, group: usize) -> Vec<NodeIndex> {
        let name = &self.plan.masters[group].name;
        let first = self.first_node(group).0;
        let nodes = first..first + self.plan.masters[group].priorities.len();
        let fits = |address: SocketAddr| {
            self.healed_sentinels().all(|index| {
                let view = self.snapshot(index).and_then(|snapshot| snapshot.master(name));
                let replicas = view.map_or(&[][..], |view| &view.replicas);
                replicas.iter().any(|replica| {
                    replica.node.socket == Some(address)
                        && replica.priority > 0
                        && replica.link_up
                        && replica.node.link.connected
                        && replica.node.sdown_since.is_none()
                        && replica.node.role_reported == vedette_core::Role::Replica
                })
            })
        };
        nodes.map(NodeIndex).filter(|node| fits(self.node_address(*node))).collect()
    }

    fn lose(&mut self, lost: &Lost, loss: &Loss) {
        let (at, name) = (self.node_address(lost.old), &self.plan.masters[lost.group].name);
        self.witness.note_phase(self.now_ms, format!("{name} at {at}: {loss:?}"));
        match loss {
            Loss::Killed { silently, fate } => {
                self.kill_for_good(lost.old, *silently);
                if let Fate::ReplicasHang { for_ms } = fate {
                    self.hang_replicas(lost, *for_ms);
                }
            }
            Loss::Forced { pick, .. } => {
                let healed: Vec<SentinelIndex> = self.healed_sentinels().collect();
                let place = usize::try_from(*pick % healed.len().max(1) as u64).unwrap_or(0);
                let Some(index) = healed.get(place).copied() else { return };
                self.type_command(index, lost.group, Typed::Failover);
            }
        }
    }

    fn kill_for_good(&mut self, node: NodeIndex, silently: bool) {
        if silently {
            self.orphan_connections(self.node_site(node));
            self.nodes[node.0].powered = false;
        }
        self.nodes[node.0].down += FOR_GOOD;
        self.suffer(node, NodeFault::Killed);
    }

    fn hang_replicas(&mut self, lost: &Lost, for_ms: u64) {
        let first = self.first_node(lost.group).0;
        for node in first..first + self.plan.masters[lost.group].priorities.len() {
            if node != lost.old.0 {
                self.nodes[node].hung += 1;
                self.suffer(NodeIndex(node), NodeFault::Hung);
                self.mend_after(for_ms, Repair::NodeResumes(NodeIndex(node)));
            }
        }
        if let Some(ordeal) = &mut self.outage {
            ordeal.replicas_hang_ms = Some(for_ms);
        }
    }
}

/// What goes wrong meanwhile.
impl World {
    /// Whoever leads a failover of a lost master is struck, if that is its fate.
    pub(super) fn strike_leader(&mut self, index: SentinelIndex, publication: &Publication) {
        let Some(ordeal) = self.outage.as_ref().filter(|ordeal| ordeal.pending) else { return };
        match ordeal.loss {
            Loss::Killed { fate, .. } => self.strike(index, publication, fate),
            Loss::Forced { cut: true, .. } => self.cut_off(index, publication),
            Loss::Forced { cut: false, .. } => {}
        }
    }

    /// Who follows an operator's order loses the old master out of sight; not before, or it would
    /// refuse the order.
    fn cut_off(&mut self, index: SentinelIndex, publication: &Publication) {
        let Some(ordeal) = self.outage.as_mut() else { return };
        let names = ordeal.lost.iter().map(|lost| (lost.old, &self.plan.masters[lost.group].name));
        let lost = names.into_iter().find(|(_, name)| {
            let views = publication.masters.iter();
            views.into_iter().any(|view| *view.name == ***name && view.failover.is_some())
        });
        let Some((old, _)) = lost else { return };
        ordeal.pending = false;
        let (one, other) = (self.sentinel_site(index), self.node_site(old));
        self.network.block(one, other);
        self.network.block(other, one);
    }

    fn strike(&mut self, index: SentinelIndex, publication: &Publication, fate: Fate) {
        let Some(ordeal) = &self.outage else { return };
        let (wanted, fall) = match fate {
            Fate::Spared | Fate::ReplicasHang { .. } => return,
            Fate::LeaderDies { moment, after_ms, silently }
            | Fate::ChosenDies { moment, after_ms, silently } => {
                (moment, Fall { after_ms, silently, hangs: false, accepted: false })
            }
            Fate::LeaderHangs { moment, after_ms } => {
                (moment, Fall { after_ms, silently: false, hangs: true, accepted: false })
            }
        };
        let groups: Vec<usize> = ordeal.lost.iter().map(|lost| lost.group).collect();
        for view in &publication.masters {
            let Some(group) = address::group_of(&view.node.address) else { continue };
            if !groups.contains(&group)
                || self.sentinels[index.0].given_up
                || Moment::of(view, publication) != Some(wanted)
            {
                continue;
            }
            let chosen = view.replicas.iter().find(|replica| replica.promoted);
            let chosen = chosen.and_then(|r| r.node.socket).and_then(|at| self.node_at(at));
            let repair = match (fate, chosen) {
                (Fate::ChosenDies { .. }, Some(node)) => Repair::ChosenFalls(node, fall),
                (Fate::ChosenDies { .. }, None) => continue,
                (_, _) => Repair::LeaderFalls(index, fall),
            };
            if let Some(ordeal) = &mut self.outage {
                ordeal.pending = false;
            }
            match repair {
                Repair::LeaderFalls(index, fall) if fall.after_ms == 0 => {
                    self.leader_falls(index, fall);
                }
                repair => self.mend_after(fall.after_ms, repair),
            }
            return;
        }
    }

    /// It does so only if enough others remain.
    pub(super) fn leader_falls(&mut self, index: SentinelIndex, fall: Fall) {
        let Some(ordeal) = &self.outage else { return };
        let remaining = self.healed_sentinels().filter(|other| *other != index).count();
        let groups: Vec<usize> = ordeal.lost.iter().map(|lost| lost.group).collect();
        if groups.iter().any(|group| self.enough_at(*group) > remaining) {
            return;
        }
        if let Some(ordeal) = &mut self.outage {
            ordeal.leader_fell = Some(fall);
        }
        self.witness.reach("a leader fell in an outage");
        self.witness.note_phase(self.now_ms, format!("Sentinel {}: {fall:?}", index.0));
        if fall.hangs {
            self.stall_sentinel(index, FOR_EVER_MS);
        } else {
            self.crash_sentinel(index, FOR_EVER_MS, fall.silently, false);
        }
        self.sentinels[index.0].given_up = true;
    }

    /// It does so only if another can be promoted.
    pub(super) fn chosen_falls(&mut self, node: NodeIndex, fall: Fall) {
        let group = self.nodes[node.0].group;
        let lost = self.outage.iter().flat_map(|ordeal| &ordeal.lost);
        let others = lost.filter(|lost| lost.group == group).flat_map(|lost| &lost.eligible);
        if !others.into_iter().any(|other| *other != node) {
            return;
        }
        let accepted = self.node(node).role() == Role::Master;
        if let Some(ordeal) = &mut self.outage {
            ordeal.chosen_fell = Some(Fall { accepted, ..fall });
            let lost = ordeal.lost.iter_mut().filter(|lost| lost.group == group);
            lost.for_each(|lost| lost.durable_ms = None);
        }
        self.witness.reach("a chosen replica fell in an outage");
        let at = self.node_address(node);
        self.witness.note_phase(self.now_ms, format!("{at}: {fall:?}"));
        self.kill_for_good(node, fall.silently);
    }
}

/// What must come.
impl World {
    /// Nothing is promised to an operator who was told why not (seed 9003698).
    pub(super) fn note_refused_order(&mut self, request: &Request, response: &Response) {
        if let Some(ordeal) = &mut self.outage
            && let Loss::Forced { .. } = ordeal.loss
            && let Request::Failover(..) = request
            && let Response::Refused(_) = response
        {
            ordeal.order_refused = true;
            self.witness.reach("a forced failover was refused");
        }
    }

    fn await_switches(&mut self) -> Option<Switch> {
        let mut slowest = Switch::default();
        loop {
            self.run_for(LOOK_MS);
            if self.witness.violation().is_some() {
                return None;
            }
            self.note_durable();
            let ordeal = self.outage.clone()?;
            if ordeal.order_refused {
                return None;
            }
            let took_ms = self.now_ms - ordeal.began_ms;
            let mut waiting = false;
            for lost in &ordeal.lost {
                let patience = self.switch_patience(&ordeal, &self.pace(lost.group));
                let allowed_ms = patience.total_ms();
                slowest = Switch { took_ms, allowed_ms: allowed_ms.max(slowest.allowed_ms) };
                let Some(reason) = self.missing(lost) else { continue };
                waiting = true;
                if took_ms > allowed_ms {
                    if self.savers_look_dead() {
                        return None;
                    }
                    self.find_late_switch(lost, &reason, took_ms, &patience);
                    return None;
                }
            }
            if !waiting {
                return Some(slowest);
            }
        }
    }

    fn find_late_switch(&mut self, lost: &Lost, what: &str, took_ms: u64, patience: &Patience) {
        let name = &self.plan.masters[lost.group].name;
        let allowed_ms = patience.total_ms();
        let evidence = format!(
            "{name}: {what}, {took_ms} ms after the loss; allowed {allowed_ms}: {patience}"
        );
        self.find("a lost master is replaced in time", evidence);
    }

    /// What is missing until the switch of this group is complete.
    fn missing(&self, lost: &Lost) -> Option<String> {
        let mut agreed: Option<SocketAddr> = None;
        for index in self.healed_sentinels() {
            let official = self.official(index, lost.group);
            match (agreed, official) {
                (_, None) => return Some(format!("Sentinel {} names none", index.0)),
                (Some(one), Some(other)) if one != other => {
                    return Some(format!("it is {one}, and {other} at Sentinel {}", index.0));
                }
                (_, here) => agreed = here,
            }
        }
        let Some(node) = agreed.and_then(|at| self.node_at(at)) else {
            return Some("nobody names a node".to_owned());
        };
        let here = self.node_address(node);
        if node == lost.old {
            return Some(format!("it is still {here}"));
        }
        let fine = self.nodes[node.0].down == 0 && self.node(node).role() == Role::Master;
        (!fine).then(|| format!("{here} is no running master"))
    }

    /// Since when a majority of healed Sentinels has the new configuration on its disk. One that
    /// names a node that has fallen meanwhile is none to hurry to: there will be another
    /// (seed 22001467).
    fn note_durable(&mut self) {
        let Some(mut ordeal) = self.outage.take() else { return };
        for lost in ordeal.lost.iter_mut().filter(|lost| lost.durable_ms.is_none()) {
            let name = &self.plan.masters[lost.group].name;
            let moved = self.healed_sentinels().filter(|index| {
                let image = self.sentinels[index.0].disk.image();
                let record = image.masters.iter().find(|record| *record.name == **name);
                let named = record.and_then(|record| self.named_by(&record.address));
                named.is_some_and(|node| node != lost.old && self.nodes[node.0].down == 0)
            });
            if moved.count() > self.healed_sentinels().count() / 2 {
                lost.durable_ms = Some(self.now_ms);
            }
        }
        self.outage = Some(ordeal);
    }

    fn named_by(&self, address: &vedette_core::Endpoint) -> Option<NodeIndex> {
        let ip = address.host.parse().ok()?;
        self.node_at(SocketAddr::new(ip, address.port))
    }

    /// The old master stops being one, its clients leave it, and find the new one.
    fn await_clients(&mut self, loss: &Loss) {
        let tries = self.plan.sentinels as u64 + 1;
        loop {
            let Some(ordeal) = self.outage.clone() else { return };
            let mut waiting = false;
            for lost in &ordeal.lost {
                let pace = self.pace(lost.group);
                let demotion_ms = match loss {
                    Loss::Killed { .. } => 0,
                    Loss::Forced { cut, .. } => self.demotion_patience(*cut, &pace).total_ms(),
                };
                let Some(durable_ms) = lost.durable_ms else {
                    waiting = true;
                    let took_ms = self.now_ms - ordeal.began_ms;
                    let patience = self.switch_patience(&ordeal, &pace);
                    if took_ms <= patience.total_ms() + STAY_MS {
                        continue;
                    }
                    if !self.savers_look_dead() {
                        let what = "no majority has a running master on its disks";
                        self.find_late_switch(lost, what, took_ms, &patience);
                    }
                    return;
                };
                let since_ms = self.now_ms - durable_ms;
                let rules: [(Option<String>, u64); 3] = [
                    (self.still_a_master(lost), demotion_ms),
                    (self.stays_behind(lost), demotion_ms + STAY_MS),
                    (self.not_arrived(lost), demotion_ms + STAY_MS + tries * CLIENT_TRY_MS),
                ];
                for (reason, allowed_ms) in rules {
                    let Some(reason) = reason else { continue };
                    waiting = true;
                    if since_ms > allowed_ms {
                        // The new master may have fallen too, and waits for votes (seed 10022048).
                        if self.savers_look_dead() {
                            return;
                        }
                        let evidence = format!(
                            "{reason}, {since_ms} ms after a majority has the new configuration; \
                             allowed {allowed_ms}"
                        );
                        self.find("a lost master is left in time", evidence);
                        return;
                    }
                }
            }
            if !waiting {
                return;
            }
            self.run_for(LOOK_MS);
            if self.witness.violation().is_some() {
                return;
            }
            self.note_durable();
        }
    }

    fn still_a_master(&self, lost: &Lost) -> Option<String> {
        let lives = self.nodes[lost.old.0].down == 0;
        let is_master = lives && self.node(lost.old).role() == Role::Master;
        is_master.then(|| format!("{} is still a master", self.node_address(lost.old)))
    }

    fn stays_behind(&self, lost: &Lost) -> Option<String> {
        let old = self.node_address(lost.old);
        let stays = self.apps.iter().any(|app| app.role.stays_on() == Some(old));
        stays.then(|| format!("a client stays on {old}"))
    }

    fn not_arrived(&self, lost: &Lost) -> Option<String> {
        let master = self.favourite(lost.group)?;
        self.pending_of_writers(lost.group, master)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group_plan::GroupPlan;
    use crate::witness::Witness;

    fn quiet(fate: Fate) -> World {
        let mut plan = GroupPlan { replicas: 3, sentinels: 5, ..GroupPlan::default() }.to_plan();
        plan.masters[0].quorum = 3;
        plan.writers = 1;
        let loss = Loss::Killed { silently: false, fate };
        plan.outage = Some(Outage { picks: vec![0], loss, offset_ms: 0 });
        let mut world = World::build(plan, Witness::strict());
        world.run_for(5_000);
        world
    }

    #[test]
    fn a_leader_that_dies_is_replaced_within_what_the_rules_say() {
        for moment in Moment::ALL {
            let mut world = quiet(Fate::LeaderDies { moment, after_ms: 1, silently: false });
            let switch = world.lose_masters();
            assert_eq!(world.witness().violation(), None, "{moment:?}");
            assert!(switch.is_some_and(|s| s.took_ms < s.allowed_ms), "{moment:?}: {switch:?}");
        }
    }

    #[test]
    fn disks_slower_than_the_plan_says_are_found() {
        let mut world = quiet(Fate::Spared);
        world.sentinels.iter_mut().for_each(|host| host.disk.extra_ms = 5_000);
        assert_eq!(world.lose_masters(), None);
        let violation = world.witness().violation().map(|violation| violation.invariant);
        assert_eq!(violation, Some("a lost master is replaced in time"));
    }
}
