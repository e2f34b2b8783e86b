//! The rules of agreement as values, so that one can be turned off (spec: rules.md, holes.md).
//!
//! A Sentinel of the product keeps all of them. The simulator lets some Sentinels live at the
//! *reference's pace*, and each rule has a scenario that shows what happens without it.

use serde::{Deserialize, Serialize};

macro_rules! rules {
    ($($rule:ident $doc:literal,)*) => {
        /// A rule of `rules.md`, or a hole of `holes.md` that no rule covers whole.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Rule {
            $(#[doc = $doc] $rule,)*
        }

        impl Rule {
            /// All of them by name, each with what is done without it.
            pub const ALL: &[(Self, &'static str, &'static str)] =
                &[$((Self::$rule, stringify!($rule), $doc),)*];
        }
    };
}

// Each in the words of what is done *without* it: what the reference does, where it has a way.
rules! {
    E1 "A lost connection is tried again at PING pace.",
    E2 "Masters are pinged like replicas.",
    E3 "Silence is judged at ticks of 100 ms, before what is readable is read.",
    E4 "The time in which the process stood still counts as silence; TILT lasts its whole period.",
    E5 "Opinions about the old address outlive a switch.",
    E6 "PING, INFO and hello leave though one is outstanding.",
    S1 "Members are asked once every ASK-PERIOD.",
    S2 "An epoch is opened however few members answer.",
    S3 "Nobody lets others go first.",
    S4 "Every master opens an epoch of its own.",
    S5 "A vote for us counts when it is of the process-wide epoch, not of the failover's.",
    S6 "A list of members is trusted from the start; no hello precedes a vote request.",
    S7 "A copy of us that announces our id elsewhere is ignored.",
    V1 "The process-wide epoch vetoes votes for other masters.",
    V2 "Strangers get votes.",
    V3 "A vote is told before it is durable, or though it could not be saved.",
    V4 "A master monitored anew may be voted for in epochs spent before.",
    V5 "Of several entries with one address only the first votes.",
    V6 "A candidacy goes on after a vote for another id.",
    V7 "A leader at work votes for others, and one vote may follow another at once.",
    V8 "A restart forgets that a leader may be at work.",
    F1 "A vote for another id puts the own candidacy off for twice failover-timeout.",
    F2 "A lost election is tried again after twice failover-timeout.",
    F3 "Without a good replica it tries again after twice failover-timeout.",
    F4 "A master that comes back is failed over all the same.",
    F5 "A master out of reach is left again and again, however often others promote it.",
    L1 "A leader without progress goes on until failover-timeout, with the replica it chose.",
    L2 "A leader goes on after a newer configuration, and after a stall.",
    L3 "The choice is one look at whatever INFO is there.",
    L4 "A stray master may be chosen; link-down times are compared with our own SDOWN.",
    L5 "SLAVEOF leaves on evidence of any age.",
    L6 "The transaction goes out once, whatever is answered, and INFO comes at its own pace.",
    L7 "A new configuration is announced at the usual pace.",
    C1 "A forced failover asks nobody.",
    A1 "A configuration whose name does not resolve leaves its epoch at the old address.",
    A2 "Two addresses under one epoch stay.",
    A3 "What is heard while the disk fails is not believed.",
    R1 "A stray master is demoted though our subscription on it is not confirmed.",
    R2 "The old master is demoted like any stray one.",
    R3 "A misled replica is moved though our subscription on it is not confirmed.",
    H9 "A replica that lost its master before we came is refused for ever.",
    H10 "One replica that hangs holds up the repointing of all.",
    H11 "A failover lasts until the last replica is repointed.",
    H13 "A replica's down-time is reckoned from its beginning.",
    H14 "A master looks sane on what was heard of the one before.",
    H16 "A lost subscription takes the command connection with it.",
    H17 "Any epoch is believed.",
    H20 "The own id is a member like others.",
    H21 "An entry that changes its address is a new one, and forgets its vote.",
    H23 "Renamed commands are used with fellow Sentinels, too.",
    H34 "Time is the wall's.",
}

/// The rules that a Sentinel keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules(u64);

impl Default for Rules {
    fn default() -> Self {
        Self::ALL
    }
}

impl Rules {
    /// Every rule: the product.
    pub const ALL: Self = Self(u64::MAX);

    /// As this, but for one rule.
    #[must_use]
    pub const fn without(self, rule: Rule) -> Self {
        Self(self.0 & !(1 << rule as u64))
    }

    /// The reference's pace: every rule off that the reference has no cure for. It keeps A3 in its
    /// own way, the time of its files in [`Rule::H34`] is the shell's, and what it would do with
    /// [`Rule::E6`] and [`Rule::H20`] off is no matter of pace.
    pub const REFERENCE: Self =
        Self(0).with(Rule::E6).with(Rule::A3).with(Rule::H17).with(Rule::H20).with(Rule::H34);

    const fn with(self, rule: Rule) -> Self {
        Self(self.0 | 1 << rule as u64)
    }

    /// Whether this rule is kept.
    #[must_use]
    pub const fn keeps(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u64) != 0
    }
}
