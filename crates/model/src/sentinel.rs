//! One Sentinel: what it knows, and what of it is on its disk.

use vedette_core::{Count, Epoch, Epochs, Position, Rule, Rules, SentinelId, Told, Worth, enough};

/// Sentinels of a group.
pub(crate) const SENTINELS: usize = 3;
/// Masters at most.
pub(crate) const MASTERS: usize = 2;
/// Opinions that make a master objectively down.
const QUORUM: u32 = 2;

/// A Sentinel's number; as a leader it names the replica that it promotes, too.
pub(crate) type Who = u8;
/// An epoch; three are enough to go wrong.
pub(crate) type Number = u8;

/// The core's spelling of an epoch.
pub(crate) fn epoch(number: Number) -> Epoch {
    Epoch::new(number.into()).unwrap_or_default()
}

fn number(epoch: Epoch) -> Number {
    Number::try_from(epoch.get()).unwrap_or(Number::MAX)
}

/// The core's spelling of a Sentinel.
pub(crate) fn id(who: Who) -> SentinelId {
    SentinelId::from_random([who; 20])
}

/// A vote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Vote {
    /// For whom; a restart may forget it.
    pub(crate) leader: Option<Who>,
    pub(crate) epoch: Number,
}

/// What survives a crash, if it was saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Facts {
    pub(crate) current: Number,
    pub(crate) votes: [Vote; MASTERS],
    /// The epoch of each configuration, and whose replica it names; nobody's is the first one.
    pub(crate) configs: [(Number, Option<Who>); MASTERS],
}

/// A failover of a master, as far as this Sentinel is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Failover {
    #[default]
    None,
    Candidate {
        epoch: Number,
        /// The last answer of each member.
        told: [Option<Vote>; SENTINELS],
    },
    Leader {
        epoch: Number,
    },
}

/// A Sentinel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Sentinel {
    pub(crate) memory: Facts,
    pub(crate) disk: Facts,
    pub(crate) failovers: [Failover; MASTERS],
    /// Answers on their way to it, by master and sender.
    pub(crate) coming: [[Option<Vote>; SENTINELS]; MASTERS],
    /// Candidacies that it began.
    pub(crate) candidacies: [u8; MASTERS],
}

impl Sentinel {
    fn epochs(&self, master: usize) -> Epochs {
        let facts = &self.memory;
        Epochs {
            current: epoch(facts.current),
            leader: epoch(facts.votes[master].epoch),
            config: epoch(facts.configs[master].0),
        }
    }

    /// The epoch that a candidacy would open now (rule S4).
    pub(crate) fn next_epoch(&self, master: usize, rules: Rules) -> Option<Number> {
        self.epochs(master).to_open(None, rules).map(number)
    }

    /// Opens an epoch with its own vote.
    pub(crate) fn stand(&mut self, me: Who, master: usize, epoch: Number) {
        self.memory.current = self.memory.current.max(epoch);
        self.memory.votes[master] = Vote { leader: Some(me), epoch };
        self.failovers[master] = Failover::Candidate { epoch, told: [None; SENTINELS] };
        self.coming[master] = [None; SENTINELS];
    }

    /// The epoch in which it may ask for votes now (rules S5, V3): the failover's own, once its
    /// own vote in it is on disk.
    pub(crate) fn question(&self, master: usize, rules: Rules) -> Option<Number> {
        let Failover::Candidate { epoch: mine, .. } = self.failovers[master] else { return None };
        let durable = self.disk.votes[master].epoch >= mine || !rules.keeps(Rule::V3);
        let asked = self.epochs(master).to_ask(epoch(mine), rules);
        durable.then_some(number(asked))
    }

    /// Takes a vote request in; the answer is what it tells of its vote (rules V1, V3, V6, V7).
    pub(crate) fn asked(&mut self, from: Who, master: usize, at: Number, rules: Rules) -> Vote {
        self.memory.current = self.memory.current.max(at);
        let works = matches!(self.failovers[master], Failover::Leader { .. });
        let free = !works || !rules.keeps(Rule::V7);
        if free && self.epochs(master).allow_vote(epoch(at), rules) {
            self.memory.votes[master] = Vote { leader: Some(from), epoch: at };
            if !works && rules.keeps(Rule::V6) {
                self.end_failover(master);
            }
        }
        let facts = if rules.keeps(Rule::V3) { &self.disk } else { &self.memory };
        facts.votes[master]
    }

