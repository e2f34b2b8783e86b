//! Plants each bug in turn, or turns each rule off: the first seed that finds it, and in how many
//! of the first seeds it is found. Started by `cargo xtask mutants`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use vedette_node::Fault;
use vedette_sim::{GroupPlan, Mutant, NodeIndex, Plan, Rule, Witness, World, run};

/// All bugs must be found within so many seeds.
const SEEDS: u64 = 2_000;
/// Without a rule nothing need be wrong; more seeds than this are seldom worth their time.
const SEEDS_WITHOUT_RULE: u64 = 100;
/// In how many of the first seeds a bug is found.
const COUNTED: u64 = 30;
/// Split elections among that many quiet groups of five; more are a bug.
const SPLITS_MAX: u64 = 1;

/// What is found, at which seed and by what. A change of what is drawn moves the seeds: hunt anew.
const KNOWN: &[(&str, u64, &str)] = &[
    ("VoteTwiceAfterRestart", 24, "one vote per master and epoch"),
    ("SkipTheGate", 1, DURABLE),
    ("SaveFailureIgnored", 10, DURABLE),
    ("UnsavedEpochTold", 1, DURABLE),
    ("PromotionBeforeSave", 1, DURABLE),
    ("OkBeforeSave", 1, DURABLE),
    ("SetShownBeforeSave", 1, DURABLE),
    ("QuorumOffByOne", 1, "ODOWN only with quorum fresh opinions"),
    ("ExpiredOpinions", 1, "ODOWN only with quorum fresh opinions"),
    ("OpinionsOutliveSwitch", 1, "ODOWN only with quorum fresh opinions"),
    ("MajorityOfReachable", 1, "one elected leader per master and epoch"),
    ("QuorumNotNeeded", 1, "one elected leader per master and epoch"),
    ("VotesOfOtherEpochs", 44, "one elected leader per master and epoch"),
    ("NoNewEpoch", 1, "one vote per master and epoch"),
    ("OlderConfiguration", 1, "epochs never go back"),
    ("StaleInfo", 1, "SLAVEOF only on fresh evidence"),
    ("PriorityZero", 1, "SLAVEOF only on fresh evidence"),
    ("TiltActs", 2, "TILT is passive"),
    ("OldMasterFollowed", 1, "nodes are told to follow the named master only"),
    ("FreshMasterDemoted", 1, "a fresh master is never demoted"),
    ("MisledAtSight", 9, "a misled replica is given its time"),
    ("NoFirstHello", 1, "a promotion is announced at once"),
    ("MayJudgeAlways", 10, "silence is judged only after reading"),
    ("ReturningMasterAtSight", 134, "a fresh master is never demoted"),
    ("ScriptTwice", 1, "a script runs once for an event"),
    ("SilentLeaderAwaited", 48, "a lost master is replaced in time"),
    ("LostCandidacyWaits", 11, "a lost master is replaced in time"),
    ("LongBackOff", 11, "a lost master is replaced in time"),
    ("NoReplicaNoHurry", 53, "a lost master is replaced in time"),
    ("LeaderHoldsOn", 9, "a lost master is replaced in time"),
    ("AskingStopsAtOdown", 19, "a lost master is replaced in time"),
    ("ForcedLeavesOldMaster", 49, "a lost master is left in time"),
    ("ConnectionsLeak", 1, "memory is bounded"),
    ("SecondPing", 1, "every queue is bounded"),
    ("S2", 1, "who stands may stand"),
    ("S6", 1, "who asks for votes stands, and is known"),
    ("V6", 5, "who asks for votes stands, and is known"),
    ("V7", 20, "votes are given to whom they may be given"),
    ("L4", 20, "the best replica is chosen"),
    ("L6", 1, "SLAVEOF and INFO leave together"),
    ("C1", 1, "one elected leader per master and epoch"),
];
const DURABLE: &str = "nothing of one's own is revealed before it is durable";

fn main() -> ExitCode {
    let mut wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut flag = |name: &str| {
        let before = wanted.len();
        wanted.retain(|word| word != name);
        wanted.len() < before
    };
    let (rules, ci) = (flag("--rules"), flag("--ci"));
    let bugs: Vec<Bug> = if rules { Bug::rules() } else { Bug::mutants() };
    let seeds = wanted.pop_if(|last| last.parse::<u64>().is_ok());
    let usual = if rules { SEEDS_WITHOUT_RULE } else { SEEDS };
    let seeds = seeds.and_then(|seeds| seeds.parse().ok()).unwrap_or(usual);
    std::panic::set_hook(Box::new(|_| {}));
    if ci {
        return find_known();
    }
    if let Some(name) = wanted.iter().find(|name| bugs.iter().all(|bug| bug.name() != **name)) {
        eprintln!("there is no {name}");
        return ExitCode::FAILURE;
    }
    let is_wanted = |bug: &&Bug| wanted.is_empty() || wanted.contains(&bug.name());
    let missed = hunt_all(bugs.iter().filter(is_wanted), seeds, wanted.len() == 1);
    println!("{missed} of them were not found");
    // A rule of pace alone shows nowhere but in its scenario.
    ExitCode::from(u8::from(missed > 0 && !rules))
}

