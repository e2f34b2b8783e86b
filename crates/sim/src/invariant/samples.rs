//! Values for doctored histories.

use vedette_core::{
    DurableState, Endpoint, Epoch, MasterSettings, SavedMaster, Settings, Tunables,
};

use crate::address;

/// A master that voted at this epoch.
pub(super) fn master(epoch: u64) -> SavedMaster {
    SavedMaster {
        name: "m0".into(),
        address: Endpoint::new("10.1.0.1", 6379),
        settings: MasterSettings::new(2, &Tunables::default()),
        config_epoch: Epoch::ZERO,
        leader_epoch: Epoch::new(epoch),
        replicas: Vec::new(),
        sentinels: Vec::new(),
        last_vote: None,
    }
}

/// The disk of Sentinel 0 with that master.
pub(super) fn disk(epoch: u64) -> DurableState {
    DurableState {
        my_id: address::sentinel_id(1, 0),
        current_epoch: Epoch::new(epoch),
        settings: Settings::default(),
        masters: vec![master(epoch)],
    }
}
