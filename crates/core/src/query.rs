//! What is asked on a link, and what comes back (spec: behaviour 4 to 10).

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::address::Endpoint;
use crate::ident::{Epoch, MasterName, RunId, Secret, SentinelId};
use crate::time::Span;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purpose {
    /// Commands and their replies.
    Commands,
    /// The subscription to the hello channel.
    Subscription,
}

/// One thing to ask on a connection. Replies come in order, one [`Answer`] for each query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Query {
    /// `AUTH`, with or without a user (spec: behaviour 4.3).
    Auth {
        /// The user; none for the one-word form.
        user: Option<Arc<str>>,
        /// The password.
        password: Secret,
    },
    /// `CLIENT SETNAME sentinel-<first 8 of id>-<cmd|pubsub>` (spec: behaviour 4.4).
    SetName {
        /// Own id.
        id: SentinelId,
        /// Chooses the ending.
        purpose: Purpose,
    },
    /// `PING`.
    Ping,
    /// `INFO` without an argument.
    Info,
    /// `SUBSCRIBE` to the hello channel.
    Subscribe,
    /// `PUBLISH` of a hello (spec: behaviour 6.1).
    Hello(Arc<Hello>),
    /// `SENTINEL is-master-down-by-addr` (spec: behaviour 9.1).
    AskDown {
        /// The address of the master, in announce form.
        address: Endpoint,
        /// The failover epoch with a vote, else the current one.
        epoch: Epoch,
        /// The candidate; none asks for an opinion only.
        vote_for: Option<SentinelId>,
    },
    /// The SLAVEOF transaction of behaviour 10.7.
    Replicate {
        /// Whom to follow.
        target: ReplicationTarget,
        /// Commands left out because the server refused them before (rule L6). Never `SLAVEOF`.
        without: BTreeSet<TransactionCommand>,
    },
    /// `SCRIPT KILL` (spec: behaviour 8.1).
    ScriptKill,
    /// `FAILOVER TO <host> <port> TIMEOUT <ms>`, to a master.
    HandOver {
        /// The replica that takes over, in announce form.
        to: Endpoint,
        /// How long the server holds writes until it gives up.
        patience: Span,
    },
    /// `FAILOVER ABORT`.
    RecallHandOver,
    /// `CONFIG REWRITE`, to a node that was handed the role: `FAILOVER` leaves its file as it was.
    RewriteConfig,
    /// `REPLCONF GETACK *`, to a replica: it tells its master at once how far it is, instead of
    /// once a second. Nothing is answered; an INFO must follow in the same turn.
    TellOffset,
}

/// Whom a data node is told to follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplicationTarget {
    /// Nobody: become a master.
    NoOne,
    /// The node at this address, in announce form.
    Node(Endpoint),
}

/// The commands between `MULTI` and `EXEC`, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TransactionCommand {
    /// `SLAVEOF`.
    SlaveOf,
    /// `CONFIG REWRITE`.
    ConfigRewrite,
    /// `CLIENT KILL TYPE normal`.
    KillNormal,
    /// `CLIENT KILL TYPE pubsub`.
    KillPubsub,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// To `AUTH`, `CLIENT SETNAME` or `SCRIPT KILL`: nobody cares what it said.
    Ignored,
    /// To `PING`.
    Ping(PingReply),
    /// To `INFO`.
    Info(InfoAnswer),
    /// To `SUBSCRIBE`: confirmed, or refused.
    Subscribed {
        /// Whether the server accepted.
        accepted: bool,
    },
    /// To `PUBLISH`.
    Hello {
        /// Whether the reply was not an error.
        accepted: bool,
    },
    /// To `is-master-down-by-addr`; none if the reply had another shape.
    Opinion(Option<Opinion>),
    /// To a SLAVEOF transaction.
    Replicate(TransactionOutcome),
    /// To `FAILOVER TO`.
    HandOver(HandOverReply),
}

/// How a server answers `FAILOVER TO`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HandOverReply {
    /// It begins.
    Begun,
    /// It does not: the server's own words, at most 200 bytes.
    Refused(Arc<str>),
}

/// `master_failover_state` in INFO: servers since 6.2 have it, and with it FAILOVER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HandOverState {
    /// `no-failover`.
    Idle,
    /// Any other word.
    Busy,
}

/// What a PING reply means (spec: behaviour 8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PingReply {
    /// `PONG`.
    Pong,
    /// `LOADING …` or `MASTERDOWN …`: acceptable, but no proof of a finished reboot.
    Loading,
    /// `BUSY …`: a script blocks the server.
    Busy,
    /// Anything else: not acceptable.
    Other,
}

/// A reply to `INFO`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InfoAnswer {
    /// A text with a role.
    Report(Arc<InfoReport>),
    /// An error reply.
    Refused,
    /// A text that no data node writes: it changes nothing and is counted.
    Garbage,
}

/// What a Sentinel reads from `INFO` (spec: behaviour 7.2). Fields are none when not mentioned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InfoReport {
    /// The whole text, for `SENTINEL INFO-CACHE`. No rule reads it, so recordings leave it out.
    #[serde(skip)]
    pub text: Arc<str>,
    /// The node's run id.
    pub run_id: Option<RunId>,
    /// Its role.
    pub role: Role,
    /// Replicas listed by a master.
    pub replicas: Vec<Endpoint>,
    /// `master_link_down_since_seconds` in milliseconds; -1000 if the node does not know.
    pub link_down_ms: Option<i64>,
    /// Whom a replica follows.
    pub master: Option<Endpoint>,
    /// Whether a replica's link to its master is up.
    pub link_up: Option<bool>,
    /// `slave_priority`; 0 means never promote.
    pub priority: Option<u32>,
    /// `slave_repl_offset`.
    pub offset: Option<u64>,
    /// `replica_announced`.
    pub announced: Option<bool>,
    /// `master_failover_state`.
    pub hand_over: Option<HandOverState>,
}

/// A data node's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Takes writes.
    Master,
    /// Follows a master.
    Replica,
}

/// A fellow Sentinel's answer (spec: behaviour 9.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// Whether it holds the master subjectively down.
    pub down: bool,
    /// Whom it voted for; none for `*`.
    pub leader: Option<SentinelId>,
    /// The epoch of that vote.
    pub leader_epoch: Epoch,
}

/// How a SLAVEOF transaction ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransactionOutcome {
    /// `EXEC` ran and `SLAVEOF` was accepted.
    Done,
    /// `EXEC` ran but `SLAVEOF` answered an error.
    SlaveOfFailed,
    /// `EXECABORT`: these were refused while queueing (spec: holes H7).
    Aborted(BTreeSet<TransactionCommand>),
    /// Anything else: `MULTI` or `EXEC` itself was refused.
    Refused,
}

/// A hello (spec: behaviour 6.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hello {
    /// Where the sender listens.
    pub sentinel: Endpoint,
    /// Who it is.
    pub id: SentinelId,
    /// Its current epoch.
    pub current_epoch: Epoch,
    /// The master it speaks of.
    pub master: MasterName,
    /// Where that master is.
    pub address: Endpoint,
    /// The version of that address.
    pub config_epoch: Epoch,
}
