//! The story: what happens to the group, and what its Sentinels say.
//!
//! Who leads and who is promoted is not left to chance: only Sentinel 0 can reach its quorum, and
//! the nodes have priorities.

use vedette::lab::{BOUND, Event, GroupSpec, Lab, PortBlock, Saying, Template, text, until};

use super::mask::Mask;
use crate::group::{spec, start};

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    /// Who said it.
    pub(super) who: String,
    /// The channel.
    pub(super) event: String,
    /// Masked.
    pub(super) payload: String,
}

impl Line {
    pub(super) fn new(who: &str, event: &str, payload: &str) -> Self {
        let [who, event, payload] = [who, event, payload].map(str::to_owned);
        Self { who, event, payload }
    }
}

/// The one that leads, and one that looks on.
const LEADER: usize = 0;
const OBSERVER: usize = 1;
const NAMES: [&str; 3] = ["leader", "observer", "other"];
const MASTER: &str = "mymaster";

/// A quorum that a group of three never reaches.
const UNREACHABLE: &str = "5";

struct Stage {
    lab: Lab,
    mask: Mask,
    /// Where the events of the present scene begin.
    mark: usize,
    heard: Vec<Line>,
}

/// Plays it all; what was said.
pub(super) fn play(template: Template) -> Vec<Line> {
    let mut stage = Stage::open(template);
    stage.set_options();
    stage.replica_dies_and_returns();
    stage.master_dies_and_returns();
    stage.operator_fails_over();
    stage.sentinel_moves();
    stage.master_is_removed_and_monitored();
    stage.master_is_reset();
    stage.heard
}

impl Stage {
    fn open(template: Template) -> Self {
        let lab = start(GroupSpec {
            sentinels: vec![template; 3],
            failover_timeout_ms: 10_000,
            ..spec()
        });
        let mask = Mask::of(&lab);
        for (node, priority) in lab.shards[0].nodes.iter().zip(["50", "10", "100"]) {
            let mut client = node.client().unwrap();
            client.ask(&["CONFIG", "SET", "replica-priority", priority]).unwrap();
            client.ask(&["CONFIG", "REWRITE"]).unwrap();
        }
        let mut stage = Self { lab, mask, mark: 0, heard: vec![] };
        stage.start_is_in_the_log();
        stage.shorten_periods();
        for observer in [1, 2] {
            stage.order(observer, &["SENTINEL", "SET", MASTER, "quorum", UNREACHABLE]);
        }
        // The priorities are known when the INFO that tells them was read.
        let knows = |sentinel: &vedette::lab::Sentinel| {
            let replicas = sentinel.list("REPLICAS", MASTER);
            replicas.iter().all(|replica| {
                replica.get("slave-priority").is_some_and(|it| ["10", "100"].contains(&&it[..]))
            })
        };
        until("the priorities", BOUND, || stage.lab.sentinels.iter().all(knows).then_some(()))
            .unwrap();
        stage
    }

    /// What happened before anybody could subscribe stands in the log, with its level.
    fn start_is_in_the_log(&mut self) {
        for line in self.lab.sentinels[LEADER].log().lines() {
            let mut words = line.splitn(7, ' ').skip(5);
            let (Some(level), Some(rest)) = (words.next(), words.next()) else { continue };
            let Some((event, payload)) = rest.split_once(' ') else { continue };
            if event.starts_with(['+', '-']) && event.len() > 1 {
                let who = format!("log {level}");
                self.heard.push(Line::new(&who, event, &self.mask.apply(payload)));
            }
        }
        self.mark = self.lab.events.len();
    }

    fn shorten_periods(&self) {
        for sentinel in 0..3 {
            let periods = ["INFO-PERIOD", "300", "PUBLISH-PERIOD", "600"];
            self.order(sentinel, &[["SENTINEL", "DEBUG"].as_slice(), &periods].concat());
        }
    }

    fn order(&self, sentinel: usize, words: &[&str]) {
        let answer = self.lab.sentinels[sentinel].ask(words).unwrap();
        assert!(!answer.is_error(), "{words:?}: {}", text(&answer));
    }

    /// Waits until each of these was said, then writes down all that was.
    fn end_scene(&mut self, expected: &[(usize, &str, &str)]) {
        for &(sentinel, event, part) in expected {
            let what = format!("{event} … {part} by Sentinel {sentinel}");
            let is_it = |line: &Line| {
                line.who == NAMES[sentinel] && line.event == event && line.payload.contains(part)
            };
            let waited = self.lab.events.wait_for(&what, self.mark, BOUND, |events| {
                lines(events, &self.mask).iter().any(is_it).then_some(())
            });
            waited.unwrap();
        }
        let events = self.lab.events.since(self.mark);
        self.mark += events.len();
        self.heard.extend(lines(&events, &self.mask));
    }

