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
pub(in crate::bench) struct Size {
    pub(in crate::bench) masters: usize,
    pub(in crate::bench) replicas: usize,
    pub(in crate::bench) sentinels: usize,
    pub(in crate::bench) down_after_ms: u64,
    pub(in crate::bench) failover_timeout_ms: u64,
    pub(in crate::bench) first_port: u16,
    /// Further lines of every sentinel.conf.
    pub(in crate::bench) more_lines: Vec<String>,
}

impl Size {
    pub(in crate::bench) fn name(index: usize) -> String {
        format!("m{index}")
    }

    /// Where a master is at the start.
    pub(in crate::bench) fn port(&self, index: usize) -> anyhow::Result<u16> {
        let offset = u16::try_from(index * (self.replicas + 1))?;
        self.first_port.checked_add(offset).context("too many nodes for the ports there are")
    }

    fn sentinel_lines(&self, port: u16) -> anyhow::Result<Vec<String>> {
        let quorum = self.sentinels / 2 + 1;
        let mut lines = vec![format!("port {port}"), "protected-mode no".to_owned()];
        lines.extend_from_slice(&self.more_lines);
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
pub(in crate::bench) struct Fleet {
    pub(in crate::bench) size: Size,
    hosts: Vec<Host>,
    pub(in crate::bench) sentinels: Vec<Sentinel>,
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
    pub(in crate::bench) fn start(
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
    pub(in crate::bench) fn wait_until_ready(&self, patience: Duration) -> Option<Duration> {
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
    pub(in crate::bench) fn commands(&mut self) -> anyhow::Result<u64> {
        Ok(self.ask_hosts("COUNT")?.into_iter().sum())
    }

    /// The longest time between two PINGs that a node got on one connection since this was last
    /// asked.
    pub(in crate::bench) fn longest_ping_gap(&mut self) -> anyhow::Result<Duration> {
        Ok(Duration::from_millis(self.ask_hosts("GAPS")?.into_iter().max().unwrap_or(0)))
    }

    fn ask_hosts(&mut self, question: &str) -> anyhow::Result<Vec<u64>> {
        let ask = |host: &mut Host| match host.control.ask(&[question])? {
            vedette_resp::Frame::Integer(number) => Ok(u64::try_from(number)?),
            other => anyhow::bail!("{question}: {}", vedette::lab::text(&other)),
        };
        self.hosts.iter_mut().map(ask).collect()
    }

    /// Kills these masters; says when the last of them was dead.
    pub(in crate::bench) fn kill(
        &mut self,
        masters: std::ops::Range<usize>,
    ) -> anyhow::Result<Instant> {
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
