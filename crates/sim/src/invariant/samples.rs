//! Values for doctored histories.

use vedette_core::{
    Detail, DurableState, Endpoint, Epoch, Event, EventKind, LinkView, MasterId, MasterSettings,
    MasterView, NodeView, Part, ReplicaView, Role, Rules, SavedMaster, Settings, Subject, Time,
    Tunables,
};

use crate::address;
use crate::sentinel_host::SentinelIndex;
use crate::witness::Scene;

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

/// Sentinel 0 with this disk, at the beginning.
pub(super) fn scene(disk: &DurableState) -> Scene<'_> {
    let (id, sentinel, rules) = (disk.my_id, SentinelIndex(0), Rules::ALL);
    Scene { at_ms: 0, sentinel, id, rules, disk, snapshot: None }
}

fn node(address: &str, role: Role) -> NodeView {
    let link = LinkView {
        connected: true,
        pending: 0,
        sharers: 1,
        ping_waiting_since: None,
        ok_reply_at: Time(10_000),
        any_reply_at: Time(10_000),
    };
    NodeView {
        address: Endpoint::new(address, 6379),
        socket: format!("{address}:6379").parse().ok(),
        run_id: None,
        link,
        sdown_since: None,
        script_kill_sent: false,
        info_at: Some(Time(10_000)),
        info: None,
        role_reported: role,
        role_reported_at: Time(0),
    }
}

/// The picture of that master, with replicas that all are alike, at 10 s.
pub(super) fn view(replicas: &[&str]) -> MasterView {
    let master = master(0);
    let replica = |address: &&str| ReplicaView {
        name: (*address).into(),
        node: node(address, Role::Replica),
        promoted: false,
        reconf: None,
        link_down_ms: 0,
        master: Some(master.address.clone()),
        link_up: false,
        priority: 100,
        offset: 0,
        announced: true,
    };
    MasterView {
        id: MasterId(1),
        name: master.name.clone(),
        node: node("10.1.0.1", Role::Master),
        odown_since: None,
        failover: None,
        rebooting: false,
        config_epoch: Epoch::ZERO,
        leader_epoch: Epoch::ZERO,
        settings: master.settings.clone().into(),
        replicas: replicas.iter().map(replica).collect(),
        sentinels: Vec::new(),
    }
}

/// An event of that master.
pub(super) fn event(kind: EventKind) -> Event {
    let master = master(0);
    let about = Subject { master: master.name, address: master.address, part: Part::Master };
    Event { kind, about: Some(about), detail: Detail::None }
}
