//! Many masters: model nodes in a few processes, and Sentinels of one make that watch them all.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use vedette::lab::{BOUND, Client, Folder, PortBlock, Process, Sentinel, Template, fields, until};

/// A node holds about eight descriptors, and a process has 20,000 on most machines.
const MASTERS_PER_PROCESS: usize = 500;
/// Between two looks at whether all is known: a listing of a thousand masters is work.
const LOOK: Duration = Duration::from_millis(100);

/// What is the same for both implementations.
#[derive(Clone, Debug)]
pub(super) struct Size {
    pub(super) masters: usize,
    pub(super) replicas: usize,
    pub(super) sentinels: usize,
    pub(super) down_after_ms: u64,
    pub(super) failover_timeout_ms: u64,
    pub(super) first_port: u16,
}

impl Size {
    fn name(index: usize) -> String {
        format!("m{index}")
    }

    fn port(&self, index: usize) -> anyhow::Result<u16> {
        let offset = u16::try_from(index * (self.replicas + 1))?;
        self.first_port.checked_add(offset).context("too many nodes for the ports there are")
    }

    fn sentinel_lines(&self, port: u16) -> anyhow::Result<Vec<String>> {
        let quorum = self.sentinels / 2 + 1;
        let mut lines = vec![format!("port {port}"), "protected-mode no".to_owned()];
        for index in 0..self.masters {
            let (name, node) = (Self::name(index), self.port(index)?);
            lines.push(format!("sentinel monitor {name} 127.0.0.1 {node} {quorum}"));
            lines.push(format!("sentinel down-after-milliseconds {name} {}", self.down_after_ms));
            lines.push(format!("sentinel failover-timeout {name} {}", self.failover_timeout_ms));
        }
        Ok(lines)
    }
}

/// The fleet; everything ends when it is dropped.
pub(super) struct Fleet {
    pub(super) size: Size,
    hosts: Vec<Host>,
    pub(super) sentinels: Vec<Sentinel>,
    started: Instant,
    _folder: Folder,
    _ports: PortBlock,
}

/// A process with model nodes.
struct Host {
    _process: Process,
    control: Client,
}

impl Fleet {
    /// Starts the nodes, waits until their replicas follow, and starts the Sentinels.
    pub(super) fn start(
        size: Size,
        template: &Template,
        vedette: &Path,
        parent: &Path,
    ) -> anyhow::Result<Self> {
        let folder = Folder::new(Some(parent))?;
        let mut ports = PortBlock::claim()?;
        let mut hosts = Vec::new();
        for first in (0..size.masters).step_by(MASTERS_PER_PROCESS) {
            let count = MASTERS_PER_PROCESS.min(size.masters - first);
            hosts.push(Host::start(&size, (first, count), ports.take()?, vedette, folder.path())?);
        }
        for index in 0..size.masters {
            wait_for_replicas(size.port(index)?, size.replicas)?;
        }
        let started = Instant::now();
        let sentinels = (0..size.sentinels).map(|_| {
            let port = ports.take()?;
            let lines = size.sentinel_lines(port)?;
            Sentinel::start(template.clone(), port, &lines, folder.path())
        });
        let sentinels = sentinels.collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { size, hosts, sentinels, started, _folder: folder, _ports: ports })
    }

    /// Until every Sentinel knows every replica and every other Sentinel of every master; none if
    /// that takes longer than `patience`.
    pub(super) fn wait_until_ready(&self, patience: Duration) -> Option<Duration> {
        for sentinel in &self.sentinels {
            while !self.is_ready_at(sentinel) {
                if self.started.elapsed() > patience {
                    return None;
                }
                std::thread::sleep(LOOK);
            }
        }
        Some(self.started.elapsed())
    }

    fn is_ready_at(&self, sentinel: &Sentinel) -> bool {
        let Ok(listing) = sentinel.ask(&["SENTINEL", "MASTERS"]) else { return false };
        let masters = listing.items().unwrap_or_default();
        let (replicas, others) = (self.size.replicas.to_string(), self.size.sentinels - 1);
        let is_known = |entry: &BTreeMap<String, String>| {
            entry.get("num-slaves") == Some(&replicas)
                && entry.get("num-other-sentinels") == Some(&others.to_string())
                && entry.get("flags").is_some_and(|flags| flags == "master")
        };
        masters.len() == self.size.masters && masters.iter().map(fields).all(|m| is_known(&m))
    }

    /// Commands that all nodes have processed so far.
    pub(super) fn commands(&mut self) -> anyhow::Result<u64> {
        let mut total = 0;
        for host in &mut self.hosts {
            match host.control.ask(&["COUNT"])? {
                vedette_resp::Frame::Integer(count) => total += u64::try_from(count)?,
                other => anyhow::bail!("COUNT: {}", vedette::lab::text(&other)),
            }
        }
        Ok(total)
    }

    /// Kills these masters; says when the last of them was dead.
    pub(super) fn kill(&mut self, masters: std::ops::Range<usize>) -> anyhow::Result<Instant> {
        for index in masters.clone() {
            let port = self.size.port(index)?.to_string();
            self.hosts[index / MASTERS_PER_PROCESS].control.send(&["KILL", &port])?;
        }
        for index in masters {
            let answer = self.hosts[index / MASTERS_PER_PROCESS].control.receive()?;
            ensure!(!answer.is_error(), "KILL: {}", vedette::lab::text(&answer));
        }
        Ok(Instant::now())
    }
}

impl Host {
    fn start(
        size: &Size,
        (first, count): (usize, usize),
        control: u16,
        vedette: &Path,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let arguments = [
            ("--port", size.port(first)?.to_string()),
            ("--masters", count.to_string()),
            ("--replicas", size.replicas.to_string()),
            ("--control-port", control.to_string()),
        ];
        let mut words = vec![vedette.display().to_string(), "node".to_owned()];
        for (name, value) in arguments {
            words.extend([name.to_owned(), value]);
        }
        let mut process = Process::start(&words, folder, &folder.join(format!("nodes-{first}")))?;
        let what = format!("the control port of {count} nodes");
        let connected = until(&what, BOUND, || {
            let is_gone = process.exit_status().is_some();
            is_gone.then_some(None).or_else(|| Client::connect(control).ok().map(Some))
        })?;
        let control = connected.with_context(|| process.output())?;
        Ok(Self { _process: process, control })
    }
}

fn wait_for_replicas(port: u16, count: usize) -> anyhow::Result<()> {
    until("replicas in sync", BOUND, || {
        let info = Client::connect(port).ok()?.ask(&["INFO", "replication"]).ok()?;
        let info = vedette::lab::text(&info);
        (info.matches("state=online").count() == count).then_some(())
    })
}
