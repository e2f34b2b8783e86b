//! A client that reads as client libraries do: ask a Sentinel for replicas that are well, connect
//! to one of them, check its role, read; ask the next Sentinel from time to time, and whenever
//! something is odd. Without a replica it reads from the master.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use vedette_resp::Frame;

use super::{Deed, News, address, address_in, is_role, texts, words};
use crate::random::Random;

/// Longest wait for anything.
const PATIENCE_MS: u64 = 1_000;
/// Pause before asking again.
const PAUSE_MS: (u64, u64) = (50, 250);
/// Between two reads.
const PACE_MS: u64 = 500;
/// Reads before another Sentinel is asked.
const READS: u32 = 4;
/// A read that long ago says nothing about now: several Sentinels may lead astray meanwhile.
const RECENT_MS: u64 = 20_000;

/// A reading client.
pub(crate) struct Reader {
    master: String,
    sentinels: usize,
    /// Whom to ask next.
    next: usize,
    stage: Stage,
    /// When it last read from each node.
    read_at: BTreeMap<SocketAddr, u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Resting,
    /// For the replicas.
    Asking,
    /// For the master: there is no replica to read from.
    AskingAgain,
    /// What it was called.
    Checking(SocketAddr, &'static str),
    Reading(SocketAddr, u32),
    /// Between two reads, of which so many are left.
    Idle(SocketAddr, u32),
}

impl Reader {
    pub(super) fn new(master: &str, sentinels: usize, number: usize) -> Self {
        Self {
            master: master.to_owned(),
            sentinels,
            next: number,
            stage: Stage::Resting,
            read_at: BTreeMap::new(),
        }
    }

    pub(super) fn master(&self) -> &str {
        &self.master
    }

    /// The nodes that it has read from lately.
    pub(super) fn reads_from(&self, now_ms: u64) -> Vec<SocketAddr> {
        let recent = self.read_at.iter().filter(|(_, at_ms)| now_ms < **at_ms + RECENT_MS);
        recent.map(|(node, _)| *node).collect()
    }

    pub(super) fn forget_reads(&mut self) {
        self.read_at.clear();
    }

    pub(super) fn hear(
        &mut self,
        now_ms: u64,
        news: News<Frame>,
        random: &mut Random,
    ) -> Vec<Deed> {
        match (news, self.stage) {
            (News::MasterMoved(_), _) => Vec::new(),
            (News::Alarm, Stage::Resting | Stage::Idle(_, 0)) => self.ask(),
            (News::Alarm, Stage::Idle(at, left)) => self.read(at, left - 1),
            (News::Connected, Stage::Asking) => {
                vec![Deed::Send(words(&["SENTINEL", "REPLICAS", &self.master]))]
            }
            (News::Connected, Stage::Checking(..)) => vec![Deed::Send(words(&["ROLE"]))],
            (News::Received(frame), Stage::Asking) => match well_replicas(&frame).as_slice() {
                [] if frame.items().is_some() => self.ask_again(),
                [] => self.rest(random),
                replicas => self.go_to(random.pick(replicas), "slave"),
            },
            (News::Received(frame), Stage::AskingAgain) => match address_in(&frame) {
                Some(to) => self.go_to(to, "master"),
                None => self.rest(random),
            },
            (News::Received(frame), Stage::Checking(at, role)) => {
                if is_role(&frame, role) {
                    self.read(at, READS)
                } else {
                    self.rest(random)
                }
            }
            (News::Received(Frame::Bulk(_) | Frame::Null), Stage::Reading(at, left)) => {
                self.read_at.insert(at, now_ms);
                self.stage = Stage::Idle(at, left);
                vec![Deed::Wake { in_ms: PACE_MS }]
            }
            (News::Connected | News::Received(_), Stage::Resting | Stage::Idle(..))
            | (News::Connected, Stage::AskingAgain | Stage::Reading(..)) => Vec::new(),
            (News::Alarm | News::Lost | News::Received(_), _) => self.rest(random),
        }
    }

    fn ask(&mut self) -> Vec<Deed> {
        self.stage = Stage::Asking;
        self.next = (self.next + 1) % self.sentinels;
        vec![Deed::AskSentinel(self.next), Deed::Wake { in_ms: PATIENCE_MS }]
    }

