//! The group as a model that can be explored.

use stateright::{Model, Property};
use vedette_core::{Rule, Rules, Worth};

use crate::moves::Move;
use crate::sentinel::{Failover, MASTERS, Number, Renumbering, SENTINELS, Sentinel, Who, worth};

/// The property that two leaders of one failover epoch break (spec: holes H2).
pub const ONE_ADDRESS: &str = "one address per config epoch";

/// Epochs that anything is remembered of.
const EPOCHS: usize = 4;

/// How far the exploration goes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Masters watched: 1 or 2.
    pub masters: usize,
    /// The last epoch that is opened: 1 to 3.
    pub last_epoch: u8,
    /// Candidacies of one Sentinel for one master; none: as many as there are epochs.
    pub candidacies: Option<u8>,
    /// How Sentinels crash.
    pub crashes: Crashes,
}

/// How Sentinels crash; whatever was not saved is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crashes {
    /// They do not.
    Never,
    /// At any moment.
    Plain,
    /// And some forget whom their vote was for.
    Forgetful,
}

/// A group of three Sentinels that keep these rules.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// How far to go.
    pub bounds: Bounds,
    /// The rules of the core that they keep.
    pub rules: Rules,
}

/// A set of Sentinels.
type Set = u8;

/// The group at one moment, and what must be remembered to judge it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct World {
    sentinels: [Sentinel; SENTINELS],
    /// Who ever asked for votes in which epoch: such a question may come in at any later time.
    asked: [[Set; EPOCHS]; MASTERS],
    /// Whose replicas were ever announced under which epoch: nothing announced is forgotten.
    announced: [[Set; EPOCHS]; MASTERS],
    /// Who was ever elected in which epoch.
    winners: [[Set; EPOCHS]; MASTERS],
    /// A vote on a disk was replaced by another one in the same epoch, or an older one.
    changed_its_vote: bool,
}

fn has_at_most_one(set: Set) -> bool {
    set.count_ones() <= 1
}

impl World {
    fn who(number: usize) -> Who {
        Who::try_from(number).unwrap_or(Who::MAX)
    }

    /// Questions leave as soon as they may.
    fn send_questions(&mut self, rules: Rules) {
        for (number, sentinel) in self.sentinels.iter().enumerate() {
            for (master, asked) in self.asked.iter_mut().enumerate() {
                if let Some(epoch) = sentinel.question(master, rules) {
                    asked[usize::from(epoch)] |= 1 << number;
                }
            }
        }
    }

    fn question(&mut self, to: usize, from: Who, master: usize, at: Number, rules: Rules) {
        let told = self.sentinels[to].asked(from, master, at, rules);
        let asker = &mut self.sentinels[usize::from(from)];
        let Failover::Candidate { epoch: mine, .. } = asker.failovers[master] else { return };
        // Any other answer elects nobody; giving up because of it is a move of its own.
        let counts = worth(told, from, mine, asker.memory.current, rules) == Worth::Mine;
        if counts || !rules.keeps(Rule::S5) {
            asker.coming[master][to] = Some(told);
        }
    }

    fn promote(&mut self, who: usize, master: usize) {
        let sentinel = &mut self.sentinels[who];
        let Failover::Leader { epoch } = sentinel.failovers[master] else { return };
        sentinel.memory.configs[master] = (epoch, Some(Self::who(who)));
        sentinel.end_failover(master);
        self.save(who);
        self.announced[master][usize::from(epoch)] |= 1 << who;
    }

    fn save(&mut self, who: usize) {
        let sentinel = &mut self.sentinels[who];
        for (old, new) in sentinel.disk.votes.iter().zip(&sentinel.memory.votes) {
            let other = old.leader.is_some() && new.leader != old.leader;
            self.changed_its_vote |= new.epoch < old.epoch || (new.epoch == old.epoch && other);
        }
        sentinel.disk = sentinel.memory;
    }

    fn crash(&mut self, who: usize) {
        self.sentinels[who].crash();
    }
}

impl World {
    /// The same group, its Sentinels numbered otherwise: the smallest of all numberings.
    #[must_use]
    pub fn representative(&self) -> Self {
        let all = Renumbering::ALL.map(|renumbering| self.renumbered(renumbering));
        all.into_iter().min().unwrap_or(*self)
    }

    fn renumbered(&self, to: Renumbering) -> Self {
        let set = |set: Set| {
            let members = (0..SENTINELS).filter(|who| set & (1 << who) != 0);
            members.fold(0, |set, who| set | 1 << to.place(who))
        };
        let sets = |sets: [[Set; EPOCHS]; MASTERS]| sets.map(|row| row.map(set));
        let mut world = Self {
            sentinels: self.sentinels,
            asked: sets(self.asked),
            announced: sets(self.announced),
            winners: sets(self.winners),
            changed_its_vote: self.changed_its_vote,
        };
        for (who, sentinel) in self.sentinels.into_iter().enumerate() {
            world.sentinels[to.place(who)] = to.sentinel(sentinel);
        }
        world
    }
}

