//! Operators: they type into Sentinels, and sometimes behind their back into nodes.

use super::{Repair, World};
use crate::client::Role;
use crate::fault::{Order, Typed};
use crate::node_host::NodeIndex;
use crate::sentinel_host::SentinelIndex;

/// How long a removed master stays away.
const AWAY_MS: u64 = 1_500;

impl World {
    pub(super) fn type_command(&mut self, sentinel: SentinelIndex, group: usize, typed: Typed) {
        let name = self.plan.masters[group].name.clone();
        let line = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let lines: Vec<Vec<String>> = match &typed {
            Typed::Failover => vec![line(&["SENTINEL", "FAILOVER", &name])],
            Typed::Coordinated => vec![line(&["SENTINEL", "FAILOVER", &name, "COORDINATED"])],
            Typed::Reset => vec![line(&["SENTINEL", "RESET", &name])],
            Typed::RemoveAndMonitor => {
                let again = Repair::Type(sentinel, group, Typed::Monitor);
                self.mend_after(AWAY_MS, again);
                vec![line(&["SENTINEL", "REMOVE", &name])]
            }
            Typed::Monitor => return self.type_monitor(sentinel, group),
            Typed::Set(option, value) => {
                vec![line(&["SENTINEL", "SET", &name, option, &value.to_string()])]
            }
            Typed::LogLevel(level) => {
                vec![line(&["SENTINEL", "CONFIG", "SET", "loglevel", level])]
            }
            Typed::Ckquorum => vec![line(&["SENTINEL", "CKQUORUM", &name])],
            Typed::FlushConfig => vec![line(&["SENTINEL", "FLUSHCONFIG"])],
            Typed::SimulateFailure(which) => {
                vec![line(&["SENTINEL", "SIMULATE-FAILURE", which])]
            }
        };
        self.add_app(self.outside(), Role::operator(sentinel.0, lines));
    }

    /// `MONITOR` at the address that the others name, and the options of the plan.
    pub(super) fn type_monitor(&mut self, sentinel: SentinelIndex, group: usize) {
        let node = self.favourite(group).unwrap_or_else(|| self.first_node(group));
        let address = self.node_address(node);
        let master = &self.plan.masters[group];
        let name = master.name.clone();
        let mut set = vec!["SENTINEL".to_owned(), "SET".to_owned(), name.clone()];
        for (option, value) in master.options() {
            set.extend([option.to_owned(), value.to_string()]);
        }
        let (ip, port) = (address.ip().to_string(), address.port().to_string());
        let words = ["SENTINEL", "MONITOR", &name, &ip, &port, &master.quorum.to_string()];
        let monitor = words.map(str::to_owned).to_vec();
        self.add_app(self.outside(), Role::operator(sentinel.0, vec![monitor, set]));
    }

    pub(super) fn order_node(&mut self, node: NodeIndex, order: Order) {
        let to = self.node_address(node);
        let words = match order {
            Order::BecomeMaster => ["NO".to_owned(), "ONE".to_owned()],
            Order::Follow(number) => {
                let group = self.nodes[node.0].group;
                let master = self.node_address(NodeIndex(self.first_node(group).0 + number));
                if master == to {
                    return;
                }
                [master.ip().to_string(), master.port().to_string()]
            }
        };
        let [host, port] = words;
        let line = vec!["REPLICAOF".to_owned(), host, port];
        self.add_app(self.outside(), Role::orderer(to, line));
    }
}
