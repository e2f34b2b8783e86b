//! Replacing a group's Sentinels one by one, each on its file and port, while clients write.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};

use super::{BOUND, Lab, Make, RealClient, Sentinel, Tally, Template, Watch, text, until};

/// Increments that show that a client is well again.
const WELL: usize = 20;

/// A group, its clients, and the masters it has had.
#[derive(Debug)]
pub struct Rolling {
    /// The group.
    pub lab: Lab,
    clients: Vec<RealClient>,
    watch: Watch,
    masters: Vec<u16>,
    pace: Pace,
}

/// How fast Sentinels learn of changes: a reference that follows its default pace demotes an old
/// master after some ten seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As in production.
    Usual,
    /// With short periods of INFO and hellos, set by SENTINEL DEBUG.
    Quick,
}

impl Pace {
    fn set(self, sentinel: &Sentinel) -> anyhow::Result<()> {
        let tunables = match self {
            Self::Usual => return Ok(()),
            Self::Quick => ["INFO-PERIOD", "500", "PUBLISH-PERIOD", "300"],
        };
        let answer = sentinel.ask(&[["SENTINEL", "DEBUG"].as_slice(), &tunables].concat())?;
        ensure!(!answer.is_error(), "{}", text(&answer));
        Ok(())
    }
}

impl Rolling {
    /// Of a healthy group and its clients. The Sentinels' files should hold a comment.
    ///
    /// # Errors
    ///
    /// The Sentinels do not agree on a master, or a client does not write.
    pub fn start(lab: Lab, clients: Vec<RealClient>, pace: Pace) -> anyhow::Result<Self> {
        let masters = vec![lab.agreed_master(lab.name()).context("no agreed master")?];
        for client in &clients {
            client.wait_for_more(WELL)?;
        }
        lab.sentinels.iter().try_for_each(|sentinel| pace.set(sentinel))?;
        Ok(Self { watch: Watch::start(&lab), lab, clients, masters, pace })
    }

    /// Puts `template` in the place of each Sentinel; after each there is a failover, which the new
    /// one leads.
    ///
    /// # Errors
    ///
    /// Something was forgotten, a client does not find the new master, or a Sentinel said something
    /// that was not so.
    pub fn replace_all(&mut self, template: &Template) -> anyhow::Result<()> {
        for number in 0..self.lab.sentinels.len() {
            self.replace(number, template)
                .and_then(|()| self.fail_over(number))
                .with_context(|| format!("Sentinel {number} replaced by {template:?}"))?;
        }
        self.watch.check(&self.masters, self.lab.sentinels.len() - 1)
    }

    /// Failovers so far.
    pub fn failovers(&self) -> usize {
        self.masters.len() - 1
    }

    /// What the clients achieved so far.
    pub fn tallies(&self) -> Vec<(Make, Tally)> {
        self.clients.iter().map(|client| (client.make(), client.tally())).collect()
    }

    /// Ends everything; what the clients achieved.
    ///
    /// # Errors
    ///
    /// A client ends badly.
    pub fn finish(self) -> anyhow::Result<Vec<(Make, Tally)>> {
        drop(self.watch);
        self.clients.into_iter().map(|client| Ok((client.make(), client.finish()?))).collect()
    }

    fn replace(&mut self, number: usize, template: &Template) -> anyhow::Result<()> {
        let sentinel = &mut self.lab.sentinels[number];
        sentinel.ask(&["SENTINEL", "FLUSHCONFIG"])?;
        sentinel.process().terminate(BOUND)?;
        let before = Remembered::read(sentinel)?;
        sentinel.restart_as(template.clone())?;
        sentinel.wait_until_ready()?;
        self.pace.set(sentinel)?;
        self.lab.wait_until_settled()?;
        let sentinel = &self.lab.sentinels[number];
        sentinel.ask(&["SENTINEL", "FLUSHCONFIG"])?;
        let after = Remembered::read(sentinel)?;
        ensure!(before.is_kept_by(&after), "the file had {before:?} and has {after:?}");
        Ok(())
    }

    fn fail_over(&mut self, leader: usize) -> anyhow::Result<()> {
        let name = self.lab.name().to_owned();
        let old = self.masters.last().copied().context("a master")?;
        let sentinel = &self.lab.sentinels[leader];
        let order = || {
            let answer = sentinel.ask(&["SENTINEL", "FAILOVER", &name]).ok()?;
            (text(&answer) == "OK").then_some(())
        };
        // The reference refuses while it does not know a good replica, just after its start.
        until("an accepted failover", BOUND, order).with_context(|| sentinel.log())?;
        let new = self.lab.wait_for_switch_from(&name, old)?;
        self.masters.push(new);
        self.lab.wait_until_following(0, new)?;
        self.lab.wait_until_settled()?;
        self.lab.wait_until_roles_are_known(new)?;
        for client in &self.clients {
            client.wait_for_more(WELL)?;
        }
        let node = self.lab.shards[0].node(new);
        let count = self.clients.len();
        until("all clients on the new master", BOUND, || (node.writers() >= count).then_some(()))
    }
}

/// What a Sentinel's file must not lose.
#[derive(Debug, PartialEq, Eq)]
struct Remembered {
    comments: Vec<String>,
    id: String,
    sentinels: BTreeSet<String>,
    /// The master's and the replicas' ports.
    nodes: BTreeSet<String>,
    /// Current, configuration's and leader's.
    epochs: [u64; 3],
}

impl Remembered {
    fn read(sentinel: &Sentinel) -> anyhow::Result<Self> {
        let file = std::fs::read_to_string(sentinel.conf())?;
        let after = |words: &str| -> Vec<Vec<String>> {
            let lines = file.lines().filter_map(|line| line.strip_prefix(words));
            lines.map(|rest| rest.split_whitespace().map(str::to_owned).collect()).collect()
        };
        let word = |words: &str, index: usize| -> Vec<String> {
            let lines = after(words).into_iter();
            lines.filter_map(|line| line.get(index).cloned()).collect()
        };
        let epoch = |words: &str, index| {
            word(words, index).first().and_then(|epoch| epoch.parse().ok()).unwrap_or(0)
        };
        let mut nodes: BTreeSet<String> = word("sentinel monitor ", 2).into_iter().collect();
        nodes.extend(word("sentinel known-replica ", 2));
        Ok(Self {
            comments: file
                .lines()
                .filter(|line| line.starts_with("# kept"))
                .map(str::to_owned)
                .collect(),
            id: word("sentinel myid ", 0).concat(),
            sentinels: word("sentinel known-sentinel ", 3).into_iter().collect(),
            nodes,
            epochs: [
                epoch("sentinel current-epoch ", 0),
                epoch("sentinel config-epoch ", 1),
                epoch("sentinel leader-epoch ", 1),
            ],
        })
    }

    fn is_kept_by(&self, later: &Self) -> bool {
        let rising = self.epochs.iter().zip(&later.epochs).all(|(old, new)| old <= new);
        !self.comments.is_empty()
            && self.comments == later.comments
            && !self.id.is_empty()
            && self.id == later.id
            && self.sentinels == later.sentinels
            && self.nodes == later.nodes
            && rising
    }
}
