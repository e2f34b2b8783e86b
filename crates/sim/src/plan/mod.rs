//! One seed, one plan: who is there, how the network and the disks are, what goes wrong and when.

mod draw;
mod incidents;
mod outage;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{Config, Rule, Rules};

use crate::address;
use crate::fault::{Incident, Kind};

pub use outage::{Fate, Loss, Outage};

/// Everything a run is determined by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where it came from; also seeds what is drawn while it runs.
    pub seed: u64,
    /// Sentinels.
    pub sentinels: usize,
    /// Those of them that live at the reference's pace.
    pub old: BTreeSet<usize>,
    /// A rule that the others only claim to keep: the invariants hold them to it.
    pub without: Option<Rule>,
    /// The masters and their replicas.
    pub masters: Vec<MasterPlan>,
    /// The network.
    pub network: NetworkPlan,
    /// How long a save takes, from and to.
    pub commit_ms: (u64, u64),
    /// Writing clients of each master.
    pub writers: usize,
    /// A client on each Sentinel that compares events with answers.
    pub watchers: bool,
    /// A client of each master that reads from replicas.
    pub readers: bool,
    /// Masters have scripts.
    pub scripts: bool,
    /// From so many masters on, Sentinels gather their regular messages.
    pub gathers_from: usize,
    /// How long things go wrong.
    pub safety_ms: u64,
    /// Sentinels that stay broken in the liveness phase.
    pub left_broken: usize,
    /// Which kinds of faults are on, and how many milliseconds apart they are on average.
    pub swarm: BTreeMap<Kind, u64>,
    /// What goes wrong.
    pub incidents: Vec<Incident>,
    /// What happens once everything is healed and calm.
    pub outage: Option<Outage>,
}

/// A master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterPlan {
    /// Its name.
    pub name: String,
    /// Quorum.
    pub quorum: u32,
    /// `down-after-milliseconds`.
    pub down_after_ms: u64,
    /// `failover-timeout`.
    pub failover_timeout_ms: u64,
    /// `parallel-syncs`.
    pub parallel_syncs: u32,
    /// `replica-priority` of each node, the first master's first.
    pub priorities: Vec<u32>,
    /// How long a full resynchronisation takes.
    pub full_sync_ms: u64,
}

/// How messages travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkPlan {
    /// One way.
    pub delay_ms: u64,
    /// At most this much more, drawn for each message.
    pub jitter_ms: u64,
    /// Bytes are cut into pieces at random places.
    pub chunks: bool,
}

impl Plan {
    /// Whether the Sentinels have so many masters that they gather.
    #[must_use]
    pub fn gathers(&self) -> bool {
        self.gathers_from <= self.masters.len()
    }

    /// A group without faults.
    #[must_use]
    pub fn quiet(seed: u64, sentinels: usize, master: MasterPlan, delay_ms: u64) -> Self {
        Self {
            seed,
            sentinels,
            old: BTreeSet::new(),
            without: None,
            masters: vec![master],
            network: NetworkPlan { delay_ms, jitter_ms: 0, chunks: false },
            commit_ms: (1, 1),
            writers: 0,
            watchers: false,
            readers: false,
            scripts: false,
            gathers_from: Config::GATHERS_FROM,
            safety_ms: 0,
            left_broken: 0,
            swarm: BTreeMap::new(),
            incidents: Vec::new(),
            outage: None,
        }
    }

    /// How lines of a trace name a master: by its name, or by an address of its group.
    #[must_use]
    pub fn names_of(&self, master: &str) -> Vec<String> {
        let group = self.masters.iter().position(|plan| plan.name == master);
        let nodes = group.map_or(0, |group| self.masters[group].priorities.len());
        let hosts = |number| address::hosts_of_node(group.unwrap_or(0), number);
        let hosts = (0..nodes).flat_map(hosts).map(|host| host.to_string());
        std::iter::once(master.to_owned()).chain(hosts).collect()
    }

    /// The rules that a Sentinel keeps.
    #[must_use]
    pub fn rules_of(&self, sentinel: usize) -> Rules {
        if self.old.contains(&sentinel) { Rules::REFERENCE } else { Rules::ALL }
    }

    /// Votes that elect, at the most demanding master.
    #[must_use]
    pub fn enough(&self) -> usize {
        let quorum = self.masters.iter().map(|master| master.quorum).max().unwrap_or(1);
        (self.sentinels / 2 + 1).max(usize::try_from(quorum).unwrap_or(usize::MAX))
    }
}
