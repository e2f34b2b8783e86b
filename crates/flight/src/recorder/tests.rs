use std::net::{IpAddr, Ipv4Addr};

use vedette_core::{
    Answer, Config, ConnId, DurableState, Endpoint, Epoch, InfoAnswer, InfoReport, MasterSettings,
    Request, Role, SavedMaster, SentinelId, Settings, Ticket, Time, Tunables, WallTime,
};

use super::*;
use crate::chunks::CHUNK_BYTES;

/// A core that watches one master.
pub(crate) fn core(settings: MasterSettings) -> Sentinel {
    let master = SavedMaster {
        name: "mymaster".into(),
        address: Endpoint::new("10.0.0.1", 6379),
        settings,
        config_epoch: Epoch::ZERO,
        leader_epoch: None,
        replicas: Vec::new(),
        sentinels: Vec::new(),
        last_vote: None,
    };
    let saved = DurableState {
        my_id: SentinelId::from_random([7; 20]),
        current_epoch: None,
        settings: Settings::default(),
        masters: vec![master],
    };
    Sentinel::start(Config::new(26379, None), saved, 1, Now::default())
}

pub(crate) fn plain_core() -> Sentinel {
    core(MasterSettings::new(2, &Tunables::default()))
}

pub(crate) fn at(ms: u64) -> Now {
    Now { mono: Time(ms), ..Now::default() }
}

fn recorder(bounds: Bounds) -> Recorder {
    Recorder::new(Arc::new(plain_core()), at(0), bounds)
}

fn connected(number: u64) -> Input {
    Input::Connected { conn: ConnId(number), local_ip: IpAddr::V4(Ipv4Addr::LOCALHOST) }
}

fn numbers(segment: &Segment) -> Vec<u64> {
    let number = |entry: Result<Entry, postcard::Error>| {
        let Ok(Entry::Took(_, Input::Connected { conn, .. })) = entry else { return None };
        Some(conn.0)
    };
    segment.entries().filter_map(number).collect()
}

#[test]
fn entries_stay_in_order_over_chunks() {
    let mut recorder = recorder(Bounds::default());
    let count = 3 * CHUNK_BYTES as u64 / 10;
    (0..count).for_each(|number| recorder.took(at(number), &connected(number)));
    let history = recorder.history();
    assert_eq!(numbers(&history.segments()[0]), (0..count).collect::<Vec<_>>());
    assert!(history.segments()[0].bytes() > 2 * CHUNK_BYTES);
}

#[test]
fn a_hand_over_is_not_changed_by_what_comes_later() {
    let mut recorder = recorder(Bounds::default());
    recorder.took(at(1), &connected(1));
    let history = recorder.history();
    (2..CHUNK_BYTES as u64).for_each(|number| recorder.took(at(number), &connected(number)));
    assert_eq!(numbers(&history.segments()[0]), [1]);
}

#[test]
fn the_oldest_of_three_segments_is_given_back() {
    let mut recorder = recorder(Bounds::default());
    for number in 0..3 {
        recorder.took(at(number), &connected(number));
        let dropped = recorder.begin_segment(Arc::new(plain_core()), at(number));
        let expected = number.checked_sub(1).map(|before| vec![before]);
        assert_eq!(dropped.as_ref().map(numbers), expected);
    }
    recorder.took(at(3), &connected(3));
    let kept: Vec<_> = recorder.history().segments().iter().map(numbers).collect();
    assert_eq!(kept, [vec![2], vec![3]]);
}

#[test]
fn a_segment_is_full_by_its_bytes_or_its_age() {
    let bounds = Bounds { segment_bytes: 10_000, segment_age: Span(1000) };
    let mut recorder = recorder(bounds);
    assert!(!recorder.wants_checkpoint(at(999)));
    assert!(recorder.wants_checkpoint(at(1000)));
    while !recorder.wants_checkpoint(at(0)) {
        assert!(recorder.history().segments()[0].bytes() < 10_000);
        recorder.took(at(0), &connected(1));
    }
    assert!(recorder.history().segments()[0].bytes() < 10_100);
    recorder.begin_segment(Arc::new(plain_core()), at(0));
    assert!(!recorder.wants_checkpoint(at(0)));
}

#[test]
fn full_chunks_are_packed_and_read_back() {
    let mut recorder = recorder(Bounds::default());
    let told = 40_000;
    (0..told).for_each(|number| recorder.took(at(number), &connected(number % 7)));
    let history = recorder.history();
    let segment = &history.segments()[0];
    assert!(segment.bytes() > 2 * CHUNK_BYTES);
    assert!(segment.memory_bytes() < segment.bytes() / 2 + 2 * CHUNK_BYTES);
    let expected: Vec<_> = (0..told).map(|number| number % 7).collect();
    assert_eq!(numbers(segment), expected);
}

