//! Putting a world together.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use vedette_node::NodeConfig;

use super::{Chance, World};
use crate::address;
use crate::agenda::{Agenda, Happening};
use crate::disk::Disk;
use crate::group_plan::GroupPlan;
use crate::network::{Network, Site};
use crate::node_host::{NodeHost, NodeIndex};
use crate::plan::{MasterPlan, Plan};
use crate::random::Random;
use crate::sentinel_host::{SentinelHost, SentinelIndex};
use crate::timeline::Timeline;
use crate::witness::Witness;

/// The replicas find their master before the Sentinels start.
pub(crate) const SYNC_MS: u64 = 1_500;

impl World {
    /// A small group without faults and without checks.
    #[must_use]
    pub fn new(plan: &GroupPlan) -> Self {
        Self::build(plan.to_plan(), Witness::idle())
    }

    /// Masters with replicas in step, and Sentinels that have just started and know only the
    /// masters.
    #[must_use]
    pub fn build(plan: Plan, witness: Witness) -> Self {
        let seed = plan.seed;
        let nodes: usize = plan.masters.iter().map(|master| master.priorities.len()).sum();
        let clients = plan.writers * plan.masters.len();
        let mut world = Self {
            now_ms: 0,
            began_ms: 0,
            agenda: Agenda::default(),
            // One site more, from which operators and watchers come.
            network: Network::new(plan.sentinels + nodes + clients + 1),
            sentinels: Vec::new(),
            nodes: Vec::new(),
            apps: Vec::new(),
            timeline: Timeline::default(),
            witness,
            traps: Vec::new(),
            voter_traps: BTreeMap::new(),
            chance: Chance {
                network: Random::stream(seed, "network"),
                disk: Random::stream(seed, "disk"),
                apps: Random::stream(seed, "apps"),
                lives: Random::stream(seed, "lives"),
                scripts: Random::stream(seed, "script ends"),
            },
            inputs_now: 0,
            healed: false,
            outage: None,
            plan,
        };
        world.add_nodes();
        world.run_for(SYNC_MS);
        world.add_sentinels();
        world.add_apps();
        world
    }

    /// The safety phase begins: from now on things go wrong.
    pub fn begin(&mut self) {
        self.began_ms = self.now_ms;
        for (number, incident) in self.plan.incidents.iter().enumerate() {
            self.agenda.add(self.now_ms + incident.at_ms, Happening::Incident(number));
        }
    }

    fn add_nodes(&mut self) {
        for (group, master) in self.plan.masters.clone().iter().enumerate() {
            for number in 0..master.priorities.len() {
                let address = address::of_node(group, number);
                let config = node_config(master, group, number);
                let seed = Random::stream(self.plan.seed, &format!("node {address}")).next();
                self.nodes.push(NodeHost::new(config, address, group, seed, self.now_ms));
                self.serve_node(NodeIndex(self.nodes.len() - 1));
            }
        }
    }

    fn add_sentinels(&mut self) {
        let text = configuration(&self.plan);
        for index in 0..self.plan.sentinels {
            let id = address::sentinel_id(self.plan.seed, index);
            let rules = self.plan.rules_of(index);
            let mut disk = Disk::new(&format!("{text}sentinel myid {id}\n"), id);
            // A single file mounted into a container cannot be replaced.
            let mounted = format!("mounted {index}");
            disk.in_place = Random::stream(self.plan.seed, &mounted).percent(20);
            self.sentinels.push(SentinelHost::new(address::of_sentinel(index), id, rules, disk));
            self.start_sentinel(SentinelIndex(index));
        }
    }

    /// Where a Sentinel stands in the network.
    pub(super) fn sentinel_site(&self, sentinel: SentinelIndex) -> Site {
        Site(sentinel.0)
    }

    /// Where a node stands in the network.
    pub(super) fn node_site(&self, node: NodeIndex) -> Site {
        Site(self.plan.sentinels + node.0)
    }

    /// Where a client stands in the network.
    pub(super) fn client_site(&self, client: usize) -> Site {
        Site(self.plan.sentinels + self.nodes.len() + client)
    }

    /// Where operators come from: no fault reaches them.
    pub(super) fn outside(&self) -> Site {
        self.client_site(self.plan.writers * self.plan.masters.len())
    }

    /// Which process listens at an address.
    pub(super) fn site_of(&self, address: SocketAddr) -> Option<Site> {
        if let Some(sentinel) = address::sentinel_at(address) {
            return (sentinel.0 < self.sentinels.len()).then(|| self.sentinel_site(sentinel));
        }
        self.node_at(address).map(|node| self.node_site(node))
    }

    pub(super) fn node_at(&self, address: SocketAddr) -> Option<NodeIndex> {
        self.nodes.iter().position(|host| host.address == address).map(NodeIndex)
    }
}

fn node_config(master: &MasterPlan, group: usize, number: usize) -> NodeConfig {
    let first = address::of_node(group, 0);
    let priority = master.priorities[number].to_string();
    NodeConfig {
        replica_of: (number > 0).then(|| (first.ip().to_string(), first.port())),
        parameters: vec![("replica-priority".to_owned(), priority)],
        full_sync_ms: master.full_sync_ms,
        ..NodeConfig::default()
    }
}

/// What an operator wrote into every Sentinel's file.
fn configuration(plan: &Plan) -> String {
    let mut text = format!("port {}\n", address::SENTINEL_PORT);
    for (group, master) in plan.masters.iter().enumerate() {
        let MasterPlan { name, quorum, .. } = master;
        let first = address::of_node(group, 0);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "sentinel monitor {name} {} {} {quorum}", first.ip(), first.port());
        for (option, value) in master.options() {
            let _ = writeln!(text, "sentinel {option} {name} {value}");
        }
        if plan.scripts {
            let _ = writeln!(text, "sentinel notification-script {name} /notify.sh");
            let _ = writeln!(text, "sentinel client-reconfig-script {name} /reconfig.sh");
        }
    }
    text
}

impl MasterPlan {
    /// Its options but for the quorum, as the file and `SENTINEL SET` name them.
    pub(super) fn options(&self) -> [(&'static str, u64); 3] {
        [
            ("down-after-milliseconds", self.down_after_ms),
            ("failover-timeout", self.failover_timeout_ms),
            ("parallel-syncs", self.parallel_syncs.into()),
        ]
    }
}
