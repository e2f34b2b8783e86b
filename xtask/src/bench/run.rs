//! One group under measurement, and one failover of it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use vedette::lab::{
    DataNode, DataServer, Event, FRESH_VIEW, Fault, GroupSpec, Lab, Template, WriteProbe, text,
    until,
};

use super::sync_watch::SyncWatch;

/// A reference that lost an election tries again after twice the failover-timeout.
const ATTEMPTS: u32 = 5;
/// How long an old master may stay writable before a run is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the reference may take to put everything right again.
const MENDED: Duration = Duration::from_secs(180);
/// Lets probes connect before the fault.
const WARM_UP: Duration = Duration::from_millis(100);

/// What is the same for both implementations.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) server: DataServer,
    pub(crate) sentinels: usize,
    pub(crate) down_after_ms: u64,
    pub(crate) failover_timeout_ms: u64,
    pub(crate) fault: Fault,
}

/// One implementation and its running group.
pub(crate) struct Team {
    pub(crate) name: String,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) lab: Lab,
    fault: Fault,
}

/// Times since the fault.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// None for a forced failover.
    pub(crate) odown: Option<Duration>,
    pub(crate) write: Duration,
    pub(crate) first_switch: Duration,
    pub(crate) last_switch: Duration,
    pub(crate) in_sync: Duration,
    /// Until when the old master took writes; only for a forced failover.
    pub(crate) old_writable: Option<Duration>,
    /// Epochs spent, one in a calm election.
    pub(crate) epochs: u64,
    /// Switches announced by any one Sentinel, one if nothing goes wrong.
    pub(crate) switches: usize,
}

impl Team {
    /// Starts the group and waits until it is ready to fail over.
    pub(crate) fn start(
        name: &str,
        template: Template,
        setup: &Setup,
        parent: &Path,
    ) -> anyhow::Result<Self> {
        let templates = vec![template; setup.sentinels];
        Self::start_mixed(name, templates, setup, parent)
    }

    /// The same with a program of its own for each Sentinel.
    pub(crate) fn start_mixed(
        name: &str,
        templates: Vec<Template>,
        setup: &Setup,
        parent: &Path,
    ) -> anyhow::Result<Self> {
        let mut spec = GroupSpec::new(setup.server.clone(), templates);
        spec.down_after_ms = setup.down_after_ms;
        spec.failover_timeout_ms = setup.failover_timeout_ms;
        spec.parent = Some(parent.to_path_buf());
        let lab = Lab::start(spec).with_context(|| format!("the group of {name}"))?;
        std::thread::sleep(FRESH_VIEW);
        Ok(Self { name: name.to_owned(), outcomes: vec![], lab, fault: setup.fault })
    }

    /// One failover, after which the group is whole again.
    pub(crate) fn run(&mut self) -> anyhow::Result<&Outcome> {
        let outcome = self.measure().with_context(|| format!("a failover of {}", self.name))?;
        self.outcomes.push(outcome);
        Ok(&self.outcomes[self.outcomes.len() - 1])
    }

    fn measure(&mut self) -> anyhow::Result<Outcome> {
        let name = self.lab.name().to_owned();
        let old = self.lab.agreed_master(&name).context("no agreed master")?;
        let epoch = self.config_epoch(&name)?;
        let ports = self.lab.shards[0].ports();
        let replicas: Vec<u16> = ports.iter().copied().filter(|&port| port != old).collect();
        let probe = WriteProbe::start(&ports, None);
        std::thread::sleep(WARM_UP);
        let sync = SyncWatch::start(&replicas, old);
        let mark = self.lab.events.len();
        let start = self.strike(&name, old)?;
        let moments = self.wait_for_switches(&name, old, mark)?;
        let in_sync = sync.finish(PATIENCE)?;
        let new = self.lab.wait_for_switch_from(&name, old)?;
        let write = until("a write on the new master", PATIENCE, || probe.writes().first_on(new))?;
        self.mend(&name, old, new)?;
        let old_writable = probe.writes().last_on(old).filter(|_| self.fault == Fault::Failover);
        drop(probe);
        let events = self.lab.events.since(mark);
        Ok(Outcome {
            odown: events
                .iter()
                .find(|event| event.is("+odown", &name))
                .map(|event| event.at - start),
            write: write - start,
            first_switch: moments
                .iter()
                .min()
                .context("no Sentinel")?
                .saturating_duration_since(start),
            last_switch: moments
                .iter()
                .max()
                .context("no Sentinel")?
                .saturating_duration_since(start),
            in_sync: in_sync - start,
            old_writable: old_writable.map(|moment| moment.saturating_duration_since(start)),
            epochs: self.config_epoch(&name)?.saturating_sub(epoch),
            switches: most_switches(&events, &name, self.lab.sentinels.len()),
        })
    }

    /// The fault; the moment just before it.
    fn strike(&mut self, name: &str, master: u16) -> anyhow::Result<Instant> {
        let node = self.lab.shards[0].node(master);
        let start = Instant::now();
        match self.fault {
            Fault::Kill => node.process().kill(),
            Fault::Hang => node.process().suspend(),
            Fault::Failover => {
                let turn = self.outcomes.len() % self.lab.sentinels.len();
                let mut client = self.lab.sentinels[turn].client()?;
                let start = Instant::now();
                let answer = client.ask(&["SENTINEL", "FAILOVER", name])?;
                anyhow::ensure!(!answer.is_error(), "FAILOVER: {}", text(&answer));
                return Ok(start);
            }
        }
        Ok(start)
    }

    /// For each Sentinel the moment from which it names another master.
    fn wait_for_switches(&self, name: &str, old: u16, mark: usize) -> anyhow::Result<Vec<Instant>> {
        let ports = self.lab.shards[0].ports();
        let shows = |event: &Event| {
            ports.iter().any(|&port| port != old && event.shows_switch_to(name, port))
        };
        let timeout = Duration::from_millis(self.lab.spec().failover_timeout_ms);
        let bound = PATIENCE + ATTEMPTS * timeout;
        self.lab.events.wait_for("a switch on every Sentinel", mark, bound, |events| {
            let first = |sentinel| {
                let mut own = events.iter().filter(|event| event.sentinel == sentinel);
                own.find(|event| shows(event)).map(|event| event.at)
            };
            (0..self.lab.sentinels.len()).map(first).collect()
        })
    }

    /// Brings the old master back as a replica and waits until the group is whole.
    fn mend(&mut self, name: &str, old: u16, new: u16) -> anyhow::Result<()> {
        if self.fault.is_noticed() {
            self.lab.shards[0].node(old).restart_as_replica_of(new)?;
        }
        let is_whole = || {
            let master = self.lab.agreed_master(name)?;
            let nodes = &self.lab.shards[0].nodes;
            let follow = |node: &DataNode| node.port() == master || node.is_in_sync_with(master);
            nodes.iter().all(follow).then_some(())
        };
        // Not necessarily behind `new`: the reference may fail over a second time.
        until("the group to be whole again", MENDED, is_whole)
            .with_context(|| self.lab.describe_events())?;
        self.lab.wait_until_settled()
    }

    fn config_epoch(&self, name: &str) -> anyhow::Result<u64> {
        let fields = self.lab.sentinels[0].master(name);
        Ok(fields.get("config-epoch").context("no config-epoch")?.parse()?)
    }
}

fn most_switches(events: &[Event], name: &str, sentinels: usize) -> usize {
    let switches = |sentinel| {
        events
            .iter()
            .filter(|event| event.sentinel == sentinel && event.is("+switch-master", name))
            .count()
    };
    (0..sentinels).map(switches).max().unwrap_or(0)
}
