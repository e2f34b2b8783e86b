//! A whole group: masters with their replicas, Sentinels, and a log of what these say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::data_node::NodeSpec;
use super::{BOUND, DataNode, DataServer, EventLog, Folder, PortBlock, Sentinel, Template, until};

/// What to start.
#[derive(Clone, Debug)]
pub struct GroupSpec {
    /// The data nodes' program.
    pub server: DataServer,
    /// One per Sentinel.
    pub sentinels: Vec<Template>,
    /// The names of the masters.
    pub masters: Vec<String>,
    /// The host by which the Sentinels are told of the masters.
    pub master_host: String,
    /// Replicas of each master.
    pub replicas: usize,
    /// The quorum of each master.
    pub quorum: usize,
    /// `down-after-milliseconds`.
    pub down_after_ms: u64,
    /// `failover-timeout`, in milliseconds.
    pub failover_timeout_ms: u64,
    /// `parallel-syncs`.
    pub parallel_syncs: u32,
    /// The password of every data node.
    pub password: Option<String>,
    /// The password of every Sentinel.
    pub sentinel_password: Option<String>,
    /// Further lines of every data node's file.
    pub node_lines: Vec<String>,
    /// Further lines of every replica's file.
    pub replica_lines: Vec<String>,
    /// Further lines of every sentinel.conf, after the monitor lines.
    pub sentinel_lines: Vec<String>,
    /// Where the lab's folder is made; the system's place for temporary files if not given.
    pub parent: Option<PathBuf>,
}

impl GroupSpec {
    /// One master `mymaster`, two replicas, and one Sentinel per template with a quorum of two.
    pub fn new(server: DataServer, sentinels: Vec<Template>) -> Self {
        Self {
            server,
            sentinels,
            masters: vec!["mymaster".to_owned()],
            master_host: "127.0.0.1".to_owned(),
            replicas: 2,
            quorum: 2,
            down_after_ms: 1000,
            failover_timeout_ms: 180_000,
            parallel_syncs: 1,
            password: None,
            sentinel_password: None,
            node_lines: vec![],
            replica_lines: vec![],
            sentinel_lines: vec![],
            parent: None,
        }
    }
}

/// One master's data nodes.
#[derive(Debug)]
pub struct Shard {
    /// The name under which the Sentinels watch it.
    pub name: String,
    /// The first one starts as the master.
    pub nodes: Vec<DataNode>,
}

impl Shard {
    /// The node on this port.
    ///
    /// # Panics
    ///
    /// None of its nodes has the port.
    #[track_caller]
    pub fn node(&mut self, port: u16) -> &mut DataNode {
        let node = self.nodes.iter_mut().find(|node| node.port() == port);
        node.expect("a port of this shard")
    }

    /// The ports of all its nodes.
    pub fn ports(&self) -> Vec<u16> {
        self.nodes.iter().map(DataNode::port).collect()
    }
}

/// A running group. Everything ends on drop.
#[derive(Debug)]
pub struct Lab {
    /// What every Sentinel said. First, so that its subscribers end first.
    pub events: EventLog,
    /// The Sentinels.
    pub sentinels: Vec<Sentinel>,
    /// The data nodes, by master.
    pub shards: Vec<Shard>,
    spec: GroupSpec,
    /// Held so that nobody else takes them.
    _ports: PortBlock,
    folder: Folder,
}

impl Lab {
    /// Starts the group and waits until every Sentinel knows all of it.
    ///
    /// # Errors
    ///
    /// Something does not start; with the log that says why.
    pub fn start(spec: GroupSpec) -> anyhow::Result<Self> {
        let lab = Self::start_early(spec)?;
        lab.wait_until_settled()?;
        Ok(lab)
    }