impl Group {
    fn moves_of(&self, world: &World, who: usize, moves: &mut Vec<Move>) {
        let sentinel = &world.sentinels[who];
        if sentinel.memory != sentinel.disk {
            moves.push(Move::Save(who));
        }
        let idle = Sentinel { memory: sentinel.disk, disk: sentinel.disk, ..Sentinel::default() };
        let fresh = Sentinel { candidacies: sentinel.candidacies, ..idle };
        if self.bounds.crashes != Crashes::Never && *sentinel != fresh {
            moves.push(Move::Crash(who));
        }
        let told = sentinel.disk.votes.iter().any(|vote| vote.leader.is_some());
        if self.bounds.crashes == Crashes::Forgetful && told {
            moves.push(Move::CrashForgetful(who));
        }
        for from in (0..SENTINELS).filter(|from| *from != who) {
            if world.sentinels[from].disk.current > sentinel.memory.current {
                moves.push(Move::CurrentEpoch { to: who, from });
            }
        }
        for master in 0..self.bounds.masters {
            self.moves_for(world, who, master, moves);
        }
    }

    fn moves_for(&self, world: &World, who: usize, master: usize, moves: &mut Vec<Move>) {
        let sentinel = &world.sentinels[who];
        match sentinel.failovers[master] {
            Failover::None => {
                let opens = sentinel.next_epoch(master, self.rules);
                let near = opens.is_some_and(|epoch| epoch <= self.bounds.last_epoch);
                let more =
                    self.bounds.candidacies.is_none_or(|most| sentinel.candidacies[master] < most);
                if near && more {
                    moves.push(Move::Stand { who, master });
                }
            }
            Failover::Candidate { .. } => moves.push(Move::GiveUp { who, master }),
            Failover::Leader { .. } => {
                moves.push(Move::GiveUp { who, master });
                moves.push(Move::Promote { who, master });
            }
        }
        for from in (0..SENTINELS).filter(|from| sentinel.coming[master][*from].is_some()) {
            moves.push(Move::Answer { to: who, from, master });
        }
        for number in 1..=self.bounds.last_epoch {
            let others = |set: Set| (0..SENTINELS).filter(move |from| set & (1 << from) != 0);
            let epoch = usize::from(number);
            for from in others(world.asked[master][epoch]).filter(|from| *from != who) {
                let from = World::who(from);
                moves.push(Move::Question { to: who, from, master, epoch: number });
            }
            if number > sentinel.memory.configs[master].0 {
                for named in others(world.announced[master][epoch]) {
                    let named = World::who(named);
                    moves.push(Move::Configuration { to: who, master, epoch: number, named });
                }
            }
        }
    }
}

impl Model for Group {
    type State = World;
    type Action = Move;

    fn init_states(&self) -> Vec<World> {
        vec![World::default()]
    }

    fn actions(&self, world: &World, moves: &mut Vec<Move>) {
        for who in 0..SENTINELS {
            self.moves_of(world, who, moves);
        }
    }

    fn next_state(&self, last: &World, step: Move) -> Option<World> {
        let mut world = *last;
        match step {
            Move::Stand { who, master } => {
                let epoch = world.sentinels[who].next_epoch(master, self.rules)?;
                world.sentinels[who].stand(World::who(who), master, epoch);
                if self.bounds.candidacies.is_some() {
                    world.sentinels[who].candidacies[master] += 1;
                }
            }
            Move::Save(who) => world.save(who),
            Move::Crash(who) => world.crash(who),
            Move::CrashForgetful(who) => {
                let votes = &mut world.sentinels[who].disk.votes;
                votes.iter_mut().for_each(|vote| vote.leader = None);
                world.crash(who);
            }
            Move::Question { to, from, master, epoch } => {
                world.question(to, from, master, epoch, self.rules);
            }
            Move::Answer { to, from, master } => {
                let sentinel = &mut world.sentinels[to];
                if sentinel.answered(World::who(to), master, from, self.rules)
                    && let Failover::Leader { epoch } = sentinel.failovers[master]
                {
                    world.winners[master][usize::from(epoch)] |= 1 << to;
                }
            }
            Move::GiveUp { who, master } => world.sentinels[who].end_failover(master),
            Move::Promote { who, master } => world.promote(who, master),
            Move::Configuration { to, master, epoch, named } => {
                world.sentinels[to].hear(master, (epoch, Some(named)));
            }
            Move::CurrentEpoch { to, from } => {
                let heard = world.sentinels[from].disk.current;
                let current = &mut world.sentinels[to].memory.current;
                *current = heard.max(*current);
            }
        }
        world.send_questions(self.rules);
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one vote per master and epoch", |_, world: &World| {
                !world.changed_its_vote
            }),
            Property::always("one leader per master and epoch", |_, world: &World| {
                world.winners.iter().flatten().all(|set| has_at_most_one(*set))
            }),
            Property::always(ONE_ADDRESS, |_, world: &World| {
                world.announced.iter().flatten().all(|set| has_at_most_one(*set))
            }),
            Property::sometimes("somebody is elected", |_, world: &World| {
                world.winners.iter().flatten().any(|set| *set != 0)
            }),
            Property::sometimes("leaders in successive epochs", |group: &Self, world: &World| {
                group.bounds.last_epoch < 2
                    || world.winners.iter().any(|sets| {
                        let two = |pair: &[Set]| pair[0] != 0 && pair[1] != 0 && pair[0] != pair[1];
                        sets.windows(2).any(two)
                    })
            }),
        ]
    }
}
