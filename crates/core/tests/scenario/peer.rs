//! A fellow Sentinel as far as ours can tell: it has an opinion and one vote per epoch.

use std::net::SocketAddr;

use vedette_core::{Epoch, Opinion, SentinelId};

use super::names::sentinel_id;
use super::node::Life;
use super::parse::Command;

/// A fellow Sentinel.
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) socket: SocketAddr,
    pub(crate) life: Life,
    pub(crate) delay: u64,
    /// Says this whatever is true; none: what is true.
    pub(crate) says_down: Option<bool>,
    /// Its last durable vote.
    vote: (Option<SentinelId>, u64),
    /// A vote that is not durable before this moment.
    pending: Option<(SentinelId, u64, u64)>,
    grants: bool,
    /// How long its votes take to become durable.
    commit: u64,
}

impl Peer {
    pub(crate) fn new(name: &str, at: &str) -> Self {
        Self {
            name: name.to_owned(),
            socket: at.parse().expect("a numeric address"),
            life: Life::Well,
            delay: 1,
            says_down: None,
            vote: (None, 0),
            pending: None,
            grants: true,
            commit: 0,
        }
    }

    /// `key=value` settings.
    pub(crate) fn set(&mut self, command: &Command) {
        for (key, value) in command.pairs() {
            match key {
                "delay" => self.delay = command.parse(value),
                "says" => {
                    self.says_down = match value {
                        "down" => Some(true),
                        "up" => Some(false),
                        _ => None,
                    };
                }
                "grants" => self.grants = value == "yes",
                "commit" => self.commit = command.parse(value),
                "vote" => {
                    let (leader, epoch) = value.split_once('@').expect("vote=b@5");
                    self.vote = (Some(sentinel_id(leader)), command.parse(epoch));
                }
                "at" => self.socket = command.parse(value),
                other => panic!("line {}: a peer has no {other}", command.line),
            }
        }
    }

    /// The answer to a question, with a vote if one is wanted.
    pub(crate) fn answer(
        &mut self,
        now: u64,
        down: bool,
        epoch: Epoch,
        vote_for: Option<SentinelId>,
    ) -> Opinion {
        let down = self.says_down.unwrap_or(down);
        let Some(candidate) = vote_for else {
            return Opinion { down, leader: None, leader_epoch: Epoch::ZERO };
        };
        let latest = self.pending.map_or(self.vote.1, |(_, epoch, _)| epoch);
        if self.grants && epoch.get() > latest {
            self.pending = Some((candidate, epoch.get(), now + self.commit));
        }
        if let Some((leader, epoch, at)) = self.pending.filter(|(_, _, at)| *at <= now) {
            let _ = at;
            self.vote = (Some(leader), epoch);
        }
        let leader_epoch = Epoch::new(self.vote.1).expect("small epochs");
        Opinion { down, leader: self.vote.0, leader_epoch }
    }
}
