//! Bugs that can be planted, one at a time, to prove that the simulator finds them (`cargo xtask
//! mutants`). Without the feature `mutants` nothing of this is in the program.

macro_rules! mutants {
    ($($mutant:ident $doc:literal,)*) => {
        /// A bug.
        #[cfg_attr(not(feature = "mutants"), expect(unreachable_pub, reason = "see above"))]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mutant {
            $(#[doc = $doc] $mutant,)*
        }

        #[cfg(feature = "mutants")]
        impl Mutant {
            /// All of them, each in a sentence.
            pub const ALL: &[(Self, &'static str)] = &[$((Self::$mutant, $doc),)*];
        }
    };
}

mutants! {
    VoteTwiceAfterRestart "The vote of before a restart is forgotten (rules V1, V4).",
    SkipTheGate "A vote is told before it is on disk (rule V3).",
    SaveFailureIgnored "A failed save counts as done.",
    UnsavedEpochTold "Hellos tell an epoch that is not on disk yet.",
    PromotionBeforeSave "A promotion is told and served before it is on disk (rule A3).",
    OkBeforeSave "An operator's change is confirmed before it is on disk.",
    SetShownBeforeSave "What SET changes is shown before it is on disk.",
    QuorumOffByOne "One opinion less than the quorum makes a master objectively down.",
    ExpiredOpinions "Opinions never expire.",
    OpinionsOutliveSwitch "A switch forgets no opinion (rule E5).",
    MajorityOfReachable "The majority is counted among members that are up.",
    QuorumNotNeeded "A majority elects, whatever the quorum.",
    VotesOfOtherEpochs "A vote for us counts at whatever epoch (rule S5).",
    NoNewEpoch "A new try stays in the epoch of the last one (rules S4, F2).",
    OlderConfiguration "An older configuration is adopted too (rule A1).",
    StaleInfo "SLAVEOF leaves on INFO of any age (rule L5).",
    PriorityZero "Priority 0 may be promoted.",
    TiltActs "TILT stops nothing (rule E4).",
    OldMasterFollowed "Replicas are repointed to the old master.",
    FreshMasterDemoted "A replica that says it is a master is demoted at sight (rule R1).",
    MisledAtSight "A replica of another master is redirected at sight (rule R3).",
    NoFirstHello "Nothing is announced after a promotion until the next period (rule L7).",
    MayJudgeAlways "Silence is judged before everything readable was read (rule E3).",
    ReturningMasterAtSight "The master left last is demoted before a majority agrees (rule R2).",
    ScriptTwice "A notification script is ordered twice for an event.",
    SameHeadStart "Everybody stands at once (rule S3).",
    SilentLeaderAwaited "A silent leader is waited for until failover-timeout (rule F1).",
    LostCandidacyWaits "A lost candidacy goes on until ELECTION-TIMEOUT (rule F2).",
    LongBackOff "A lost election is tried again after twice failover-timeout (rule F2).",
    NoReplicaNoHurry "Without a good replica it rests for twice failover-timeout (rule F3).",
    LeaderHoldsOn "A leader that cannot promote neither aborts nor chooses another (rule L1).",
    AskingStopsAtOdown "Members are not asked any more after ODOWN (rule S1).",
    ForcedLeavesOldMaster "A forced failover leaves its old master to rule R1 (rules R2, C1).",
    ConnectionsLeak "A connection that is over is not forgotten.",
    SecondPing "A PING leaves though one is outstanding (rule E6).",
}

#[cfg(feature = "mutants")]
mod planted {
    use core::sync::atomic::{AtomicUsize, Ordering};

    use super::Mutant;

    static PLANTED: AtomicUsize = AtomicUsize::new(usize::MAX);

    impl Mutant {
        /// Plants this bug in every Sentinel of the process; none takes it out.
        pub fn plant(mutant: Option<Self>) {
            PLANTED.store(mutant.map_or(usize::MAX, |mutant| mutant as usize), Ordering::Relaxed);
        }

        pub(crate) fn lives(self) -> bool {
            PLANTED.load(Ordering::Relaxed) == self as usize
        }
    }
}

#[cfg(not(feature = "mutants"))]
impl Mutant {
    /// Never.
    pub(crate) const fn lives(self) -> bool {
        false
    }
}