    fn ask_again(&mut self) -> Vec<Deed> {
        self.stage = Stage::AskingAgain;
        let question = words(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &self.master]);
        vec![Deed::Send(question), Deed::Wake { in_ms: PATIENCE_MS }]
    }

    fn go_to(&mut self, to: SocketAddr, role: &'static str) -> Vec<Deed> {
        self.stage = Stage::Checking(to, role);
        vec![Deed::Connect(to), Deed::Wake { in_ms: PATIENCE_MS }]
    }

    fn read(&mut self, at: SocketAddr, left: u32) -> Vec<Deed> {
        self.stage = Stage::Reading(at, left);
        vec![Deed::Send(words(&["GET", "counter0"])), Deed::Wake { in_ms: PATIENCE_MS }]
    }

    fn rest(&mut self, random: &mut Random) -> Vec<Deed> {
        self.stage = Stage::Resting;
        let in_ms = random.between(PAUSE_MS.0, PAUSE_MS.1);
        vec![Deed::HangUp, Deed::Wake { in_ms }]
    }
}

/// The replicas in an answer that no flag speaks against, as libraries choose them.
fn well_replicas(frame: &Frame) -> Vec<SocketAddr> {
    let replicas = frame.items().unwrap_or_default().iter();
    let well = replicas.filter_map(|replica| {
        let texts = texts(replica);
        let field = |name: &str| {
            texts.chunks_exact(2).find(|pair| pair[0] == name).map(|pair| pair[1].as_str())
        };
        let mut flags = field("flags")?.split(',');
        let is_well = !flags.any(|flag| ["s_down", "o_down", "disconnected"].contains(&flag));
        address(field("ip")?, field("port")?).filter(|_| is_well)
    });
    well.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(port: &str, flags: &str) -> Frame {
        let texts = ["name", "r", "ip", "10.1.0.2", "port", port, "flags", flags];
        Frame::Array(texts.map(|text| Frame::bulk(text.to_owned())).to_vec())
    }

    /// What it connects to after this answer about replicas.
    fn goes_to(replicas: Vec<Frame>) -> Option<SocketAddr> {
        let mut reader = Reader::new("m0", 3, 0);
        let mut random = Random::stream(1, "test");
        reader.hear(0, News::Alarm, &mut random);
        reader.hear(0, News::Connected, &mut random);
        let deeds = reader.hear(0, News::Received(Frame::Array(replicas)), &mut random);
        deeds.iter().find_map(|deed| match deed {
            Deed::Connect(to) => Some(*to),
            Deed::AskSentinel(_)
            | Deed::Send(_)
            | Deed::HangUp
            | Deed::Wake { .. }
            | Deed::Move { .. }
            | Deed::Accuse { .. }
            | Deed::Reach(_)
            | Deed::Acknowledged => None,
        })
    }

    #[test]
    fn it_goes_to_a_replica_that_is_well() {
        let well = goes_to(vec![
            replica("1", "slave,s_down"),
            replica("2", "slave"),
            replica("3", "slave,disconnected"),
        ]);
        assert_eq!(well.map(|to| to.port()), Some(2));
        assert_eq!(goes_to(vec![replica("1", "slave,o_down")]), None);
        assert_eq!(goes_to(Vec::new()), None);
    }

    #[test]
    fn it_reads_from_no_master_that_was_called_a_replica() {
        for (role, goes_on) in [("slave", true), ("master", false)] {
            let mut reader = Reader::new("m0", 3, 0);
            reader.stage = Stage::Checking(SocketAddr::from(([10, 1, 0, 2], 6379)), "slave");
            let answer = Frame::Array(vec![Frame::bulk(role.to_owned())]);
            reader.hear(0, News::Received(answer), &mut Random::stream(1, "test"));
            assert_eq!(matches!(reader.stage, Stage::Reading(..)), goes_on, "{role}");
        }
    }

    #[test]
    fn what_it_read_long_ago_says_nothing() {
        let mut reader = Reader::new("m0", 3, 0);
        let at = SocketAddr::from(([10, 1, 0, 2], 6379));
        reader.stage = Stage::Reading(at, 1);
        reader.hear(7, News::Received(Frame::Null), &mut Random::stream(1, "test"));
        assert_eq!(reader.reads_from(7), [at]);
        assert!(reader.reads_from(7 + RECENT_MS).is_empty());
    }
}
