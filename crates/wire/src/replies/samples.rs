//! Pictures for tests: what a Redis Sentinel 7.0.15 saw when `transcripts/` were recorded from it.

use std::sync::Arc;

use vedette_core::{
    Counters, Endpoint, Epoch, LinkView, MasterId, MasterSettings, MasterView, MemberView,
    NodeView, Now, ProcessView, Publication, ReplicaView, Role, RunId, SentinelId,
    SimulatedFailures, Span, Time, Tunables, WallTime,
};

use crate::snapshot::Snapshot;

/// When the transcripts were recorded.
pub(crate) const NOW: Now = Now { mono: Time(1_000_000), wall: WallTime(1_795_415_445_594) };

/// The recorded group: `other`, which is down, and `mymaster` with one replica and this many fellow
/// Sentinels.
pub(crate) fn snapshot(members: usize) -> Snapshot {
    let masters = vec![Arc::new(other()), Arc::new(mymaster(members))];
    let listing = masters.iter().map(|view| (view.name.clone(), view.id)).collect();
    Snapshot::empty().apply(&Publication {
        seq: 1,
        masters,
        listing: Some(listing),
        process: Some(Arc::new(process())),
        events: Vec::new(),
    })
}

/// This long before [`NOW`].
pub(crate) fn ago(millis: u64) -> Time {
    NOW.mono - Span(millis)
}

pub(crate) fn id(text: &str) -> SentinelId {
    SentinelId::parse(text).expect("40 characters")
}

pub(crate) fn process() -> ProcessView {
    ProcessView {
        my_id: id("9ebe457fbf3c9b942934cab47d4f229145016052"),
        current_epoch: Epoch::ZERO,
        settings: Arc::default(),
        tunables: Tunables::default(),
        tilt_since: None,
        simulated_failures: SimulatedFailures { after_election: true, after_promotion: false },
        scripts: Vec::new(),
        disk_failing_since: None,
        counters: Counters::default(),
    }
}

pub(crate) fn link(reply_ms: u64) -> LinkView {
    LinkView {
        connected: true,
        pending: 0,
        sharers: 1,
        ping_waiting_since: None,
        ok_reply_at: ago(reply_ms),
        any_reply_at: ago(reply_ms),
    }
}

pub(crate) fn node(port: u16, run_id: &str, role: Role, ages: [u64; 3]) -> NodeView {
    let [reply_ms, info_ms, role_ms] = ages;
    NodeView {
        address: Endpoint::new("127.0.0.1", port),
        socket: None,
        run_id: RunId::parse(run_id),
        link: link(reply_ms),
        sdown_since: None,
        script_kill_sent: false,
        info_at: Some(ago(info_ms)),
        info: None,
        role_reported: role,
        role_reported_at: ago(role_ms),
    }
}

pub(crate) fn master(number: u64, name: &str, node: NodeView, down_after_ms: u64) -> MasterView {
    let settings = MasterSettings {
        down_after: Span(down_after_ms),
        ..MasterSettings::new(2, &Tunables::default())
    };
    MasterView {
        id: MasterId(number),
        name: name.into(),
        node,
        odown_since: None,
        failover: None,
        rebooting: false,
        config_epoch: Epoch::ZERO,
        leader_epoch: Epoch::ZERO,
        settings: Arc::new(settings),
        replicas: Vec::new(),
        sentinels: Vec::new(),
    }
}

fn other() -> MasterView {
    let mut node = node(51009, "", Role::Master, [8075, 0, 8075]);
    node.info_at = None;
    node.sdown_since = Some(ago(6984));
    node.link.connected = false;
    node.link.pending = 3;
    node.link.ping_waiting_since = Some(ago(8075));
    master(0, "other", node, 1000)
}

fn mymaster(members: usize) -> MasterView {
    let run_id = "8d5f7a4933c0613b1086f8c7baef18286370c30a";
    let node = node(51000, run_id, Role::Master, [802, 8063, 8075]);
    let mut view = master(1, "mymaster", node, 3000);
    view.replicas = vec![replica()];
    view.sentinels = (0..members).map(member).collect();
    view
}

pub(crate) fn replica() -> ReplicaView {
    let run_id = "fa1404e089c54e35a2d00641e667d3e224647846";
    ReplicaView {
        name: "127.0.0.1:51001".into(),
        node: node(51001, run_id, Role::Replica, [954, 3050, 8217]),
        promoted: false,
        reconf: None,
        link_down_ms: 0,
        master: Some(Endpoint::new("127.0.0.1", 51000)),
        link_up: true,
        priority: 100,
        offset: 559,
        announced: true,
    }
}

pub(crate) fn member(number: usize) -> MemberView {
    let ids =
        ["903ed8b5de54c8f708256e1c0190a425510f5005", "6ac011f3de54c8f708256e1c0190a425510f5005"];
    MemberView {
        id: id(ids[number % ids.len()]),
        address: Endpoint::new("127.0.0.1", 51011),
        link: link(63),
        sdown_since: None,
        says_down: false,
        hello_at: ago(192),
        leader: None,
        leader_epoch: Epoch::ZERO,
    }
}
