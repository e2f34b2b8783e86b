//! Drawing what goes wrong.

use vedette_node::Revival;

use super::Plan;
use crate::fault::{Fault, Incident, Kind, Moment, NodePick, Order, Place, Trap, Typed, Way};
use crate::random::Random;

impl Plan {
    pub(super) fn draw_incidents(&self) -> Vec<Incident> {
        let mut incidents = Vec::new();
        for (kind, every_ms) in &self.swarm {
            let mut random = Random::stream(self.seed, &format!("{kind:?}"));
            let mut at_ms = random.below(*every_ms);
            while at_ms < self.safety_ms {
                let fault = self.draw_fault(*kind, &mut random);
                incidents.push(Incident { at_ms, fault });
                at_ms += random.between(*every_ms / 2, *every_ms * 3 / 2).max(100);
            }
        }
        incidents.sort_by_key(|incident| incident.at_ms);
        incidents
    }

    fn draw_fault(&self, kind: Kind, random: &mut Random) -> Fault {
        match kind {
            Kind::MasterDies
            | Kind::MasterHangs
            | Kind::NodeDies
            | Kind::NodeSick
            | Kind::Lag
            | Kind::Orders => self.draw_node_fault(kind, random),
            Kind::Crash
            | Kind::Traps
            | Kind::Stalls
            | Kind::LongStalls
            | Kind::WallClock
            | Kind::DiskSlow
            | Kind::DiskFull
            | Kind::DiskStuck => self.draw_sentinel_fault(kind, random),
            Kind::Cuts
            | Kind::Isolation
            | Kind::Splits
            | Kind::SlowLinks
            | Kind::Resets
            | Kind::HalfOpen => self.draw_network_fault(kind, random),
            Kind::Forced | Kind::Typed => self.draw_typed(kind, random),
        }
    }

    fn draw_node_fault(&self, kind: Kind, random: &mut Random) -> Fault {
        let group = self.group(random);
        let (master, node) = (NodePick::Master(group), self.node(random, group));
        let silence = self.masters[group].down_after_ms;
        // Mostly long enough to be noticed, and sometimes just not.
        let longest = random.pick(&[silence, 4_000, 4_000, 15_000]);
        let for_ms = random.between(silence * 2 / 3, silence * 2 / 3 + longest);
        let back = random.pick(&[Revival::WithData, Revival::WithData, Revival::Empty]);
        let silently = random.percent(25);
        match kind {
            Kind::MasterDies => Fault::NodeDies { node: master, for_ms, back, silently },
            Kind::MasterHangs => Fault::NodeHangs { node: master, for_ms },
            Kind::NodeDies => Fault::NodeDies { node, for_ms, back, silently },
            Kind::Lag => Fault::NodeLags { node, lag_ms: random.between(50, 3_000), for_ms },
            Kind::Orders => {
                let last = self.masters[group].priorities.len();
                let order =
                    [Order::BecomeMaster, Order::Follow(random.index(last))][random.index(2)];
                Fault::NodeOrdered { node, order }
            }
            _ => self.draw_sickness(node, for_ms, random),
        }
    }

    fn draw_sickness(&self, node: NodePick, for_ms: u64, random: &mut Random) -> Fault {
        match random.below(4) {
            0 => Fault::NodeHangs { node, for_ms },
            1 => Fault::NodeRefuses { node, for_ms, cut: random.percent(50) },
            2 => Fault::NodeLoads { node, for_ms },
            _ => Fault::NodeBusy { node, for_ms, has_written: random.percent(50) },
        }
    }

    fn draw_sentinel_fault(&self, kind: Kind, random: &mut Random) -> Fault {
        let sentinel = random.index(self.sentinels);
        let for_ms = random.spread(50, 8_000);
        match kind {
            Kind::Traps => self.draw_trap(random),
            Kind::Stalls => Fault::SentinelStalls { sentinel, for_ms: random.spread(5, 1_990) },
            Kind::LongStalls => {
                Fault::SentinelStalls { sentinel, for_ms: random.between(2_000, 30_000) }
            }
            Kind::WallClock => {
                let by_ms = random.pick(&[-86_400_000, -5_000, 5_000, 3_600_000]);
                Fault::WallClockJumps { sentinel, by_ms }
            }
            Kind::DiskSlow => {
                Fault::DiskSlow { sentinel, ms: random.spread(10, 2_000), for_ms: for_ms * 2 }
            }
            Kind::DiskFull => Fault::DiskFull { sentinel, for_ms },
            Kind::DiskStuck => Fault::DiskStuck { sentinel, for_ms },
            _ => Fault::SentinelCrashes {
                sentinel,
                for_ms,
                silently: random.percent(25),
                side_file_lost: random.percent(25),
            },
        }
    }

    fn draw_trap(&self, random: &mut Random) -> Fault {
        let for_ms = random.spread(50, 10_000);
        let trap = match random.below(5) {
            0 | 1 => Trap::Crash,
            2 => Trap::Stall(for_ms),
            3 => Trap::Isolate(for_ms),
            _ => Trap::KillChosen(for_ms),
        };
        Fault::Trapped { group: self.group(random), moment: random.pick(&Moment::ALL), trap }
    }

    fn draw_network_fault(&self, kind: Kind, random: &mut Random) -> Fault {
        let (one, other) = (self.place(random), self.place(random));
        let way = random.pick(&[Way::Both, Way::Both, Way::Into, Way::OutOf]);
        let for_ms = random.spread(50, 12_000);
        match kind {
            Kind::Isolation => Fault::Isolated { place: one, way, for_ms },
            Kind::Splits => Fault::Split { mask: random.next(), for_ms },
            Kind::SlowLinks => Fault::Slow { one, other, ms: random.spread(10, 1_500), for_ms },
            Kind::Resets => Fault::ConnectionsReset { place: one },
            Kind::HalfOpen => Fault::HalfOpen { place: one },
            _ => Fault::Cut { one, other, way, for_ms },
        }
    }

    fn draw_typed(&self, kind: Kind, random: &mut Random) -> Fault {
        let (sentinel, group) = (random.index(self.sentinels), self.group(random));
        let typed = match random.below(8) {
            _ if kind == Kind::Forced => Typed::Failover,
            0 => Typed::Reset,
            1 => Typed::RemoveAndMonitor,
            2 => Typed::Set("quorum", random.between(1, self.sentinels as u64)),
            3 => Typed::Set("down-after-milliseconds", random.between(200, 2_000)),
            4 => Typed::Set("parallel-syncs", random.between(1, 4)),
            5 => Typed::Ckquorum,
            6 => Typed::FlushConfig,
            _ => Typed::SimulateFailure(
                random.pick(&["crash-after-election", "crash-after-promotion"]),
            ),
        };
        Fault::Typed { sentinel, group, typed }
    }

    fn group(&self, random: &mut Random) -> usize {
        random.index(self.masters.len())
    }

    fn node(&self, random: &mut Random, group: usize) -> NodePick {
        NodePick::Node(group, random.index(self.masters[group].priorities.len()))
    }

    fn place(&self, random: &mut Random) -> Place {
        let group = self.group(random);
        match random.below(3) {
            0 => Place::Node(NodePick::Master(group)),
            1 => Place::Node(self.node(random, group)),
            _ => Place::Sentinel(random.index(self.sentinels)),
        }
    }
}
