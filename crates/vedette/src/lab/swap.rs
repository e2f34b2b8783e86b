//! A whole group on its files under one program, then under another, and back.

use anyhow::{Context as _, ensure};

use super::remembered::Remembered;
use super::{BOUND, Lab, Pace, Template, until};

/// A group that changes its program, and what its files held last.
#[derive(Debug)]
pub struct Swap {
    lab: Lab,
    files: Vec<Remembered>,
}

impl Swap {
    /// Of a healthy group, whose files should hold comments.
    ///
    /// # Errors
    ///
    /// A Sentinel does not save.
    pub fn start(lab: Lab) -> anyhow::Result<Self> {
        let files = lab.sentinels.iter().map(Remembered::save).collect::<anyhow::Result<_>>()?;
        Ok(Self { lab, files })
    }

    /// Ends all Sentinels, starts `template` on their files, and has the master die.
    ///
    /// # Errors
    ///
    /// A file lost something, or there is no failover.
    pub fn change_to(&mut self, template: &Template) -> anyhow::Result<()> {
        self.restart_as(template)
            .and_then(|()| self.fail_over())
            .with_context(|| format!("as {template:?}"))
    }

    fn restart_as(&mut self, template: &Template) -> anyhow::Result<()> {
        for sentinel in &mut self.lab.sentinels {
            sentinel.process().terminate(BOUND)?;
        }
        for sentinel in &mut self.lab.sentinels {
            sentinel.restart_as(template.clone())?;
            sentinel.wait_until_ready()?;
            Pace::Quick.set(sentinel)?;
        }
        self.lab.wait_until_settled()?;
        self.compare()
    }

    fn fail_over(&mut self) -> anyhow::Result<()> {
        let name = self.lab.name().to_owned();
        let old = self.lab.agreed_master(&name).context("no agreed master")?;
        let before: Vec<u64> = self.files.iter().map(Remembered::config_epoch).collect();
        self.lab.shards[0].node(old).process().kill();
        let new = self.lab.wait_for_switch_from(&name, old)?;
        self.lab.shards[0].node(old).restart_as_replica_of(new)?;
        self.wait_until_calm()?;
        self.compare()?;
        for (before, after) in before.iter().zip(&self.files) {
            ensure!(*before < after.config_epoch(), "a failover at epoch {before} again");
        }
        Ok(())
    }

    /// Waits until all know who is master and who follows. The first new master need not be the
    /// last one: the reference may fail over twice (holes H1).
    fn wait_until_calm(&self) -> anyhow::Result<()> {
        let lab = &self.lab;
        until("one master that all follow", BOUND, || {
            let master = lab.agreed_master(lab.name())?;
            let mut others = lab.shards[0].nodes.iter().filter(|node| node.port() != master);
            let is_calm = others.all(|node| node.is_in_sync_with(master));
            (is_calm && lab.are_roles_known(master)).then_some(())
        })
        .with_context(|| lab.describe_events())?;
        lab.wait_until_settled()
    }

    /// All save; nothing that they had is missing.
    fn compare(&mut self) -> anyhow::Result<()> {
        for (sentinel, before) in self.lab.sentinels.iter().zip(&mut self.files) {
            let after = Remembered::save(sentinel)?;
            before.check_kept_by(&after).with_context(|| sentinel.log())?;
            *before = after;
        }
        Ok(())
    }
}
