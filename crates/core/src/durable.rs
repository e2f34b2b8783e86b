//! What survives a restart, and the changes to it (spec: behaviour 13.1).

use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::address::Endpoint;
use crate::ident::{Epoch, MasterName, SentinelId};
use crate::settings::{MasterSettings, Settings};
use crate::time::WallTime;

/// What the process is given at start and what the core never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// The port announced in hellos unless `announce-port` is set: the TLS port with
    /// `tls-replication`, else the plain one.
    pub listen_port: u16,
    /// The local `requirepass`: sent to fellow Sentinels while `sentinel-pass` is not set
    /// (spec: behaviour 4.3).
    pub local_password: Option<crate::Secret>,
    /// From so many masters on, the regular messages of each leave together, and what comes in
    /// while nothing is wrong may wait for company: [`Config::GATHERS_FROM`], but in proofs.
    pub gathers_from: usize,
    /// Replicas on one host that may be promoted at a time, so that a host with hundreds of them
    /// works through them in order: at least 1, [`Config::PROMOTIONS_PER_HOST`], but in proofs.
    pub promotions_per_host: usize,
}

impl Config {
    /// With fewer masters gathering would save nothing.
    pub const GATHERS_FROM: usize = 50;
    /// More than these would only wait for each other on the host.
    pub const PROMOTIONS_PER_HOST: usize = 256;

    /// As the product is given it.
    #[must_use]
    pub fn new(listen_port: u16, local_password: Option<crate::Secret>) -> Self {
        Self {
            listen_port,
            local_password,
            gathers_from: Self::GATHERS_FROM,
            promotions_per_host: Self::PROMOTIONS_PER_HOST,
        }
    }
}

/// Everything the Sentinel remembers over a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DurableState {
    /// Own permanent id.
    pub my_id: SentinelId,
    /// Highest epoch seen; none if none was ever saved (spec: holes H17).
    pub current_epoch: Option<Epoch>,
    /// Process-wide settings.
    pub settings: Settings,
    /// The monitored masters, in configuration order.
    pub masters: Vec<SavedMaster>,
}

/// One master as the configuration file tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedMaster {
    /// The configured name.
    pub name: MasterName,
    /// The official address in announce form (spec: behaviour 10.11).
    pub address: Endpoint,
    /// Its options.
    pub settings: MasterSettings,
    /// Version of the address.
    pub config_epoch: Epoch,
    /// Epoch of the last vote; none if the file had no such line (rule V4).
    pub leader_epoch: Option<Epoch>,
    /// Known replicas, in discovery order.
    pub replicas: Vec<Endpoint>,
    /// Known fellow Sentinels, in discovery order.
    pub sentinels: Vec<SavedSentinel>,
    /// From `<conf>.vedette`, not from the file: who got the last vote, and when. Losing it costs
    /// a deferral, never safety (rule V8).
    pub last_vote: Option<SavedVote>,
}

/// A fellow Sentinel of a master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSentinel {
    /// Its permanent id.
    pub id: SentinelId,
    /// Where it listens.
    pub address: Endpoint,
}

/// A remembered vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedVote {
    /// Who got it.
    pub leader: SentinelId,
    /// The epoch it was cast in.
    pub epoch: Epoch,
    /// When it was cast.
    pub at: WallTime,
}

/// One change to the durable state. Each carries the whole new value of what it names, so applying
/// one twice is harmless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DurableChange {
    /// The process-wide epoch.
    CurrentEpoch(Epoch),
    /// The process-wide settings.
    Settings(Arc<Settings>),
    /// A master, new or changed.
    Master(Arc<SavedMaster>),
    /// A master that is no longer monitored.
    Removed(MasterName),
}

impl DurableChange {
    pub(crate) fn as_master(&self) -> Option<&Arc<SavedMaster>> {
        match self {
            Self::Master(saved) => Some(saved),
            Self::CurrentEpoch(_) | Self::Settings(_) | Self::Removed(_) => None,
        }
    }
}