#[test]
fn a_chunk_that_cannot_be_unpacked_is_said_to_be_bad() {
    let mut recorder = recorder(Bounds::default());
    recorder.present.chunks.push_packed(&[4, 0, 0, 0, 0x40]);
    recorder.took(at(1), &connected(1));
    let history = recorder.history();
    let read: Vec<_> = history.segments()[0].entries().map(|entry| entry.is_ok()).collect();
    assert_eq!(read, [false, true]);
}

#[test]
fn texts_of_info_are_left_out_and_weigh_nothing() {
    let report = InfoReport {
        text: "x".repeat(100_000).into(),
        run_id: None,
        role: Role::Master,
        replicas: vec![Endpoint::new("10.0.0.2", 6379)],
        link_down_ms: None,
        master: None,
        link_up: None,
        priority: Some(7),
        offset: None,
        announced: None,
        hand_over: None,
    };
    let silent = InfoReport { text: "".into(), ..report.clone() };
    let answer = |report| Answer::Info(InfoAnswer::Report(Arc::new(report)));
    let heard = |report| Input::Answered { conn: ConnId(1), answer: answer(report) };
    let mut recorder = recorder(Bounds::default());
    recorder.took(at(0), &heard(report));
    let history = recorder.history();
    let segment = &history.segments()[0];
    assert_eq!(segment.entries().next(), Some(Ok(Entry::Took(at(0), heard(silent)))));
    assert!(segment.bytes() < 1000, "{}", segment.bytes());
}

/// The figures of the bounds rest on it.
#[test]
fn what_happens_most_takes_a_few_bytes() {
    let mut recorder = recorder(Bounds::default());
    recorder.took(at(5000), &Input::DeadlineReached);
    let answer = Answer::Ping(vedette_core::PingReply::Pong);
    recorder.took(at(5001), &Input::Answered { conn: ConnId(70_000), answer });
    assert!(recorder.present.bytes() < 20, "{}", recorder.present.bytes());
}

fn hello(config_epoch: u64) -> Arc<vedette_core::Hello> {
    Arc::new(vedette_core::Hello {
        sentinel: Endpoint::new("10.0.0.9", 26379),
        id: SentinelId::from_random([8; 20]),
        current_epoch: Epoch::ZERO,
        master: "mymaster".into(),
        address: Endpoint::new("10.0.0.1", 6379),
        config_epoch: Epoch::new(config_epoch).unwrap(),
    })
}

/// They are most of what is heard, and nearly all of them say what was said before.
#[test]
fn hellos_are_kept_once_for_each_segment() {
    let heard = |number: u64| Input::MessageReceived {
        conn: ConnId(number),
        hello: Some(hello(number % 3)),
    };
    let told = |number: u64| Input::Requested {
        ticket: Ticket(number),
        request: Request::Hello(Some(hello(number % 3))),
    };
    let inputs: Vec<Input> =
        (0..300).map(|n| if n % 2 == 0 { heard(n) } else { told(n) }).collect();
    let mut recorder = recorder(Bounds::default());
    for segment in 0..2 {
        inputs.iter().for_each(|input| recorder.took(at(segment), input));
        assert!(recorder.present.bytes() < 300 * 8 + 3 * 200, "{}", recorder.present.bytes());
        recorder.begin_segment(Arc::new(plain_core()), at(segment));
    }
    let history = recorder.history();
    let read: Vec<Input> = history.segments()[0]
        .entries()
        .map(|entry| match entry {
            Ok(Entry::Took(_, input)) => input,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(read, inputs);
}

/// Clocks are values too: whatever they do is kept.
#[test]
fn any_times_are_kept() {
    let start = Now { mono: Time(u64::MAX), wall: WallTime(7) };
    let later = Now { mono: Time(3), wall: WallTime(u64::MAX) };
    let mut recorder = Recorder::new(Arc::new(plain_core()), start, Bounds::default());
    recorder.took(later, &Input::DeadlineReached);
    recorder.took(start, &Input::DeadlineReached);
    let history = recorder.history();
    let entries: Vec<_> = history.segments()[0].entries().map(Result::unwrap).collect();
    let expected = [later, start].map(|now| Entry::Took(now, Input::DeadlineReached));
    assert_eq!(entries, expected);
}