/// Finds what is known to be found, each at one seed: an invariant that has stopped looking shows.
fn find_known() -> ExitCode {
    let bugs: Vec<Bug> = Bug::mutants().into_iter().chain(Bug::rules()).collect();
    let missing = |(name, seed, by): &&(&str, u64, &str)| {
        let bug = bugs.iter().find(|bug| bug.name() == *name);
        bug.and_then(|bug| bug.evidence(*seed)).is_none_or(|(found, _)| found != *by)
    };
    let missed: Vec<_> = KNOWN.iter().filter(missing).collect();
    missed.iter().for_each(|(name, seed, by)| {
        println!("{name} is not found at seed {seed} by \"{by}\"");
    });
    println!("{} of {} were found", KNOWN.len() - missed.len(), KNOWN.len());
    ExitCode::from(u8::from(!missed.is_empty()))
}

/// Hunts each; how many were not found. What shows them is told `aloud`, if it is but one.
fn hunt_all<'a>(bugs: impl Iterator<Item = &'a Bug>, seeds: u64, aloud: bool) -> u64 {
    let mut missed = 0;
    println!("{:<24} {:>6} {:>9}  by", "without or with", "first", "of first");
    for bug in bugs {
        let name = bug.name();
        let hunt = Hunt::go(bug, seeds, aloud);
        match hunt.first {
            Some((seed, by)) => {
                let counted = COUNTED.min(seeds);
                println!("{name:<24} {seed:>6} {:>4} / {counted:<2}  {by}", hunt.found);
            }
            None => {
                missed += 1;
                println!("{name:<24} {:>6} not within {seeds} seeds: {}", "-", bug.sentence());
            }
        }
    }
    missed
}

/// What is wrong.
#[derive(Clone, Copy)]
enum Bug {
    Planted(Mutant, &'static str),
    Without(Rule, &'static str, &'static str),
}

impl Bug {
    fn mutants() -> Vec<Self> {
        Mutant::ALL.iter().map(|(mutant, says)| Self::Planted(*mutant, says)).collect()
    }

    fn rules() -> Vec<Self> {
        Rule::ALL.iter().map(|(rule, name, says)| Self::Without(*rule, name, says)).collect()
    }

    fn name(&self) -> String {
        match self {
            Self::Planted(mutant, _) => format!("{mutant:?}"),
            Self::Without(_, name, _) => (*name).to_owned(),
        }
    }

    fn sentence(&self) -> &'static str {
        match self {
            Self::Planted(_, sentence) | Self::Without(_, _, sentence) => sentence,
        }
    }

    /// By what a seed finds it.
    fn evidence(&self, seed: u64) -> Option<(&'static str, String)> {
        let mut plan = Plan::draw(seed);
        match self {
            Self::Planted(mutant, _) => Mutant::plant(Some(*mutant)),
            Self::Without(rule, ..) => plan.without = Some(*rule),
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| run(plan, Witness::strict())));
        Mutant::plant(None);
        match &outcome {
            Ok(outcome) => {
                let violation = outcome.violation.as_ref();
                violation.map(|found| (found.invariant, found.evidence.clone()))
            }
            Err(_) => Some(("a panic", String::new())),
        }
    }
}

/// What came of a hunt.
#[derive(Default)]
struct Hunt {
    /// The first seed that finds the bug, and by what.
    first: Option<(u64, &'static str)>,
    /// How many of the counted seeds find it.
    found: u64,
}

impl Hunt {
    /// Runs the counted seeds, and more if none of them finds the bug.
    fn go(bug: &Bug, seeds: u64, aloud: bool) -> Self {
        let mut hunt = Self::default();
        for seed in 1..=seeds {
            if let Some((by, evidence)) = bug.evidence(seed) {
                if aloud {
                    println!("seed {seed}: {by}: {evidence}");
                }
                hunt.first.get_or_insert((seed, by));
                hunt.found += u64::from(seed <= COUNTED);
            }
            if seed == COUNTED.min(seeds) {
                hunt.count_splits(bug);
            }
            if seed >= COUNTED && hunt.first.is_some() {
                break;
            }
        }
        hunt
    }

    /// What no single run can show: without other faults elections are seldom split.
    fn count_splits(&mut self, bug: &Bug) {
        let (Bug::Planted(mutant, _), None) = (bug, self.first) else { return };
        Mutant::plant(Some(*mutant));
        let splits = (1..=COUNTED).filter(|seed| is_split(*seed));
        let splits: Vec<u64> = splits.collect();
        Mutant::plant(None);
        if splits.len() as u64 > SPLITS_MAX {
            self.first = splits.first().map(|seed| (*seed, "elections are seldom split"));
            self.found = splits.len() as u64;
        }
    }
}

/// Whether more than one candidacy follows the death of a master.
fn is_split(seed: u64) -> bool {
    let mut world = World::new(&GroupPlan { seed, sentinels: 5, ..GroupPlan::default() });
    world.run_for(5_000 + seed * 7);
    world.fault(NodeIndex(0), Fault::Killed);
    world.run_for(5_000);
    world.timeline().count("+try-failover") > 1
}
