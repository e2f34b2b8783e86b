//! Replacing a group's Sentinels one by one, each on its file and port, while clients write.

use anyhow::{Context as _, ensure};

use super::remembered::Remembered;
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
    pub(super) fn set(self, sentinel: &Sentinel) -> anyhow::Result<()> {
        let tunables = match self {
            Self::Usual => return Ok(()),
            // An unannounced promotion is undone after four periods of hellos (rule R1), and the
            // reference needs more than a second to announce one.
            Self::Quick => ["INFO-PERIOD", "500", "PUBLISH-PERIOD", "1000"],
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
        let before = Remembered::save(sentinel)?;
        sentinel.process().terminate(BOUND)?;
        sentinel.restart_as(template.clone())?;
        sentinel.wait_until_ready()?;
        self.pace.set(sentinel)?;
        self.lab.wait_until_settled()?;
        before.check_kept_by(&Remembered::save(&self.lab.sentinels[number])?)
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
