//! The small group of hand-written tests.

use crate::plan::{MasterPlan, Plan};

/// What a group is made of.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    /// Sentinels.
    pub sentinels: usize,
    /// Replicas of the one master.
    pub replicas: usize,
    /// Quorum.
    pub quorum: u32,
    /// `down-after-milliseconds`.
    pub down_after_ms: u64,
    /// One way through the network.
    pub delay_ms: u64,
    /// How long a save takes.
    pub commit_ms: u64,
    /// Draws the ids and everything random.
    pub seed: u64,
}

impl Default for GroupPlan {
    fn default() -> Self {
        Self {
            sentinels: 3,
            replicas: 2,
            quorum: 2,
            down_after_ms: 1000,
            delay_ms: 1,
            commit_ms: 1,
            seed: 1,
        }
    }
}

impl GroupPlan {
    pub(crate) fn to_plan(&self) -> Plan {
        let master = MasterPlan {
            name: "mymaster".to_owned(),
            quorum: self.quorum,
            down_after_ms: self.down_after_ms,
            failover_timeout_ms: 180_000,
            parallel_syncs: 1,
            priorities: vec![100; self.replicas + 1],
            full_sync_ms: 100,
        };
        let mut plan = Plan::quiet(self.seed, self.sentinels, master, self.delay_ms);
        plan.commit_ms = (self.commit_ms, self.commit_ms);
        plan
    }
}
