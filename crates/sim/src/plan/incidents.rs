//! Drawing what goes wrong.

use vedette_node::Revival;

use super::Plan;
use crate::fault::{
    Fault, Incident, Kind, Moment, NetworkHarm, NewHome, NodeHarm, NodePick, Order, Place,
    SentinelHarm, Trap, Typed, Way,
};
use crate::random::Random;

impl Plan {
    pub(super) fn draw_incidents(&self) -> Vec<Incident> {
        let mut incidents = Vec::new();
        for (kind, every_ms) in &self.swarm {
            let mut random = Random::stream(self.seed, &format!("{kind:?}"));
            let mut at_ms = random.below(*every_ms);
            while at_ms < self.safety_ms {
                let fault = self.draw_fault(*kind, &mut random);
                incidents.push(Incident { at_ms, fault, number: 0 });
                at_ms += random.between(*every_ms / 2, *every_ms * 3 / 2).max(100);
            }
        }
        incidents.sort_by_key(|incident| incident.at_ms);
        incidents.iter_mut().enumerate().for_each(|(place, incident)| incident.number = place);
        incidents
    }

    fn draw_fault(&self, kind: Kind, random: &mut Random) -> Fault {
        let group = self.group(random);
        let (master, node) = (NodePick::Master(group), self.node(random, group));
        let sentinel = random.index(self.sentinels);
        let on_sentinel = |harm| Fault::Sentinel(sentinel, harm);
        let for_ms = random.spread(50, 10_000);
        match kind {
            Kind::MasterDies => Fault::Node(master, self.draw_death(group, random)),
            Kind::MasterHangs => {
                Fault::Node(master, NodeHarm::Hangs { for_ms: self.draw_silence(group, random) })
            }
            Kind::NodeDies => Fault::Node(node, self.draw_death(group, random)),
            Kind::NodeSick => Fault::Node(node, draw_sickness(for_ms, random)),
            Kind::Lag => {
                let lag_ms = random.between(50, 3_000);
                Fault::Node(node, NodeHarm::Lags { lag_ms, for_ms })
            }
            Kind::Orders => Fault::Node(node, self.draw_order(group, random)),
            Kind::Crash => on_sentinel(SentinelHarm::Crashes {
                for_ms,
                silently: random.percent(25),
                side_file_lost: random.percent(25),
            }),
            Kind::Traps => self.draw_trap(random),
            Kind::Stalls => on_sentinel(SentinelHarm::Stalls { for_ms: random.spread(5, 1_990) }),
            Kind::LongStalls => {
                on_sentinel(SentinelHarm::Stalls { for_ms: random.between(2_000, 30_000) })
            }
            Kind::WallClock => {
                let by_ms = random.pick(&[-86_400_000, -5_000, 5_000, 3_600_000]);
                on_sentinel(SentinelHarm::WallClockJumps { by_ms })
            }
            Kind::DiskSlow => {
                let ms = random.spread(10, 2_000);
                on_sentinel(SentinelHarm::DiskSlow { ms, for_ms: for_ms * 2 })
            }
            Kind::DiskFull => on_sentinel(SentinelHarm::DiskFull { for_ms }),
            Kind::DiskStuck => on_sentinel(SentinelHarm::DiskStuck { for_ms }),
            Kind::Cuts
            | Kind::Isolation
            | Kind::Splits
            | Kind::SlowLinks
            | Kind::Resets
            | Kind::HalfOpen => Fault::Network(self.draw_network_harm(kind, for_ms, random)),
            Kind::Forced => Fault::Typed { sentinel, group, typed: Typed::Failover },
            Kind::Coordinated => Fault::Typed { sentinel, group, typed: Typed::Coordinated },
            Kind::Typed => Fault::Typed { sentinel, group, typed: self.draw_typed(random) },
            Kind::Moves => on_sentinel(SentinelHarm::Moves { for_ms: random.spread(20, 3_000) }),
            Kind::NodeMoves => {
                let pick = random.pick(&[master, node, node]);
                Fault::Node(pick, self.draw_node_move(group, random))
            }
            Kind::Voters => Fault::VoterCrashes {
                group,
                for_ms: random.spread(5, 300),
                silently: random.percent(50),
            },
        }
    }

    /// Mostly long enough to be noticed, and sometimes just not.
    fn draw_silence(&self, group: usize, random: &mut Random) -> u64 {
        let silence = self.masters[group].down_after_ms;
        let longest = random.pick(&[silence, 4_000, 4_000, 15_000]);
        random.between(silence * 2 / 3, silence * 2 / 3 + longest)
    }

    fn draw_death(&self, group: usize, random: &mut Random) -> NodeHarm {
        let for_ms = self.draw_silence(group, random);
        let back = random.pick(&[Revival::WithData, Revival::WithData, Revival::Empty]);
        NodeHarm::Dies { for_ms, back, silently: random.percent(25) }
    }

    fn draw_node_move(&self, group: usize, random: &mut Random) -> NodeHarm {
        let for_ms = match random.percent(50) {
            true => random.spread(20, 500),
            false => self.draw_silence(group, random),
        };
        let to = random.pick(&[NewHome::Host, NewHome::Host, NewHome::Port]);
        NodeHarm::Moves { for_ms, to, asks: random.percent(70), silently: random.percent(25) }
    }

    fn draw_order(&self, group: usize, random: &mut Random) -> NodeHarm {
        let other = random.index(self.masters[group].priorities.len());
        NodeHarm::Ordered(random.pick(&[Order::BecomeMaster, Order::Follow(other)]))
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

    fn draw_network_harm(&self, kind: Kind, for_ms: u64, random: &mut Random) -> NetworkHarm {
        let (one, other) = (self.place(random), self.place(random));
        let way = random.pick(&[Way::Both, Way::Both, Way::Into, Way::OutOf]);
        if kind == Kind::Isolation {
            return NetworkHarm::Isolated { place: one, way, for_ms };
        }
        if kind == Kind::Splits {
            return NetworkHarm::Split { mask: random.next(), for_ms };
        }
        if kind == Kind::SlowLinks {
            return NetworkHarm::Slow { one, other, ms: random.spread(10, 1_500), for_ms };
        }
        if kind == Kind::Resets {
            return NetworkHarm::Reset { place: one };
        }
        if kind == Kind::HalfOpen {
            return NetworkHarm::HalfOpen { place: one };
        }
        NetworkHarm::Cut { one, other, way, for_ms }
    }

    fn draw_typed(&self, random: &mut Random) -> Typed {
        match random.below(9) {
            0 => Typed::Reset,
            1 => Typed::RemoveAndMonitor,
            2 => Typed::Set("quorum", random.between(1, self.sentinels as u64)),
            3 => Typed::Set("down-after-milliseconds", random.between(200, 2_000)),
            4 => Typed::Set("parallel-syncs", random.between(1, 4)),
            5 => Typed::Ckquorum,
            6 => Typed::FlushConfig,
            7 => Typed::LogLevel(random.pick(&["debug", "verbose", "notice", "warning"])),
            _ => {
                let moments = ["crash-after-election", "crash-after-promotion"];
                Typed::SimulateFailure(random.pick(&moments))
            }
        }
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

fn draw_sickness(for_ms: u64, random: &mut Random) -> NodeHarm {
    match random.below(4) {
        0 => NodeHarm::Hangs { for_ms },
        1 => NodeHarm::Refuses { for_ms, cut: random.percent(50) },
        2 => NodeHarm::Loads { for_ms },
        _ => NodeHarm::Busy { for_ms, has_written: random.percent(50) },
    }
}
