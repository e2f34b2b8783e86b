//! Log lines that are no events (spec: behaviour 12.4, and what ours explains beyond it).

use alloc::collections::BTreeSet;
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::Endpoint;
use crate::ident::{Epoch, MasterName, SentinelId};
use crate::query::TransactionCommand;
use crate::time::{Span, WallTime};

/// A line for the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// `<name> voted for <id> <epoch>`.
    VotedFor {
        /// Who voted.
        sentinel: SentinelId,
        /// For whom.
        leader: SentinelId,
        /// In which epoch.
        epoch: Epoch,
    },
    /// `Executing user requested FAILOVER of '<name>'`.
    UserFailover {
        /// Of which master.
        master: MasterName,
    },
    /// `Failed to resolve hostname '<host>'`.
    ResolveFailed {
        /// Which.
        host: Arc<str>,
    },
    /// `Next failover delay: I will not start a failover before <date>`.
    NextFailover {
        /// Of which master.
        master: MasterName,
        /// Not before.
        at: WallTime,
    },
    /// `SENTINEL SIMULATE-FAILURE` armed a crash.
    CrashArmed {
        /// After a promotion; else after an election.
        after_promotion: bool,
    },
    /// The armed crash happens.
    SimulatedCrash,
    /// The master is objectively down, but this Sentinel does not stand; said once per change.
    CannotStand {
        /// For which master.
        master: MasterName,
        /// Why.
        why: Hindrance,
    },
    /// A master did not hand over when it was told to.
    HandOverRefused {
        /// Which.
        node: Endpoint,
        /// Its own words.
        why: Arc<str>,
    },
    /// A replica refused commands of the transaction; they are left out (rule L6).
    TransactionRefused {
        /// Which node.
        node: Endpoint,
        /// What it refused.
        commands: BTreeSet<TransactionCommand>,
    },
    /// An epoch far above ours was ignored (spec: holes H17).
    FarEpoch {
        /// The epoch that was offered.
        offered: Epoch,
        /// Ours.
        current: Epoch,
    },
    /// Somebody announces our id from another address (rule S7).
    OwnIdElsewhere {
        /// Which address.
        address: Endpoint,
    },
    /// Two addresses under one config epoch (rule A2).
    EqualEpochConflict {
        /// Of which master.
        master: MasterName,
        /// In which epoch.
        epoch: Epoch,
        /// The address heard.
        heard: Endpoint,
        /// The address kept.
        kept: Endpoint,
    },
    /// A Sentinel keeps changing its address (spec: holes H21); said once.
    FlappingAddress {
        /// Which.
        sentinel: SentinelId,
    },
    /// A node's INFO made no sense; said once per node.
    GarbageInfo {
        /// Which node.
        node: Endpoint,
    },
    /// The process stood still (rule E4).
    Stalled {
        /// For how long.
        span: Span,
    },
    /// Why a replica was not chosen (spec: DESIGN 1, "verdicts with reasons").
    Verdict {
        /// Of which master.
        master: MasterName,
        /// Which replica.
        replica: Endpoint,
        /// Why not; none if it is eligible.
        why: Option<crate::choice::Exclusion>,
    },
}

/// Why a Sentinel does not stand although the master is objectively down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Hindrance {
    /// Too few members answer (rule S2).
    TooFewMembers {
        /// Members that answered lately, oneself included.
        answering: u32,
        /// Members that must.
        needed: u32,
    },
    /// The list of members may be incomplete (rule S6).
    NoFreshView,
    /// Another process uses this Sentinel's id (rule S7).
    OwnIdElsewhere,
    /// Another Sentinel has the vote (rule F1).
    Deferring {
        /// To whom; not known after a restart (rule V8).
        to: Option<SentinelId>,
    },
    /// The disk refuses to save epochs and votes.
    DiskFailing,
    /// Waiting after a lost election (rule F2).
    BackingOff,
    /// No replica can be promoted (rule F3).
    NoGoodReplica,
    /// It failed this master over before, others promoted it again, and it has not answered here
    /// since (rule F5).
    NeverReached,
}
