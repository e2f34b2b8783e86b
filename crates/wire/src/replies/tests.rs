use bytes::BytesMut;
use vedette_core::{
    Detail, Endpoint, Epoch, Event, EventKind, FailoverState, FailoverView, InfoReport, JobId,
    MasterView, Now, ProcessView, ReconfState, Role, ScriptArguments, ScriptCall, ScriptView,
    Secret, Settings, Span,
};
use vedette_resp::{Protocol, ReplyDecoder, ReplyLimits, encode_frame};

use super::entry::Entries;
use super::samples::{NOW, ago, id, member, process, replica, snapshot};
use super::{caches, ckquorum, info, masters, scripts, settings};
use crate::Dialect;
use crate::client::ServerFacts;
use crate::reply::Reply;

/// The reply on the wire, CR and LF as `\r\n`.
fn wire(reply: &Reply, protocol: Protocol) -> String {
    let mut out = BytesMut::new();
    encode_frame(&mut out, reply, protocol);
    String::from_utf8_lossy(&out).replace('\r', "\\r").replace('\n', "\\n")
}

fn check(reply: &Reply, protocol: Protocol, recorded: &str) {
    assert_eq!(wire(reply, protocol), recorded.trim_end());
}

fn mymaster() -> MasterView {
    (**snapshot(1).master("mymaster").expect("in the sample")).clone()
}

fn check_entries(entries: impl FnOnce(Protocol) -> Entries, protocol: Protocol, recorded: &str) {
    let text = String::from_utf8_lossy(&entries(protocol).into_bytes()).into_owned();
    assert_eq!(text.replace('\r', "\\r").replace('\n', "\\n"), recorded.trim_end());
}

/// A single entry, to be looked into.
fn single() -> Entries {
    Entries::single(NOW, Protocol::Resp3)
}

/// What a client reads of it.
fn read(entry: Entries) -> Reply {
    let mut decoder = ReplyDecoder::new(ReplyLimits::default());
    decoder.feed(&entry.into_bytes());
    decoder.next().expect("well formed").expect("whole")
}

/// The value of a field of an entry, or none.
fn field(reply: &Reply, name: &str) -> Option<String> {
    let Reply::Map(pairs) = reply else { panic!("{reply:?}") };
    let pair = pairs.iter().find(|(key, _)| key.text().is_some_and(|key| key == name));
    pair.map(|(_, value)| String::from_utf8_lossy(value.text().expect("a bulk")).into_owned())
}

#[test]
fn masters_are_listed_as_recorded() {
    let recorded = include_str!("transcripts/masters.txt");
    check_entries(|spoken| masters::masters(&snapshot(1), NOW, spoken), Protocol::Resp2, recorded);
}

#[test]
fn an_entry_is_a_map_in_resp3() {
    let snapshot = snapshot(1);
    let view = snapshot.master("other").expect("in the sample");
    let later = Now { mono: NOW.mono + Span(605), ..NOW };
    let recorded = include_str!("transcripts/master-sdown-resp3.txt");
    check_entries(|spoken| Entries::single(later, spoken).master(view), Protocol::Resp3, recorded);
}

#[test]
fn replicas_are_listed_as_recorded() {
    let recorded = include_str!("transcripts/replicas.txt");
    let replicas = |spoken| masters::replicas(&mymaster(), NOW, spoken);
    check_entries(replicas, Protocol::Resp2, recorded);
}

#[test]
fn sentinels_are_listed_as_recorded() {
    let recorded = include_str!("transcripts/sentinels.txt");
    let sentinels = |spoken| masters::sentinels(&mymaster(), NOW, spoken);
    check_entries(sentinels, Protocol::Resp2, recorded);
}

#[test]
fn info_sentinel_is_as_recorded() {
    let facts = ServerFacts::default();
    let reply = info::info(&["SENTINEL", "nonsense"], &snapshot(1), &facts, NOW, Dialect::Redis);
    check(&reply, Protocol::Resp3, include_str!("transcripts/info-sentinel.txt"));
}