    /// Starts the group and waits until every process answers.
    ///
    /// # Errors
    ///
    /// Something does not start; with the log that says why.
    pub fn start_early(spec: GroupSpec) -> anyhow::Result<Self> {
        let folder = Folder::new(spec.parent.as_deref())?;
        let mut ports = PortBlock::claim()?;
        let mut shards = Vec::new();
        for name in &spec.masters {
            shards.push(start_shard(&spec, name, &mut ports, folder.path())?);
        }
        let mut sentinels = Vec::new();
        for template in &spec.sentinels {
            let port = ports.take()?;
            let lines = sentinel_lines(&spec, port, &shards);
            let mut sentinel = Sentinel::start(template.clone(), port, &lines, folder.path())?;
            sentinel.wait_until_ready()?;
            sentinels.push(sentinel);
        }
        let events = EventLog::subscribe(&sentinels, &spec.masters);
        Ok(Self { events, sentinels, shards, spec, _ports: ports, folder })
    }

    /// What was asked for.
    pub fn spec(&self) -> &GroupSpec {
        &self.spec
    }

    /// The first or only master's name.
    pub fn name(&self) -> &str {
        &self.shards[0].name
    }

    /// The lab's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address that all running Sentinels name, if they name the same one.
    pub fn agreed_master(&self, name: &str) -> Option<u16> {
        agreed(self.sentinels.iter(), name)
    }

    /// The same for the first master and some of the Sentinels.
    pub fn agreed_by(&self, sentinels: &[usize]) -> Option<u16> {
        agreed(sentinels.iter().map(|&index| &self.sentinels[index]), self.name())
    }

    /// Waits until all Sentinels name the same master, other than `old`.
    ///
    /// # Errors
    ///
    /// They do not in time; with all that was heard.
    pub fn wait_for_switch_from(&self, name: &str, old: u16) -> anyhow::Result<u16> {
        until("the switch on all Sentinels", BOUND, || {
            self.agreed_master(name).filter(|&port| port != old)
        })
        .with_context(|| self.describe_events())
    }

    /// Waits until every node of the shard follows `master`.
    ///
    /// # Errors
    ///
    /// One does not in time; with all that was heard.
    pub fn wait_until_following(&self, shard: usize, master: u16) -> anyhow::Result<()> {
        let others = || self.shards[shard].nodes.iter().filter(|node| node.port() != master);
        until("all replicas in sync", BOUND, || {
            others().all(|node| node.is_in_sync_with(master)).then_some(())
        })
        .with_context(|| describe_view(&self.sentinels[0], &self.shards[shard].name))
        .with_context(|| self.describe_events())
    }

    /// Waits until every Sentinel sees every node and every other Sentinel, all of them up.
    ///
    /// # Errors
    ///
    /// One does not in time; with what it shows instead.
    pub fn wait_until_settled(&self) -> anyhow::Result<()> {
        for sentinel in &self.sentinels {
            for shard in &self.shards {
                let what = format!("Sentinel {} to see {} whole", sentinel.port(), shard.name);
                until(&what, BOUND, || self.is_whole(sentinel, shard).then_some(()))
                    .with_context(|| describe_view(sentinel, &shard.name))?;
            }
        }
        Ok(())
    }

    /// Waits until every Sentinel saw with its own eyes that all other nodes follow `master`, the
    /// first one's. Before that a reference takes a demoted master for one still, and would undo
    /// its next promotion.
    ///
    /// # Errors
    ///
    /// One does not in time.
    pub fn wait_until_roles_are_known(&self, master: u16) -> anyhow::Result<()> {
        until("all Sentinels to know the roles", BOUND, || {
            self.are_roles_known(master).then_some(())
        })
        .with_context(|| self.describe_events())
    }

    /// Whether every Sentinel saw with its own eyes that all other nodes follow `master`.
    pub fn are_roles_known(&self, master: u16) -> bool {
        let (name, port) = (self.name(), master.to_string());
        let follows = |replica: &BTreeMap<String, String>| {
            let is = |key: &str, value: &str| replica.get(key).is_some_and(|known| known == value);
            is("role-reported", "slave") && is("master-port", &port)
        };
        let knows = |sentinel: &Sentinel| sentinel.list("REPLICAS", name).iter().all(follows);
        self.sentinels.iter().all(knows)
    }

    fn is_whole(&self, sentinel: &Sentinel, shard: &Shard) -> bool {
        let replicas = sentinel.list("REPLICAS", &shard.name);
        let peers = sentinel.list("SENTINELS", &shard.name);
        is_up(&sentinel.master(&shard.name), "master")
            && replicas.len() == self.spec.replicas
            && replicas.iter().all(|replica| is_up(replica, "slave"))
            && peers.len() + 1 == self.sentinels.len()
            && peers.iter().all(|peer| is_up(peer, "sentinel"))
    }

