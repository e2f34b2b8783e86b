//! A client that writes as client libraries do: ask a Sentinel, connect, check the role, write; ask
//! again whenever something is odd.

use std::net::SocketAddr;

use vedette_resp::Frame;

use super::{Deed, News, address_in, is_role, words};
use crate::random::Random;

/// Longest wait for anything.
const PATIENCE_MS: u64 = 1_000;
/// Pause before asking again.
const PAUSE_MS: (u64, u64) = (50, 250);
/// Between two writes.
const PACE_MS: u64 = 250;
/// A write that long ago says nothing about now.
const RECENT_MS: u64 = 2_500;

/// No longer does it stay on a master that was demoted: a late answer about its role, the pause
/// before a write, and the answer to that.
pub(crate) const STAY_MS: u64 = PATIENCE_MS + PACE_MS + PATIENCE_MS;

/// A writing client.
pub(crate) struct Writer {
    master: String,
    key: String,
    sentinels: usize,
    /// Whom to ask next.
    next: usize,
    stage: Stage,
    acknowledged: Option<(SocketAddr, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Resting,
    Asking,
    Checking(SocketAddr),
    Writing(SocketAddr),
    /// Between two writes.
    Idle(SocketAddr),
}

impl Writer {
    pub(super) fn new(master: &str, sentinels: usize, number: usize) -> Self {
        Self {
            master: master.to_owned(),
            key: format!("counter{number}"),
            sentinels,
            next: number,
            stage: Stage::Resting,
            acknowledged: None,
        }
    }

    pub(super) fn master(&self) -> &str {
        &self.master
    }

    pub(super) fn writes_to(&self, now_ms: u64) -> Option<SocketAddr> {
        let (at, when) = self.acknowledged?;
        (now_ms - when < RECENT_MS).then_some(at)
    }

    /// The node that it takes for the master and stays with.
    pub(super) fn stays_on(&self) -> Option<SocketAddr> {
        match self.stage {
            Stage::Writing(at) | Stage::Idle(at) => Some(at),
            Stage::Resting | Stage::Asking | Stage::Checking(_) => None,
        }
    }

    pub(super) fn hear(
        &mut self,
        now_ms: u64,
        news: News<Frame>,
        random: &mut Random,
    ) -> Vec<Deed> {
        match (news, self.stage) {
            (News::MasterMoved(to), stage) if stage.address() != Some(to) => self.go_to(to),
            (News::MasterMoved(_), _) => Vec::new(),
            (News::Alarm, Stage::Resting) => self.ask(),
            (News::Alarm, Stage::Idle(at)) => self.write(at),
            (News::Connected, Stage::Asking) => {
                vec![Deed::Send(words(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &self.master]))]
            }
            (News::Connected, Stage::Checking(_)) => vec![Deed::Send(words(&["ROLE"]))],
            (News::Received(frame), Stage::Asking) => match address_in(&frame) {
                Some(to) => self.go_to(to),
                None => self.rest(random),
            },
            (News::Received(frame), Stage::Checking(at)) => {
                if is_role(&frame, "master") {
                    self.write(at)
                } else {
                    self.rest(random)
                }
            }
            (News::Received(Frame::Integer(_)), Stage::Writing(at)) => {
                self.acknowledged = Some((at, now_ms));
                self.stage = Stage::Idle(at);
                vec![Deed::Acknowledged, Deed::Wake { in_ms: PACE_MS }]
            }
            (News::Connected | News::Received(_), Stage::Resting | Stage::Idle(_))
            | (News::Connected, Stage::Writing(_)) => Vec::new(),
            (News::Alarm | News::Lost | News::Received(_), _) => self.rest(random),
        }
    }

    fn ask(&mut self) -> Vec<Deed> {
        self.stage = Stage::Asking;
        self.next = (self.next + 1) % self.sentinels;
        vec![Deed::AskSentinel(self.next), Deed::Wake { in_ms: PATIENCE_MS }]
    }

    fn go_to(&mut self, to: SocketAddr) -> Vec<Deed> {
        self.stage = Stage::Checking(to);
        vec![Deed::Connect(to), Deed::Wake { in_ms: PATIENCE_MS }]
    }

    fn write(&mut self, at: SocketAddr) -> Vec<Deed> {
        self.stage = Stage::Writing(at);
        let line = words(&["INCR", &self.key]);
        vec![Deed::Send(line), Deed::Wake { in_ms: PATIENCE_MS }]
    }

    fn rest(&mut self, random: &mut Random) -> Vec<Deed> {
        self.stage = Stage::Resting;
        let in_ms = random.between(PAUSE_MS.0, PAUSE_MS.1);
        vec![Deed::HangUp, Deed::Wake { in_ms }]
    }
}

impl Stage {
    fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Resting | Self::Asking => None,
            Self::Checking(at) | Self::Writing(at) | Self::Idle(at) => Some(at),
        }
    }
}
