//! The acts of the demo, in their order.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use vedette::lab::{BOUND, FRESH_VIEW, Fault, FollowingWriter, Lab, text, until};

use super::screen::{Look, Screen};
use super::story::{Moment, Reader, Who, since_ms, tell};
use super::{DemoArgs, group};

/// How long everybody is watched after the last thing happened, for what belongs to it.
const AFTERWARDS: Duration = Duration::from_millis(300);

pub(super) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let screen = Screen::new();
    let spec = group(args)?;
    screen.line(&screen.paint(Look::Bold, "Vedette: a failover before your eyes"))?;
    screen.line(&format!("data nodes  {}", spec.server.describe()))?;
    screen.line("sentinels   this program, three times")?;
    let mut show = Show::start(&screen, Lab::start(spec)?)?;
    show.present(args)?;
    show.play(args.fault)?;
    show.sum_up()?;
    if args.keep { show.keep() } else { show.end() }
}

struct Show<'a> {
    screen: &'a Screen,
    lab: Lab,
    writer: FollowingWriter,
    reader: Reader,
    master: u16,
    /// The fault, once it is there.
    start: Instant,
    /// The first event after the fault.
    mark: usize,
    /// The first event that has not been told.
    told: usize,
    /// What others than the Sentinels did and has not been told.
    untold: Vec<Moment>,
}

impl<'a> Show<'a> {
    fn start(screen: &'a Screen, lab: Lab) -> anyhow::Result<Self> {
        let master = lab.agreed_master(lab.name()).context("the Sentinels name no master")?;
        let ports = lab.sentinels.iter().map(|sentinel| sentinel.port()).collect();
        let writer = FollowingWriter::start(ports, lab.name(), None);
        let id = |sentinel: &vedette::lab::Sentinel| {
            sentinel.ask(&["SENTINEL", "MYID"]).map(|frame| text(&frame)).unwrap_or_default()
        };
        let reader = Reader { ids: lab.sentinels.iter().map(id).collect() };
        let (start, untold) = (Instant::now(), vec![]);
        Ok(Self { screen, lab, writer, reader, master, start, mark: 0, told: 0, untold })
    }

    fn present(&mut self, args: &DemoArgs) -> anyhow::Result<()> {
        self.screen.headline("The group")?;
        for port in self.lab.shards[0].ports() {
            let role = if port == self.master { "master" } else { "replica" };
            self.screen.line(&format!("  {role:12} 127.0.0.1:{port}"))?;
        }
        for (number, sentinel) in self.lab.sentinels.iter().enumerate() {
            let name = self
                .screen
                .paint(Look::Person(number), &format!("{:12}", format!("sentinel-{}", number + 1)));
            let port = sentinel.port();
            self.screen.line(&format!("  {name} 127.0.0.1:{port}  quorum 2"))?;
        }
        self.screen.line("  client       writes every 2 ms, asks the Sentinels where")?;
        let what = match args.fault {
            Fault::Kill => "kill -9 of the master",
            Fault::Hang => "SIGSTOP of the master",
            Fault::Failover => "SENTINEL FAILOVER, said to sentinel-1",
        };
        let seconds = FRESH_VIEW.as_secs_f64().ceil();
        self.screen.headline(&format!("In {seconds} seconds: {what}"))?;
        if args.fault.is_noticed() {
            let line = format!("down-after-milliseconds is {}", args.down_after);
            self.screen.line(&self.screen.paint(Look::Dim, &line))?;
        }
        std::thread::sleep(FRESH_VIEW);
        let writes = self.writer.writes().accepted.len();
        ensure!(writes > 0, "the client could not write before the fault");
        self.screen.line(&format!("  the client has written {writes} times"))?;
        Ok(())
    }

    fn play(&mut self, fault: Fault) -> anyhow::Result<()> {
        self.screen.headline("What happened, in milliseconds since the fault")?;
        (self.mark, self.told) = (self.lab.events.len(), self.lab.events.len());
        self.strike(fault)?;
        let name = self.lab.name().to_owned();
        let new = self.lab.wait_for_switch_from(&name, self.master)?;
        until("the replica behind the new master", BOUND, || {
            let mut nodes = self.lab.shards[0].nodes.iter();
            let is_there = |port| port == new || port == self.master;
            nodes.all(|node| is_there(node.port()) || node.is_in_sync_with(new)).then_some(())
        })?;
        until("a write on the new master", BOUND, || self.writer.writes().first_on(new))?;
        let writes = self.writer.writes();
        let client = [
            (writes.last_on(self.master), "the last write on the old master"),
            (writes.first_on(new), "the first write on the new master"),
        ];
        for (at, what) in client {
            self.note(at.unwrap_or(self.start), Who::Client, what);
        }
        self.tell()?;
        self.bring_back(fault, new)
    }