    /// Ends a Sentinel's process for good, as `kill -9` does.
    pub fn kill_sentinel(&mut self, index: usize) {
        self.sentinels[index].process().kill();
    }

    /// What was heard so far, for the message of a failed test.
    pub fn describe_events(&self) -> String {
        let events = self.events.since(0);
        let Some(first) = events.first().map(|event| event.at) else { return String::new() };
        let line = |event: &super::Event| {
            let ms = event.at.saturating_duration_since(first).as_millis();
            format!("{ms:>7} ms  sentinel {}  {:?}\n", event.sentinel, event.saying)
        };
        events.iter().map(line).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("heard by the lab:\n{}", self.describe_events());
            for sentinel in &self.sentinels {
                eprintln!("log of Sentinel {}:\n{}", sentinel.port(), sentinel.log());
            }
        }
    }
}

fn agreed<'a>(sentinels: impl Iterator<Item = &'a Sentinel>, name: &str) -> Option<u16> {
    let mut ports = sentinels.map(|sentinel| sentinel.master_port(name));
    let first = ports.next()??;
    ports.all(|port| port == Some(first)).then_some(first)
}

/// Whether an entry of a listing is of this kind and neither down nor disconnected.
fn is_up(entry: &BTreeMap<String, String>, kind: &str) -> bool {
    let Some(flags) = entry.get("flags") else { return false };
    let has = |flag| flags.split(',').any(|other| other == flag);
    has(kind) && !["s_down", "o_down", "disconnected", "failover_in_progress"].into_iter().any(has)
}

fn describe_view(sentinel: &Sentinel, name: &str) -> String {
    format!(
        "master: {:?}\nreplicas: {:?}\nsentinels: {:?}\nlog: {}",
        sentinel.master(name),
        sentinel.list("REPLICAS", name),
        sentinel.list("SENTINELS", name),
        sentinel.log()
    )
}

fn start_shard(
    spec: &GroupSpec,
    name: &str,
    ports: &mut PortBlock,
    folder: &Path,
) -> anyhow::Result<Shard> {
    let mut nodes: Vec<DataNode> = Vec::new();
    for _ in 0..=spec.replicas {
        let master = nodes.first().map(DataNode::port);
        let mut lines = spec.node_lines.clone();
        if master.is_some() {
            lines.extend(spec.replica_lines.iter().cloned());
        }
        let node = NodeSpec {
            server: spec.server.clone(),
            port: ports.take()?,
            replica_of: master,
            password: spec.password.clone(),
            lines,
        };
        nodes.push(DataNode::start(node, folder)?);
    }
    ensure!(!nodes.is_empty(), "a shard without nodes");
    for node in &nodes {
        node.wait_until_ready()?;
    }
    Ok(Shard { name: name.to_owned(), nodes })
}

fn sentinel_lines(spec: &GroupSpec, port: u16, shards: &[Shard]) -> Vec<String> {
    let mut lines = vec![format!("port {port}"), "bind 127.0.0.1".to_owned()];
    for Shard { name, nodes } in shards {
        let (host, master) = (&spec.master_host, nodes[0].port());
        lines.push(format!("sentinel monitor {name} {host} {master} {}", spec.quorum));
        if let Some(password) = &spec.password {
            lines.push(format!("sentinel auth-pass {name} {password}"));
        }
        lines.extend([
            format!("sentinel down-after-milliseconds {name} {}", spec.down_after_ms),
            format!("sentinel failover-timeout {name} {}", spec.failover_timeout_ms),
            format!("sentinel parallel-syncs {name} {}", spec.parallel_syncs),
        ]);
    }
    if let Some(password) = &spec.sentinel_password {
        lines.push(format!("requirepass {password}"));
        lines.push(format!("sentinel sentinel-pass {password}"));
    }
    lines.extend(spec.sentinel_lines.iter().cloned());
    lines
}

/// Longer than a Sentinel of ours waits before it trusts its view of the group (rule S6).
pub const FRESH_VIEW: Duration = Duration::from_millis(4500);
