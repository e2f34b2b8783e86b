//! Drawing a plan.

use std::collections::BTreeSet;

use vedette_core::Config;

use super::{MasterPlan, NetworkPlan, Plan};
use crate::fault::Kind;
use crate::random::Random;

/// How long things go wrong, from and to.
const SAFETY_MS: (u64, u64) = (20_000, 60_000);

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::stream(seed, "plan");
        let sentinels = random.pick(&[3, 3, 3, 4, 5, 5, 7]);
        let masters = if random.percent(70) { 1 } else { random.spread(2, 6) };
        let masters = if random.percent(2) { random.between(7, 20) } else { masters };
        let network = NetworkPlan {
            delay_ms: random.pick(&[1, 1, 1, 2, 5, 20, 60]),
            jitter_ms: random.pick(&[0, 0, 1, 3, 10, 50]),
            chunks: random.percent(20),
        };
        let slowest = random.pick(&[1, 2, 5, 20, 100, 400]);
        let mut plan = Self {
            seed,
            sentinels,
            old: draw_old(seed, sentinels),
            without: None,
            masters: (0..masters).map(|n| MasterPlan::draw(&mut random, n, sentinels)).collect(),
            network,
            commit_ms: (1, slowest),
            writers: random.index(3),
            watchers: random.percent(40),
            readers: Random::stream(seed, "readers").percent(30),
            scripts: Random::stream(seed, "scripts").percent(30),
            gathers_from: gathers_from(seed),
            safety_ms: random.between(SAFETY_MS.0, SAFETY_MS.1),
            left_broken: 0,
            swarm: std::collections::BTreeMap::new(),
            incidents: Vec::new(),
            outage: None,
        };
        let calm = plan.network.calm_ms();
        plan.masters.iter_mut().for_each(|m| m.down_after_ms = m.down_after_ms.max(calm));
        let spare = sentinels.saturating_sub(plan.enough());
        plan.left_broken = if random.percent(50) { random.index(spare + 1) } else { 0 };
        plan.draw_swarm(&mut random);
        plan.incidents = plan.draw_incidents();
        plan.outage = Some(plan.draw_outage());
        plan
    }

    /// Most kinds of faults are off in any one run, so that those that are on go deep.
    fn draw_swarm(&mut self, random: &mut Random) {
        let share = random.pick(&[0, 10, 20, 30, 50]);
        let masters = self.masters.len() as u64;
        let silence: u64 = self.masters.iter().map(|master| master.down_after_ms).sum();
        let pace = (silence / masters + 2_000) / masters;
        for kind in Kind::ALL {
            let on = kind == Kind::MasterDies || random.percent(share);
            let every = match kind {
                Kind::MasterDies => pace,
                Kind::Traps => random.between(2_000, 6_000),
                Kind::Voters => random.between(500, 3_000),
                Kind::LongStalls | Kind::Typed | Kind::Orders | Kind::NodeMoves => {
                    random.between(8_000, 20_000)
                }
                Kind::MasterHangs
                | Kind::NodeDies
                | Kind::NodeSick
                | Kind::Lag
                | Kind::Crash
                | Kind::Stalls
                | Kind::WallClock
                | Kind::DiskSlow
                | Kind::DiskFull
                | Kind::DiskStuck
                | Kind::Cuts
                | Kind::Isolation
                | Kind::Splits
                | Kind::SlowLinks
                | Kind::Resets
                | Kind::HalfOpen
                | Kind::Forced
                | Kind::Moves
                | Kind::Coordinated => random.between(2_500, 12_000),
            };
            if on {
                self.swarm.insert(kind, every);
            }
        }
    }
}

impl NetworkPlan {
    /// The shortest `down-after-milliseconds` with which links stay: one that waits for half of it
    /// looks dead (spec: behaviour 4.6), and flaps every 15 s.
    fn calm_ms(&self) -> u64 {
        let round_trip_ms = 2 * (self.delay_ms + self.jitter_ms);
        2 * round_trip_ms + 20
    }
}

/// Some groups are mixed: at least one Sentinel keeps our rules.
fn draw_old(seed: u64, sentinels: usize) -> BTreeSet<usize> {
    let mut random = Random::stream(seed, "pace");
    let count = if random.percent(20) { 1 + random.index(sentinels - 1) } else { 0 };
    let mut all: Vec<usize> = (0..sentinels).collect();
    (0..count).map(|_| all.remove(random.index(all.len()))).collect()
}

impl MasterPlan {
    fn draw(random: &mut Random, number: u64, sentinels: usize) -> Self {
        let majority = u32::try_from(sentinels / 2 + 1).unwrap_or(u32::MAX);
        let all = u32::try_from(sentinels).unwrap_or(u32::MAX);
        let quorum = random.pick(&[majority, majority, majority, 1, 2, all]);
        let replicas = random.pick(&[0, 1, 2, 2, 2, 3, 3, 5]).max(usize::from(random.percent(90)));
        let mut draw = || random.pick(&[100, 100, 100, 100, 10, 0]);
        let priorities = (0..=replicas).map(|_| draw()).collect();
        Self {
            name: format!("m{number}"),
            quorum,
            down_after_ms: random.pick(&[200, 300, 500, 700, 1000, 1000, 2000, 5000]),
            failover_timeout_ms: random.pick(&[3_000, 5_000, 10_000, 20_000, 60_000]),
            parallel_syncs: random.pick(&[1, 1, 2, 5]),
            priorities,
            full_sync_ms: random.pick(&[10, 100, 100, 1_000]),
        }
    }

    /// Replicas of the first master.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.priorities.len() - 1
    }
}

/// Some groups gather their regular messages as if they were a fleet.
fn gathers_from(seed: u64) -> usize {
    if Random::stream(seed, "gathers").percent(10) { 1 } else { Config::GATHERS_FROM }
}
