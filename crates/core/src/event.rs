//! Events: what happened, to whom. Their spelling is `wire`'s (spec: behaviour 12, interface 5).

use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::Endpoint;
use crate::ident::{Epoch, MasterName, SentinelId};
use crate::query::Role;
use crate::settings::LogLevel;

macro_rules! events {
    ($($kind:ident $level:ident,)*) => {
        /// Every type of event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the names are those of interface 5")]
        pub enum EventKind {
            $($kind,)*
        }

        impl EventKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its level: warnings run notification scripts, debug is not published.
            #[must_use]
            pub const fn level(self) -> LogLevel {
                match self {
                    $(Self::$kind => LogLevel::$level,)*
                }
            }
        }
    };
}

events! {
    Monitor Warning,
    Unmonitor Warning,
    Set Warning,
    ResetMaster Warning,
    Replica Notice,
    Sentinel Notice,
    SentinelAddressSwitch Notice,
    SentinelInvalidAddr Notice,
    SentinelAddressUpdate Notice,
    Reboot Notice,
    RoleChange Verbose,
    RoleChangeAway Verbose,
    SdownEntered Warning,
    SdownLeft Warning,
    OdownEntered Warning,
    OdownLeft Warning,
    NewEpoch Warning,
    TryFailover Warning,
    VoteForLeader Warning,
    ElectedLeader Warning,
    AbortNotElected Warning,
    StateSelectReplica Warning,
    AbortNoGoodReplica Warning,
    SelectedReplica Warning,
    StateSendReplicaOfNoOne Notice,
    StateWaitPromotion Notice,
    AbortReplicaTimeout Warning,
    AbortMasterIsBack Warning,
    PromotedReplica Warning,
    StateReconfReplicas Warning,
    ReplicaReconfSent Notice,
    ReplicaReconfInProgress Notice,
    ReplicaReconfDone Notice,
    ReplicaReconfSentBestEffort Notice,
    ReplicaReconfSentTimeout Notice,
    FailoverEndForTimeout Warning,
    FailoverEnd Warning,
    SwitchMaster Warning,
    ConfigUpdateFrom Warning,
    ConvertToReplica Notice,
    FixReplicaConfig Notice,
    TiltEntered Warning,
    TiltLeft Warning,
    ScriptError Warning,
    ScriptTimeout Warning,
    ScriptDropped Warning,
    ScriptChild Debug,
    ScriptChildEnded Debug,
    CommandLinkReconnection Debug,
    SubscriptionLinkReconnection Debug,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// To whom: decides about the notification script, even where the text does not name it.
    pub about: Option<Subject>,
    /// The rest of the text.
    pub detail: Detail,
}

/// The instance that an event belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The master's name.
    pub master: MasterName,
    /// The master's address, in announce form, at that moment.
    pub address: Endpoint,
    /// Which instance of its group.
    pub part: Part,
}

/// An instance of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// The master itself.
    Master,
    /// One of its replicas.
    Replica {
        /// `host:port` from its discovery.
        name: Arc<str>,
        /// Where it is.
        address: Endpoint,
    },
    /// One of the fellow Sentinels.
    Sentinel {
        /// Its id is its name.
        id: SentinelId,
        /// Where it is.
        address: Endpoint,
    },
}

/// What an event says beside its subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Detail {
    /// Nothing.
    None,
    /// `+monitor`: the quorum.
    Quorum(u32),
    /// `+odown`: how many agree, of how many needed.
    Agreement {
        /// Sentinels that say down, oneself included.
        count: u32,
        /// Needed.
        quorum: u32,
    },
    /// `+set`: option and value as typed, passwords masked.
    Option(Arc<str>),
    /// `+sentinel-address-switch`.
    MovedTo {
        /// The new address.
        address: Endpoint,
        /// Whose.
        id: SentinelId,
    },
    /// `+sentinel-address-update`: how many other masters' entries.
    AlsoUpdated(u32),
    /// The role now reported.
    Role(Role),
    /// `+new-epoch`.
    Epoch(Epoch),
    /// `+vote-for-leader`.
    Vote {
        /// Who got it.
        leader: SentinelId,
        /// In which epoch.
        epoch: Epoch,
    },
    /// `+switch-master`.
    Switch {
        /// The address before.
        from: Endpoint,
        /// The address now.
        to: Endpoint,
    },
    /// `-script-error`: a start that failed is signal 99, code 0.
    ScriptError {
        /// The program.
        path: Arc<str>,
        /// The signal that ended it, or 0.
        signal: i32,
        /// Its exit code.
        code: i32,
    },
    /// `-script-timeout`.
    ScriptTimeout {
        /// The program.
        path: Arc<str>,
        /// Its process.
        pid: u32,
    },
    /// A script that a full queue pushed out (spec: holes H37).
    ScriptDropped {
        /// The program.
        path: Arc<str>,
    },
    /// `+script-child`.
    ScriptChild {
        /// Its process.
        pid: u32,
    },
    /// `-script-child`.
    ScriptChildEnded {
        /// Its process.
        pid: u32,
        /// Its exit code.
        code: i32,
        /// The signal that ended it, or 0.
        signal: i32,
    },
    /// Why a connection failed at once.
    Reason(Arc<str>),
}
