//! The part of a client library that waits for `+switch-master`.

use vedette_resp::Frame;

use super::{Deed, News, SWITCH_MASTER, address, texts, words};
use crate::random::Random;
use crate::world::AppIndex;

/// A Sentinel that says nothing for so long is asked whether it is there.
const QUIET_MS: u64 = 5_000;
/// Longest wait for an answer.
const PATIENCE_MS: u64 = 1_000;

/// A subscriber that moves a writer.
pub(crate) struct Listener {
    master: String,
    sentinels: usize,
    next: usize,
    writer: AppIndex,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Resting,
    Connecting,
    Listening,
    /// Asked whether the Sentinel is there.
    Doubting,
}

impl Listener {
    pub(super) fn new(master: &str, sentinels: usize, number: usize, writer: AppIndex) -> Self {
        let master = master.to_owned();
        Self { master, sentinels, next: number, writer, stage: Stage::Resting }
    }

    pub(super) fn hear(&mut self, news: News<Frame>, random: &mut Random) -> Vec<Deed> {
        match (news, self.stage) {
            (News::Alarm, Stage::Resting) => {
                self.stage = Stage::Connecting;
                self.next = (self.next + 1) % self.sentinels;
                vec![Deed::AskSentinel(self.next), Deed::Wake { in_ms: PATIENCE_MS }]
            }
            (News::Connected, _) => vec![Deed::Send(words(&["SUBSCRIBE", SWITCH_MASTER]))],
            (News::Alarm, Stage::Listening) => {
                self.stage = Stage::Doubting;
                vec![Deed::Send(words(&["PING"])), Deed::Wake { in_ms: PATIENCE_MS }]
            }
            (News::Received(frame), _) => {
                self.stage = Stage::Listening;
                let mut deeds = vec![Deed::Wake { in_ms: QUIET_MS }];
                deeds.extend(self.moved(&frame));
                deeds
            }
            (News::Alarm, Stage::Connecting | Stage::Doubting) | (News::Lost, _) => {
                self.stage = Stage::Resting;
                vec![Deed::HangUp, Deed::Wake { in_ms: random.between(20, 200) }]
            }
            (News::MasterMoved(_), _) => Vec::new(),
        }
    }

    fn moved(&self, frame: &Frame) -> Option<Deed> {
        let message = texts(frame);
        let [kind, channel, payload] = message.as_slice() else { return None };
        let payload: Vec<&str> = payload.split(' ').collect();
        let [name, _, _, host, port] = payload[..] else { return None };
        if kind != "message" || channel != SWITCH_MASTER || name != self.master {
            return None;
        }
        address(host, port).map(|to| Deed::Move { app: self.writer, to })
    }
}
