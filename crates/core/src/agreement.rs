//! The pure heart of agreement: who may open which epoch, which vote may be given, what an answer
//! is worth, who is elected, which configuration wins (rules S4, S5, V1, F2, A1; spec: behaviour
//! 9.3, 9.5). The core decides with these functions, and the exhaustive model explores them.

use alloc::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ident::{Epoch, SentinelId};
use crate::rules::{Rule, Rules};

/// The epochs that a Sentinel knows of one master, and its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epochs {
    /// The highest epoch of the whole process.
    pub current: Epoch,
    /// Of the last vote for this master.
    pub leader: Epoch,
    /// Of this master's configuration.
    pub config: Epoch,
}

impl Epochs {
    /// The epoch of a candidacy that starts now (rule S4): none once epochs are exhausted. `shared`
    /// is one that another master opened in the same turn.
    #[must_use]
    pub fn to_open(self, shared: Option<Epoch>, rules: Rules) -> Option<Epoch> {
        if !rules.keeps(Rule::S4) {
            return self.current.next();
        }
        let spent = self.leader.max(self.config);
        match shared {
            Some(shared) if shared > spent && shared == self.current => Some(shared),
            Some(_) | None => self.current.max(spent).next(),
        }
    }

    /// The epoch of a candidate's question (rule S5): that of its failover.
    #[must_use]
    pub fn to_ask(self, failover: Epoch, rules: Rules) -> Epoch {
        if rules.keeps(Rule::S5) { failover } else { self.current }
    }

    /// Whether a vote in `epoch` may be given (rule V1). [`Epochs::current`] has heard of `epoch`
    /// already; it does not veto.
    #[must_use]
    pub fn allow_vote(self, epoch: Epoch, rules: Rules) -> bool {
        if !rules.keeps(Rule::V1) {
            return epoch > self.leader && epoch >= self.current;
        }
        epoch > self.leader && epoch > self.config
    }

    /// Whether a configuration with this epoch is adopted (rule A1).
    #[must_use]
    pub fn adopt(self, config: Epoch) -> bool {
        config > self.config
    }
}

/// What a member told of its last vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Told {
    /// Whom it was for, if it says so.
    pub leader: Option<SentinelId>,
    /// Its epoch.
    pub epoch: Epoch,
}

/// What a member's answer is worth to a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Worth {
    /// Its vote is older: the one at our epoch may not be durable yet.
    Early,
    /// A vote for us.
    Mine,
    /// A vote for another id, at our epoch.
    For(SentinelId),
    /// It is in a later epoch.
    Later,
}

impl Told {
    /// What this is worth to `me`, a candidate at `epoch` whose process is at `current` (rule S5).
    #[must_use]
    pub fn worth(self, me: SentinelId, epoch: Epoch, current: Epoch, rules: Rules) -> Worth {
        let counted = if rules.keeps(Rule::S5) { epoch } else { current };
        match self.leader {
            _ if self.epoch > counted => Worth::Later,
            _ if self.epoch < counted => Worth::Early,
            Some(leader) if leader == me => Worth::Mine,
            Some(leader) => Worth::For(leader),
            None => Worth::Later,
        }
    }
}

/// Votes that elect, and members that must answer: the majority of all `voters` known, oneself
/// included, and the quorum.
#[must_use]
pub fn enough(voters: u32, quorum: u32) -> u32 {
    (voters / 2 + 1).max(quorum)
}

/// Where a member stands in a candidacy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Position {
    /// Voted for us.
    Mine,
    /// Voted for another id.
    For(SentinelId),
    /// It is in a later epoch.
    Later,
    /// Silent, down or unlinked: a refusal for as long as that lasts.
    Refused,
    /// May still vote for us.
    Open,
}

/// The votes at one epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    mine: u32,
    open: u32,
    contested: bool,
    others: BTreeMap<SentinelId, u32>,
}

impl Count {
    /// With the own vote alone.
    #[must_use]
    pub fn own_vote() -> Self {
        Self { mine: 1, ..Self::default() }
    }

    /// Adds a member.
    pub fn add(&mut self, position: Position) {
        match position {
            Position::Mine => self.mine += 1,
            Position::For(id) => {
                *self.others.entry(id).or_default() += 1;
                self.contested = true;
            }
            Position::Later => self.contested = true,
            Position::Refused => {}
            Position::Open => self.open += 1,
        }
    }

    /// Enough votes are ours.
    #[must_use]
    pub fn is_elected(&self, enough: u32) -> bool {
        self.mine >= enough
    }

    /// Enough votes can still be ours.
    #[must_use]
    pub fn can_be_elected(&self, enough: u32) -> bool {
        self.mine + self.open >= enough
    }

    /// Somebody voted for another id or has a later vote.
    #[must_use]
    pub fn is_contested(&self) -> bool {
        self.contested
    }

    /// Somebody may still answer.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open > 0
    }

    /// Another id that has, or with the members still to answer can have, enough votes.
    #[must_use]
    pub fn possible_winner(&self, enough: u32) -> Option<SentinelId> {
        let winner = self.others.iter().max_by_key(|(_, votes)| **votes)?;
        (winner.1 + self.open >= enough).then_some(*winner.0)
    }

    /// Another id has enough votes.
    #[must_use]
    pub fn is_lost(&self, enough: u32) -> bool {
        self.others.values().any(|votes| *votes >= enough)
    }
}
