//! Clients' requests that need the core, and its responses (spec: interface 2).

use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::address::Endpoint;
use crate::ident::{Epoch, MasterName, Secret, SentinelId};
use crate::query::Hello;
use crate::settings::{LogLevel, Tunable};
use crate::time::Span;

/// A request. Everything is parsed; names are checked by the core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// `SENTINEL IS-MASTER-DOWN-BY-ADDR`.
    IsMasterDown {
        /// The address as the asker gave it. A port outside 0..65535 is spelled as port 0.
        address: Endpoint,
        /// The epoch of the question.
        epoch: Epoch,
        /// What is wanted.
        wants: Wants,
    },
    /// `SENTINEL FAILOVER`.
    Failover(MasterName, Manner),
    /// `SENTINEL RESET`; the pattern is matched by the shell's snapshot of names.
    Reset(Vec<MasterName>),
    /// `SENTINEL MONITOR`.
    Monitor {
        /// The name; already checked for forbidden characters.
        name: MasterName,
        /// Where it is.
        address: Endpoint,
        /// At least 1.
        quorum: u32,
    },
    /// `SENTINEL REMOVE`.
    Remove(MasterName),
    /// `SENTINEL SET`, whole or not at all (spec: holes H38).
    Set {
        /// Which master.
        name: MasterName,
        /// In the order given.
        options: Vec<SetItem>,
    },
    /// `SENTINEL CONFIG SET`.
    ConfigSet(Vec<ConfigOption>),
    /// `SENTINEL DEBUG <name> <ms> …`.
    Tune(Vec<(Tunable, Span)>),
    /// `SENTINEL FLUSHCONFIG`.
    FlushConfig,
    /// `SENTINEL SIMULATE-FAILURE`: replaces the flags set before.
    SimulateFailure(SimulatedFailures),
    /// `PUBLISH __sentinel__:hello`; none if the payload is no hello.
    Hello(Option<Arc<Hello>>),
}

/// What an `IS-MASTER-DOWN-BY-ADDR` wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wants {
    /// Only whether the master is down.
    Opinion,
    /// A vote for this candidate.
    VoteFor(SentinelId),
    /// A vote for something that is no Sentinel id: it gets the stored vote (rule V2).
    VoteForStranger,
}

/// One option of `SENTINEL SET` with its text for the `+set` event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetItem {
    /// What changes.
    pub option: SetOption,
    /// `<option> <value>` as typed, passwords masked.
    pub shown: Arc<str>,
}

/// The options of `SENTINEL SET` (spec: interface 2.13).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetOption {
    /// `down-after-milliseconds`, above zero.
    DownAfter(Span),
    /// `failover-timeout`, above zero.
    FailoverTimeout(Span),
    /// `parallel-syncs`, at least 1.
    ParallelSyncs(u32),
    /// `quorum`, at least 1.
    Quorum(u32),
    /// `notification-script`; none removes it.
    NotificationScript(Option<Arc<str>>),
    /// `client-reconfig-script`; none removes it.
    ClientReconfigScript(Option<Arc<str>>),
    /// `auth-pass`; none removes it.
    AuthPass(Option<Secret>),
    /// `auth-user`; none removes it.
    AuthUser(Option<Arc<str>>),
    /// `rename-command`; the same name twice removes the mapping.
    RenameCommand {
        /// The command's own name.
        from: Arc<str>,
        /// What the nodes call it.
        to: Arc<str>,
    },
    /// `master-reboot-down-after-period`; zero switches it off.
    RebootDownAfter(Span),
}

/// The options of `SENTINEL CONFIG SET` (spec: interface 2.15).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfigOption {
    /// `resolve-hostnames`.
    ResolveHostnames(bool),
    /// `announce-hostnames`.
    AnnounceHostnames(bool),
    /// `announce-ip`; none unsets it.
    AnnounceIp(Option<Arc<str>>),
    /// `announce-port`; none unsets it.
    AnnouncePort(Option<u16>),
    /// `sentinel-user`; none unsets it.
    SentinelUser(Option<Arc<str>>),
    /// `sentinel-pass`; none unsets it.
    SentinelPass(Option<Secret>),
    /// `loglevel`.
    LogLevel(LogLevel),
}

/// The flags of `SENTINEL SIMULATE-FAILURE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimulatedFailures {
    /// Exit with code 99 right after winning an election.
    pub after_election: bool,
    /// Exit with code 99 right after seeing the promotion.
    pub after_promotion: bool,
}

/// What the core answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// `+OK`.
    Done,
    /// To `IS-MASTER-DOWN-BY-ADDR`: this Sentinel's opinion and vote.
    Opinion {
        /// Whether the master is subjectively down here.
        down: bool,
        /// Whom this Sentinel voted for; none is `*`.
        leader: Option<SentinelId>,
        /// The epoch of that vote.
        leader_epoch: Epoch,
    },
    /// To `RESET`: how many masters.
    Count(u64),
    /// To `PUBLISH`: `:1`, whatever became of it.
    HelloTaken,
    /// An error.
    Refused(Refusal),
}

/// How an operator wants a failover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Manner {
    /// Without the master, and without a majority if there is none (rule C1).
    Forced,
    /// `COORDINATED`: a majority elects, and the master hands over by itself; nothing that it
    /// acknowledged is lost.
    Coordinated,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// No master of that name.
    NoSuchMaster,
    /// A failover runs already.
    FailoverInProgress,
    /// This Sentinel defers to another one that is failing the master over (rule C1).
    DeferringTo(SentinelId),
    /// Nobody to promote.
    NoGoodReplica,
    /// The master is down or does not say that it is one: it cannot hand over.
    MasterUnavailable,
    /// The list of fellow Sentinels is not known to be whole yet (rule S6).
    NoFreshView,
    /// The master's server has no FAILOVER.
    CannotHandOver,
    /// In TILT, no failover can be forced (rule C1).
    InTilt,
    /// Another process uses this Sentinel's id (rule S7).
    OwnIdElsewhere,
    /// The configuration could not be saved; nothing was changed (spec: holes H33).
    SaveFailed,
    /// A master of that name is monitored already.
    DuplicateMaster,
    /// The host is no IP and does not resolve.
    InvalidAddress,
}
