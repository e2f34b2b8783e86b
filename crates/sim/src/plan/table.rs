//! A plan as people read it.

use std::fmt;

use super::{MasterPlan, Plan};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = self.commit_ms;
        let network = &self.network;
        writeln!(f, "{:<14} {}", "seed", self.seed)?;
        writeln!(f, "{:<14} {}, {} left broken", "sentinels", self.sentinels, self.left_broken)?;
        if !self.old.is_empty() {
            writeln!(f, "{:<14} Sentinels {:?}", "reference pace", self.old)?;
        }
        writeln!(f, "{:<14} {low} to {high} ms", "save")?;
        let chunks = if network.chunks { ", in chunks" } else { "" };
        let (delay, jitter) = (network.delay_ms, network.jitter_ms);
        writeln!(f, "{:<14} {delay} ms + 0..{jitter} ms{chunks}", "network")?;
        let read = if self.readers { ", and a reader" } else { "" };
        let watched = if self.watchers { ", and a watcher of each Sentinel" } else { "" };
        writeln!(f, "{:<14} {} for each master{read}{watched}", "writers", self.writers)?;
        if self.gathers() {
            writeln!(f, "{:<14} as in a fleet", "gathered")?;
        }
        if self.scripts {
            writeln!(f, "{:<14} of each master", "scripts")?;
        }
        writeln!(f, "{:<14} {} ms", "safety phase", self.safety_ms)?;
        self.masters.iter().try_for_each(|master| write!(f, "{master}"))?;
        for (kind, every_ms) in &self.swarm {
            writeln!(f, "{:<14} {kind:?} about every {every_ms} ms", "fault")?;
        }
        for incident in &self.incidents {
            let number = incident.number;
            writeln!(f, "#{number:<4} {:>6} ms  {:?}", incident.at_ms, incident.fault)?;
        }
        if let Some(outage) = &self.outage {
            let many = outage.picks.len();
            writeln!(f, "{:<14} {many} at most, {:?}", "outage", outage.loss)?;
        }
        Ok(())
    }
}

impl fmt::Display for MasterPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14} {}: priorities {:?}, quorum {}, down-after {}, failover-timeout {}, \
             parallel-syncs {}, full sync {} ms",
            "master",
            self.name,
            self.priorities,
            self.quorum,
            self.down_after_ms,
            self.failover_timeout_ms,
            self.parallel_syncs,
            self.full_sync_ms,
        )
    }
}
