//! Flight recorders of simulated Sentinels, written, read and replayed.

use vedette_core::{Request, Secret, SetItem, SetOption, Span};
use vedette_sim::flight::{
    self, Bounds, Ending, FORMAT, Flight, Header, History, Peers, Reason, Replay, Sight, read,
    replay,
};
use vedette_sim::{MasterPlan, Plan, SentinelIndex, Witness, World};

/// Small, so that a run takes several checkpoints.
const BOUNDS: Bounds = Bounds { segment_bytes: 100_000, segment_age: Span(10_000) };

fn header() -> Header {
    Header {
        format: FORMAT,
        program: "vedette-sim".to_owned(),
        pid: 0,
        written_at: Default::default(),
        reason: Reason::Test,
    }
}

/// What the running Sentinels of a seed recorded, after a while of faults.
fn flights(seed: u64, safety_ms: u64) -> Vec<Flight> {
    let plan = Plan::draw(seed);
    let sentinels = plan.sentinels;
    let mut world = World::build(plan, Witness::strict().with_recorders(BOUNDS));
    world.run_for(5_000);
    world.begin();
    world.run_for(safety_ms);
    assert_eq!(world.witness().violation(), None, "seed {seed}");
    let recordings = (0..sentinels).filter_map(|index| world.recording(SentinelIndex(index)));
    recordings.map(|history| written_and_read(&history)).collect()
}

fn written(history: &History) -> String {
    let mut bytes = Vec::new();
    flight::write(&header(), history, &mut bytes).expect("memory takes it");
    String::from_utf8(bytes).expect("JSON")
}

fn written_and_read(history: &History) -> Flight {
    read(written(history).as_bytes()).expect("what was written is read")
}

/// Three Sentinels and a master with two replicas, which were left alone for a while.
fn quiet_world() -> World {
    let master = MasterPlan {
        name: "mymaster".to_owned(),
        quorum: 2,
        down_after_ms: 1_000,
        failover_timeout_ms: 10_000,
        parallel_syncs: 1,
        priorities: vec![100; 3],
        full_sync_ms: 100,
    };
    let plan = Plan::quiet(1, 3, master, 1);
    let mut world = World::build(plan, Witness::strict().with_recorders(BOUNDS));
    world.run_for(5_000);
    world
}

fn replayed(flight: &Flight) -> (Replay, Vec<String>) {
    let mut lines = Vec::new();
    let mut peers = Peers::of(&flight.parts[0].checkpoint);
    let mut watch = |_, sight: Sight<'_>| lines.extend(sight.lines(&mut peers));
    let replay = replay(flight, &mut watch).expect("a replay");
    (replay, lines)
}

/// Whatever happens to a group, each Sentinel's recording leads to the same orders and to the same
/// state again.
#[test]
fn every_recording_replays_to_the_same_state() {
    let (mut checkpoints, mut switches) = (0, 0);
    for seed in 1..=8 {
        for flight in flights(seed, 30_000) {
            let (replay, lines) = replayed(&flight);
            assert!(matches!(replay.ending, Ending::Agrees), "seed {seed}: {}", replay.ending);
            assert_eq!(replay.inputs, flight.inputs(), "seed {seed}");
            let nameless = lines.iter().find(|line| line.starts_with("-> ConnId"));
            assert_eq!(nameless, None, "seed {seed}: an order to nobody knows whom");
            checkpoints += replay.checkpoints;
            switches += lines.iter().filter(|line| line.contains("+switch-master")).count();
        }
    }
    assert!(checkpoints >= 15, "{checkpoints} checkpoints");
    assert!(switches >= 8, "{switches} switches");
}

/// A recording holds no password, so nothing may depend on whether one is the same as before.
#[test]
fn passwords_change_no_decision() {
    let mut world = quiet_world();
    for password in ["one", "one", "other"] {
        let option = SetOption::AuthPass(Some(Secret::new(password)));
        let options = vec![SetItem { option, shown: "auth-pass ******".into() }];
        world.request(SentinelIndex(0), Request::Set { name: "mymaster".into(), options });
        world.run_for(1_000);
    }
    let history = world.recording(SentinelIndex(0)).expect("a recorder");
    let (replay, lines) = replayed(&written_and_read(&history));
    assert!(matches!(replay.ending, Ending::Agrees), "{}", replay.ending);
    assert_eq!(lines.iter().filter(|line| line.contains("+set")).count(), 3, "{lines:#?}");
}

/// A replay that would not notice a difference would prove nothing.
#[test]
fn a_missing_input_is_noticed() {
    let mut noticed = 0;
    for mut flight in flights(1, 30_000) {
        let entries = &mut flight.parts[0].entries;
        let input = |input: &str| {
            let found = entries.iter().position(|step| format!("{step:?}").contains(input));
            found.expect("an input of this kind")
        };
        entries.remove(input("Pong"));
        let (replay, _) = replayed(&flight);
        noticed += usize::from(!matches!(replay.ending, Ending::Agrees));
    }
    assert!(noticed > 0);
}

/// The states of checkpoints are compared, not only the orders.
#[test]
fn a_checkpoint_of_another_sentinel_is_noticed() {
    let flights = (2..=4).flat_map(|seed| flights(seed, 30_000));
    let mut flights: Vec<_> = flights.filter(|flight| flight.parts.len() == 2).collect();
    let other = flights[1].parts[1].checkpoint.clone();
    flights[0].parts[1].checkpoint = other;
    let (replay, _) = replayed(&flights[0]);
    let Ending::OtherState(difference) = replay.ending else { panic!("{}", replay.ending) };
    assert!(difference.place.starts_with('/'), "{difference}");
}

/// An epoch that no Sentinel can have makes the core's arithmetic panic, in builds that check it: a
/// stand-in for a bug.
#[test]
#[cfg(debug_assertions)]
fn a_panic_comes_again_and_names_its_input() {
    let text = written(&quiet_world().recording(SentinelIndex(0)).expect("a recorder"));
    let (before, after) = text.split_once(",\"epoch_known\":false").expect("a checkpoint");
    let (before, _epoch) = before.rsplit_once(':').expect("an epoch");
    let text = format!("{before}:{},\"epoch_known\":true{after}", u64::MAX);
    let (replay, _) = replayed(&read(text.as_bytes()).expect("a recording"));
    let Ending::Panicked { line, input, message } = replay.ending else {
        panic!("{}", replay.ending)
    };
    assert!(message.contains("overflow"), "{message}");
    let recorded = text.lines().nth(line - 1).expect("its line");
    assert!(recorded.starts_with("{\"in\":") && recorded.contains("\"hello\":{"), "{recorded}");
    assert!(format!("{input:?}").contains("mymaster"), "{input:?}");
}