    /// The fault itself.
    fn strike(&mut self, fault: Fault) -> anyhow::Result<()> {
        let name = self.lab.name().to_owned();
        let master = self.master;
        self.start = Instant::now();
        match fault {
            Fault::Kill => {
                self.lab.shards[0].node(master).process().kill();
                self.note(self.start, Who::Node(master), "the master is killed");
            }
            Fault::Hang => {
                self.lab.shards[0].node(master).process().suspend();
                self.note(self.start, Who::Node(master), "the master hangs");
            }
            Fault::Failover => {
                let answer = self.lab.sentinels[0].ask(&["SENTINEL", "FAILOVER", &name])?;
                ensure!(!answer.is_error(), "SENTINEL FAILOVER: {}", text(&answer));
                self.note(self.start, Who::Demo, "SENTINEL FAILOVER");
            }
        }
        Ok(())
    }

    /// The old master returns and becomes a replica.
    fn bring_back(&mut self, fault: Fault, new: u16) -> anyhow::Result<()> {
        let old = self.master;
        let begin = Instant::now();
        match fault {
            Fault::Kill => {
                self.lab.shards[0].node(old).restart()?;
                self.note(begin, Who::Node(old), "the old master is started again, as a master");
            }
            Fault::Hang => {
                self.lab.shards[0].node(old).process().resume();
                self.note(begin, Who::Node(old), "the old master goes on, as a master");
            }
            Fault::Failover => {}
        }
        self.lab.wait_until_following(0, new)?;
        self.note(Instant::now(), Who::Node(old), "the old master is in sync as a replica");
        std::thread::sleep(AFTERWARDS);
        self.tell()
    }

    fn note(&mut self, at: Instant, who: Who, what: &str) {
        self.untold.push(Moment { at, who, what: what.to_owned(), look: Look::Bold });
    }

    /// Everything that is new, in its order.
    fn tell(&mut self) -> anyhow::Result<()> {
        let events = self.lab.events.since(self.told);
        self.told += events.len();
        let mut moments = std::mem::take(&mut self.untold);
        moments.extend(events.iter().filter_map(|event| self.reader.moment(event)));
        tell(self.screen, self.start, moments)?;
        Ok(())
    }

    fn sum_up(&self) -> anyhow::Result<()> {
        let screen = self.screen;
        screen.headline("In short")?;
        let name = self.lab.name();
        let events = self.lab.events.since(self.mark);
        let ports = self.lab.shards[0].ports();
        for number in 0..self.lab.sentinels.len() {
            let switch = events.iter().find(|event| {
                let is_new = |&port: &u16| port != self.master && event.shows_switch_to(name, port);
                event.sentinel == number && ports.iter().any(is_new)
            });
            if let Some(event) = switch {
                let ms = since_ms(self.start, event.at);
                screen.line(&format!("  sentinel-{} switched after {ms:.1} ms", number + 1))?;
            }
        }
        if let Some((begin, end)) = self.writer.writes().longest_gap_since(self.start) {
            let ms = since_ms(begin, end);
            let line = format!("  the client could not write for {ms:.1} ms");
            screen.line(&screen.paint(Look::Good, &line))?;
        }
        Ok(())
    }

    fn end(self) -> anyhow::Result<()> {
        drop(self.writer);
        drop(self.lab);
        self.screen.line("")?;
        self.screen.line("Everything has been ended and removed.")?;
        Ok(())
    }

    fn keep(&self) -> anyhow::Result<()> {
        let screen = self.screen;
        screen.headline("The group stays up until Ctrl-C. Try:")?;
        let name = self.lab.name();
        let sentinel = self.lab.sentinels[0].port();
        let words = [
            format!("redis-cli -p {sentinel} sentinel get-master-addr-by-name {name}"),
            format!("redis-cli -p {sentinel} sentinel failover {name}"),
            format!("redis-cli -p {sentinel} psubscribe '*'"),
            format!("redis-cli -p {sentinel} sentinel replicas {name}"),
        ];
        for line in words {
            screen.line(&format!("  {line}"))?;
        }
        screen.line(&format!("The files are in {}", self.lab.folder().display()))?;
        loop {
            // Ctrl-C ends this process, and the warden ends the group.
            std::thread::park();
        }
    }
}