    /// An answer has come; says whether it elects.
    pub(crate) fn answered(&mut self, me: Who, master: usize, by: usize, rules: Rules) -> bool {
        let Some(answer) = self.coming[master][by].take() else { return false };
        self.memory.current = self.memory.current.max(answer.epoch);
        let Failover::Candidate { epoch: mine, mut told } = self.failovers[master] else {
            return false;
        };
        told[by] = Some(answer);
        self.failovers[master] = Failover::Candidate { epoch: mine, told };
        let elected = self.count(me, master, mine, &told, rules);
        if elected {
            self.failovers[master] = Failover::Leader { epoch: mine };
            self.coming[master] = [None; SENTINELS];
        }
        elected
    }

    fn count(
        &self,
        me: Who,
        master: usize,
        mine: Number,
        told: &[Option<Vote>; SENTINELS],
        rules: Rules,
    ) -> bool {
        let own = self.memory.votes[master] == Vote { leader: Some(me), epoch: mine };
        let mut count = if own { Count::own_vote() } else { Count::default() };
        for told in told.iter().flatten() {
            let worth = worth(*told, me, mine, self.memory.current, rules);
            count.add(match worth {
                Worth::Mine => Position::Mine,
                Worth::For(other) => Position::For(other),
                Worth::Later => Position::Later,
                Worth::Early => Position::Open,
            });
        }
        let voters = u32::try_from(SENTINELS).unwrap_or(u32::MAX);
        count.is_elected(enough(voters, QUORUM))
    }

    /// A configuration is heard; the newer one is adopted and ends the own failover (rules A1, L2).
    pub(crate) fn hear(&mut self, master: usize, config: (Number, Option<Who>)) -> bool {
        let newer = self.epochs(master).adopt(epoch(config.0));
        if newer {
            self.memory.configs[master] = config;
            self.end_failover(master);
        }
        newer
    }

    pub(crate) fn end_failover(&mut self, master: usize) {
        self.failovers[master] = Failover::None;
        self.coming[master] = [None; SENTINELS];
    }

    /// The process dies and is started again from its disk.
    pub(crate) fn crash(&mut self) {
        let candidacies = self.candidacies;
        *self = Self { memory: self.disk, disk: self.disk, candidacies, ..Self::default() };
    }
}

/// What an answer is worth to a candidate.
pub(crate) fn worth(told: Vote, me: Who, mine: Number, current: Number, rules: Rules) -> Worth {
    let told = Told { leader: told.leader.map(id), epoch: epoch(told.epoch) };
    told.worth(id(me), epoch(mine), epoch(current), rules)
}

/// Another numbering of the Sentinels: the group is the same under each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renumbering(pub(crate) [Who; SENTINELS]);

impl Renumbering {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self([0, 1, 2]),
        Self([0, 2, 1]),
        Self([1, 0, 2]),
        Self([1, 2, 0]),
        Self([2, 0, 1]),
        Self([2, 1, 0]),
    ];

    pub(crate) fn who(self, who: Who) -> Who {
        self.0[usize::from(who)]
    }

    pub(crate) fn place(self, place: usize) -> usize {
        usize::from(self.0[place])
    }

    fn vote(self, vote: Vote) -> Vote {
        Vote { leader: vote.leader.map(|leader| self.who(leader)), ..vote }
    }

    fn row(self, row: [Option<Vote>; SENTINELS]) -> [Option<Vote>; SENTINELS] {
        let mut renumbered = [None; SENTINELS];
        for (place, vote) in row.into_iter().enumerate() {
            renumbered[self.place(place)] = vote.map(|vote| self.vote(vote));
        }
        renumbered
    }

    fn facts(self, facts: Facts) -> Facts {
        Facts {
            votes: facts.votes.map(|vote| self.vote(vote)),
            configs: facts.configs.map(|(epoch, named)| (epoch, named.map(|who| self.who(who)))),
            ..facts
        }
    }

    pub(crate) fn sentinel(self, sentinel: Sentinel) -> Sentinel {
        let failover = |failover| match failover {
            Failover::Candidate { epoch, told } => {
                Failover::Candidate { epoch, told: self.row(told) }
            }
            Failover::None | Failover::Leader { .. } => failover,
        };
        Sentinel {
            memory: self.facts(sentinel.memory),
            disk: self.facts(sentinel.disk),
            failovers: sentinel.failovers.map(failover),
            coming: sentinel.coming.map(|row| self.row(row)),
            ..sentinel
        }
    }
}