#[test]
fn info_has_five_sections_in_order() {
    let reply = info::info::<&str>(&[], &snapshot(1), &ServerFacts::default(), NOW, Dialect::Redis);
    let text = String::from_utf8_lossy(reply.text().expect("a bulk")).into_owned();
    let sections: Vec<_> = text.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(sections, ["# Server", "# Clients", "# Stats", "# CPU", "# Sentinel"]);
    assert!(text.contains("\r\nredis_mode:sentinel\r\n") && text.contains("\r\n\r\n# Clients\r\n"));
    assert!(text.contains("\r\nvedette_version:"));
    assert!(text.ends_with("sentinels=2\r\n"));
    let replication =
        info::info(&["replication"], &snapshot(1), &ServerFacts::default(), NOW, Dialect::Redis);
    check(&replication, Protocol::Resp2, "$0\\r\\n\\r\\n");
}

#[test]
fn flags_come_in_the_order_of_the_reference() {
    let mut view = mymaster();
    view.node.sdown_since = Some(ago(1));
    view.odown_since = Some(ago(2));
    view.node.link.connected = false;
    view.failover = Some(FailoverView {
        state: FailoverState::WaitPromotion,
        forced: true,
        coordinated: false,
    });
    view.node.script_kill_sent = true;
    view.rebooting = true;
    let reply = read(single().master(&view));
    let flags = "s_down,o_down,master,disconnected,failover_in_progress,force_failover,\
                 script_kill_sent,master_reboot";
    assert_eq!(field(&reply, "flags").as_deref(), Some(flags));
    assert_eq!(field(&reply, "failover-state").as_deref(), Some("wait_promotion"));
    assert_eq!(field(&reply, "s-down-time").as_deref(), Some("1"));
    assert_eq!(field(&reply, "o-down-time").as_deref(), Some("2"));
}

#[test]
fn replicas_show_their_part_in_a_failover() {
    let mut view = replica();
    view.promoted = true;
    view.reconf = Some(ReconfState::InProgress);
    view.link_up = false;
    view.master = None;
    view.link_down_ms = -1000;
    let reply = read(single().replica(&mymaster(), &view));
    assert_eq!(field(&reply, "flags").as_deref(), Some("slave,promoted,reconf_inprog"));
    assert_eq!(field(&reply, "master-host").as_deref(), Some("?"));
    assert_eq!(field(&reply, "master-link-status").as_deref(), Some("err"));
    assert_eq!(field(&reply, "master-link-down-time").as_deref(), Some("-1000"));
}

#[test]
fn replicas_that_hide_are_counted_but_not_listed() {
    let mut view = mymaster();
    view.replicas[0].announced = false;
    check_entries(|spoken| masters::replicas(&view, NOW, spoken), Protocol::Resp3, "*0\\r\\n");
    assert_eq!(field(&read(single().master(&view)), "num-slaves").as_deref(), Some("1"));
}

#[test]
fn sentinels_show_votes_and_opinions() {
    let mut view = member(0);
    view.says_down = true;
    view.link.sharers = 7;
    view.leader = Some(id("6ac011f3de54c8f708256e1c0190a425510f5005"));
    view.leader_epoch = Epoch::new(5).expect("in range");
    let reply = read(single().sentinel(&mymaster(), &view));
    assert_eq!(field(&reply, "flags").as_deref(), Some("sentinel,master_down"));
    assert_eq!(field(&reply, "link-refcount").as_deref(), Some("7"));
    assert_eq!(field(&reply, "voted-leader-epoch").as_deref(), Some("5"));
}

#[test]
fn ckquorum_names_everything_that_is_short() {
    let mut view = mymaster();
    let ok = "+OK 2 usable Sentinels. Quorum and failover authorization can be reached\\r\\n";
    check(&ckquorum::ckquorum(&view), Protocol::Resp2, ok);
    view.sentinels[0].sdown_since = Some(ago(1));
    let quorum = "Not enough available Sentinels to reach the specified quorum for this master";
    let majority = "Not enough available Sentinels to reach the majority and authorize a failover";
    let both = format!("-NOQUORUM 1 usable Sentinels. {quorum}. {majority}\\r\\n");
    check(&ckquorum::ckquorum(&view), Protocol::Resp2, &both);
    std::sync::Arc::make_mut(&mut view.settings).quorum = 1;
    let one = format!("-NOQUORUM 1 usable Sentinels. {majority}\\r\\n");
    check(&ckquorum::ckquorum(&view), Protocol::Resp2, &one);
}

