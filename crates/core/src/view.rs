//! What clients are shown: one immutable picture per master. Moments are absolute; `wire` renders
//! a picture together with the present time (spec: DESIGN 1, "One truth for clients").

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::address::Endpoint;
use crate::event::Event;
use crate::ident::{Epoch, JobId, MasterId, MasterName, RunId, SentinelId};
use crate::limits;
use crate::query::{InfoReport, Role};
use crate::request::SimulatedFailures;
use crate::scripts::ScriptCall;
use crate::settings::{MasterSettings, Settings, Tunables};
use crate::time::{Span, Time};

/// What changed for clients in one turn. A snapshot must be visible to every thread before its
/// events go out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Counts publications, from 1.
    pub seq: u64,
    /// The masters that changed.
    pub masters: Vec<Arc<MasterView>>,
    /// Every master in listing order, if the set changed.
    pub listing: Option<Arc<[(MasterName, MasterId)]>>,
    /// The process, if it changed.
    pub process: Option<Arc<ProcessView>>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// The process as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessView {
    /// Own id.
    pub my_id: SentinelId,
    /// Highest epoch seen.
    pub current_epoch: Epoch,
    /// Process-wide settings in force.
    pub settings: Arc<Settings>,
    /// The tunables in force.
    pub tunables: Tunables,
    /// Since when in TILT.
    pub tilt_since: Option<Time>,
    /// Armed by `SIMULATE-FAILURE`.
    pub simulated_failures: SimulatedFailures,
    /// Scripts that run or wait.
    pub scripts: Vec<ScriptView>,
    /// Since when the last save failed.
    pub disk_failing_since: Option<Time>,
    /// Things that were counted.
    pub counters: Counters,
}

/// How often something worth counting happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests and hellos ignored because of an epoch far out of range (spec: holes H17).
    pub far_epochs: u64,
    /// INFO replies that made no sense.
    pub garbage_infos: u64,
    /// Hellos that made no sense.
    pub garbage_hellos: u64,
    /// Vote requests for ids that are no members (rule V2).
    pub stranger_votes: u64,
    /// Hellos with the own id from another address (rule S7).
    pub own_id_elsewhere: u64,
    /// Equal config epochs with different addresses (rule A2).
    pub equal_epoch_conflicts: u64,
    /// Promotions that waited for others on the same host.
    pub braked_promotions: u64,
    /// Scripts dropped by a full queue.
    pub dropped_scripts: u64,
    /// Stalls of the process (rule E4).
    pub stalls: u64,
    /// How often TILT was entered.
    pub tilts: u64,
}

/// A script in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptView {
    /// Its number.
    pub job: JobId,
    /// What is called.
    pub call: Arc<ScriptCall>,
    /// Running: its process and since when. Waiting: none.
    pub running: Option<(u32, Time)>,
    /// Not before this moment.
    pub start_at: Time,
    /// Starts so far.
    pub attempts: u32,
}

/// The state of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// Whether every required connection exists.
    pub connected: bool,
    /// Commands without a reply yet.
    pub pending: u32,
    /// Masters that share it.
    pub sharers: u32,
    /// Since when a PING waits for its reply.
    pub ping_waiting_since: Option<Time>,
    /// Last acceptable PING reply.
    pub ok_reply_at: Time,
    /// Last PING reply of any kind.
    pub any_reply_at: Time,
}

/// A data node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    /// Its address in announce form.
    pub address: Endpoint,
    /// Its resolved address, to find it by what a peer asks.
    pub socket: Option<SocketAddr>,
    /// Its run id, once known.
    pub run_id: Option<RunId>,
    /// Its link.
    pub link: LinkView,
    /// Since when subjectively down.
    pub sdown_since: Option<Time>,
    /// Whether `SCRIPT KILL` was sent in this down period.
    pub script_kill_sent: bool,
    /// When the last INFO came.
    pub info_at: Option<Time>,
    /// The last INFO.
    pub info: Option<Arc<InfoReport>>,
    /// The role it last reported.
    pub role_reported: Role,
    /// Since when it reports that.
    pub role_reported_at: Time,
}

/// A monitored master and its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterView {
    /// Its number.
    pub id: MasterId,
    /// Its configured name.
    pub name: MasterName,
    /// The node that is master now; its address is the official one.
    pub node: NodeView,
    /// Since when objectively down.
    pub odown_since: Option<Time>,
    /// A failover that has not been decided yet.
    pub failover: Option<FailoverView>,
    /// Rebooted and not answering PONG yet.
    pub rebooting: bool,
    /// Version of the address.
    pub config_epoch: Epoch,
    /// Epoch of the last vote.
    pub leader_epoch: Epoch,
    /// Its options.
    pub settings: Arc<MasterSettings>,
    /// In discovery order.
    pub replicas: Vec<ReplicaView>,
    /// In discovery order, without oneself.
    pub sentinels: Vec<MemberView>,
}

/// A failover before its decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailoverView {
    /// How far it is.
    pub state: FailoverState,
    /// Whether an operator forced it.
    pub forced: bool,
    /// Whether the master hands over by itself.
    pub coordinated: bool,
}

/// The states that `failover-state` can show (spec: interface 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailoverState {
    /// Waiting to be elected.
    WaitStart,
    /// Choosing a replica.
    SelectReplica,
    /// About to promote it.
    SendReplicaOfNoOne,
    /// Waiting until it says so.
    WaitPromotion,
}

/// A replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaView {
    /// `host:port` from its discovery.
    pub name: Arc<str>,
    /// The node.
    pub node: NodeView,
    /// Chosen for promotion.
    pub promoted: bool,
    /// How far its repointing is.
    pub reconf: Option<ReconfState>,
    /// As last reported; negative if the node does not know.
    pub link_down_ms: i64,
    /// Whom it follows, as last reported.
    pub master: Option<Endpoint>,
    /// Whether its replication link is up.
    pub link_up: bool,
    /// 0 means never promote.
    pub priority: u32,
    /// Replication offset.
    pub offset: u64,
    /// Whether it wants to be listed.
    pub announced: bool,
}

/// How far the repointing of a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReconfState {
    /// The transaction was sent.
    Sent,
    /// It reports the new master.
    InProgress,
    /// Its replication link is up, or it was given up on.
    Done,
}

/// A fellow Sentinel of one master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// Its id.
    pub id: SentinelId,
    /// Where it listens.
    pub address: Endpoint,
    /// The link, shared by all masters.
    pub link: LinkView,
    /// Since when subjectively down, by this master's `down-after-milliseconds`.
    pub sdown_since: Option<Time>,
    /// Whether its last answer said that the master is down.
    pub says_down: bool,
    /// When its last hello about this master came.
    pub hello_at: Time,
    /// Its last vote as told.
    pub leader: Option<SentinelId>,
    /// The epoch of that vote.
    pub leader_epoch: Epoch,
}

/// A listing entry's down-after, for the kinds that inherit it.
impl MasterView {
    /// With many masters every so manieth is shown in the same turn, and so once a second.
    pub const SHOWN_TOGETHER: usize = (limits::CLOCKS_SHOWN_EVERY.0 / limits::SLOT.0) as usize;

    /// `down-after-milliseconds` of the master, its replicas and its Sentinels.
    #[must_use]
    pub fn down_after(&self) -> Span {
        self.settings.down_after
    }
}