    fn set_options(&mut self) {
        for option in [
            ["parallel-syncs", "2"],
            ["down-after-milliseconds", "2000"],
            ["failover-timeout", "9000"],
            ["quorum", "2"],
            ["auth-user", "somebody"],
            ["auth-user", ""],
            ["master-reboot-down-after-period", "0"],
        ] {
            let words = [["SENTINEL", "SET", MASTER].as_slice(), &option].concat();
            self.order(LEADER, &words);
        }
        let two = ["SENTINEL", "SET", MASTER, "rename-command", "CONFIG", "CONFIG", "quorum", "2"];
        self.order(LEADER, &two);
        self.end_scene(&[(LEADER, "+set", "rename-command"), (OBSERVER, "+set", "quorum")]);
    }

    fn node(&self, number: usize) -> u16 {
        self.lab.shards[0].nodes[number].port()
    }

    fn replica_dies_and_returns(&mut self) {
        self.lab.shards[0].nodes[2].process().kill();
        let about = "slave 127.0.0.1:N2";
        self.end_scene(&[(LEADER, "+sdown", about), (OBSERVER, "+sdown", about)]);
        self.lab.shards[0].nodes[2].restart().unwrap();
        let both = [LEADER, OBSERVER];
        let ends = both.map(|it| [(it, "-sdown", about), (it, "+reboot", about)]);
        self.end_scene(&ends.concat());
    }

    fn master_dies_and_returns(&mut self) {
        self.lab.shards[0].nodes[0].process().kill();
        let old = "slave 127.0.0.1:N0";
        self.end_scene(&[
            (LEADER, "+switch-master", "N1"),
            (LEADER, "+failover-end", ""),
            (LEADER, "+slave", old),
            (LEADER, "+sdown", old),
            (OBSERVER, "+switch-master", "N1"),
            (OBSERVER, "+slave", old),
            (OBSERVER, "+sdown", old),
        ]);
        self.lab.shards[0].nodes[0].restart().unwrap();
        self.lab.wait_until_following(0, self.node(1)).unwrap();
        self.lab.wait_until_roles_are_known(self.node(1)).unwrap();
        self.end_scene(&[(LEADER, "-sdown", old), (OBSERVER, "-sdown", old)]);
    }

    fn operator_fails_over(&mut self) {
        self.lab.wait_until_settled().unwrap();
        self.order(LEADER, &["SENTINEL", "FAILOVER", MASTER]);
        let old = "slave 127.0.0.1:N1";
        self.end_scene(&[
            (LEADER, "+switch-master", "N0"),
            (LEADER, "+failover-end", ""),
            (LEADER, "+slave", old),
            (OBSERVER, "+switch-master", "N0"),
            (OBSERVER, "+slave", old),
        ]);
        self.lab.wait_until_following(0, self.node(0)).unwrap();
        self.lab.wait_until_roles_are_known(self.node(0)).unwrap();
        self.end_scene(&[]);
    }

    fn sentinel_moves(&mut self) {
        self.lab.wait_until_settled().unwrap();
        let mut ports = PortBlock::claim().unwrap();
        let port = ports.take().unwrap();
        self.mask.add(port, "S2b");
        self.lab.sentinels[2].process().kill();
        let about = "sentinel id-2";
        self.end_scene(&[(LEADER, "+sdown", about), (OBSERVER, "+sdown", about)]);
        self.lab.sentinels[2].move_to(port).unwrap();
        self.lab.sentinels[2].wait_until_ready().unwrap();
        let moved = "+sentinel-address-switch";
        self.end_scene(&[(LEADER, moved, "S2b"), (OBSERVER, moved, "S2b")]);
        self.lab.wait_until_settled().unwrap();
        self.end_scene(&[]);
    }

    fn master_is_removed_and_monitored(&mut self) {
        self.order(LEADER, &["SENTINEL", "REMOVE", MASTER]);
        self.end_scene(&[(LEADER, "-monitor", "")]);
        let port = self.node(0).to_string();
        self.order(LEADER, &["SENTINEL", "MONITOR", MASTER, "127.0.0.1", &port, "2"]);
        self.lab.wait_until_settled().unwrap();
        self.end_scene(&[(LEADER, "+monitor", ""), (LEADER, "+sentinel", "id-2")]);
    }

    fn master_is_reset(&mut self) {
        self.order(LEADER, &["SENTINEL", "RESET", "my*"]);
        self.lab.wait_until_settled().unwrap();
        self.end_scene(&[(LEADER, "+reset-master", ""), (LEADER, "+sentinel", "id-2")]);
    }
}

fn lines(events: &[Event], mask: &Mask) -> Vec<Line> {
    let line = |event: &Event| match &event.saying {
        Saying::Message { channel, payload } => {
            Some(Line::new(NAMES[event.sentinel], channel, &mask.apply(payload)))
        }
        Saying::Address { .. } => None,
    };
    events.iter().filter_map(line).collect()
}