#[test]
fn ckquorum_warns_when_nobody_could_be_promoted() {
    let mut view = mymaster();
    view.replicas[0].priority = 0;
    let text = wire(&ckquorum::ckquorum(&view), Protocol::Resp2);
    assert!(text.starts_with("+OK 2 usable Sentinels. Quorum and failover authorization can be"));
    assert!(text.contains("no replica"));
}

#[test]
fn info_cache_has_null_for_what_never_came() {
    let report = InfoReport {
        text: "role:master\r\n".into(),
        run_id: None,
        role: Role::Master,
        replicas: Vec::new(),
        link_down_ms: None,
        master: None,
        link_up: None,
        priority: None,
        offset: None,
        announced: None,
        hand_over: None,
    };
    let mut view = mymaster();
    view.node.info = Some(std::sync::Arc::new(report));
    let publication = vedette_core::Publication {
        seq: 2,
        masters: vec![std::sync::Arc::new(view)],
        listing: None,
        process: None,
        events: Vec::new(),
    };
    let snapshot = snapshot(1).apply(&publication);
    let reply = caches::info_cache(&snapshot, &["mymaster", "nope", "mymaster"], NOW);
    let recorded = "*2\\r\\n$8\\r\\nmymaster\\r\\n*2\\r\\n*2\\r\\n:8063\\r\\n$13\\r\\n\
                    role:master\\r\\n\\r\\n*2\\r\\n:3050\\r\\n$-1\\r\\n";
    check(&reply, Protocol::Resp2, recorded);
}

#[test]
fn scripts_show_how_long_they_run_or_wait() {
    let event = Event {
        kind: EventKind::NewEpoch,
        about: None,
        detail: Detail::Epoch(Epoch::new(7).expect("in range")),
    };
    let call = ScriptCall { path: "/x".into(), arguments: ScriptArguments::Notification(event) };
    let view = ScriptView {
        job: JobId(1),
        call: std::sync::Arc::new(call),
        running: Some((42, ago(5))),
        start_at: ago(5),
        attempts: 1,
    };
    let waiting = ScriptView { running: None, start_at: NOW.mono + Span(9), ..view.clone() };
    let process = ProcessView { scripts: vec![view, waiting], ..process() };
    let text = wire(&scripts::pending_scripts(Some(&process), NOW), Protocol::Resp3);
    let argv = "argv\\r\\n*3\\r\\n$2\\r\\n/x\\r\\n$10\\r\\n+new-epoch\\r\\n$1\\r\\n7\\r\\n";
    assert!(text.contains(argv), "{text}");
    assert!(text.contains("%5\\r\\n") && text.contains("running") && text.contains("run-time"));
    assert!(text.contains("scheduled") && text.contains("run-delay\\r\\n$1\\r\\n9\\r\\n"));
}

#[test]
fn config_get_hides_the_password_from_patterns() {
    let settings = Settings {
        sentinel_pass: Some(Secret::new("sesame")),
        announce_ip: Some("10.0.0.1".into()),
        ..Settings::default()
    };
    let process = ProcessView { settings: std::sync::Arc::new(settings), ..process() };
    let shown = |patterns: &[&str]| settings::config(Some(&process), patterns);
    assert_eq!(field(&shown(&["*"]), "sentinel-pass").as_deref(), Some("******"));
    assert_eq!(field(&shown(&["SENTINEL-pass"]), "sentinel-pass").as_deref(), Some("sesame"));
    assert_eq!(field(&shown(&["*"]), "announce-ip").as_deref(), Some("10.0.0.1"));
    let Reply::Map(pairs) = shown(&["*", "announce-*", "loglevel"]) else { panic!("a map") };
    assert_eq!(pairs.len(), 7);
}

#[test]
fn an_unknown_name_has_a_null_address() {
    check(&masters::address(None), Protocol::Resp2, "*-1\\r\\n");
    check(&masters::address(None), Protocol::Resp3, "_\\r\\n");
    let mut view = mymaster();
    view.node.address = Endpoint::new("::1", 1);
    let shown = "*2\\r\\n$3\\r\\n::1\\r\\n$1\\r\\n1\\r\\n";
    check(&masters::address(Some(&view)), Protocol::Resp3, shown);
}
