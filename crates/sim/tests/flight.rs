//! Flight recorders of simulated Sentinels, written, read and replayed.

use vedette_core::{Request, Secret, SetItem, SetOption, Span};
use vedette_sim::flight::{
    self, Bounds, Ending, FORMAT, Flight, Header, History, Reason, Replay, Sight, read, replay,
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

fn written_and_read(history: &History) -> Flight {
    let mut bytes = Vec::new();
    flight::write(&header(), history, &mut bytes).expect("memory takes it");
    read(&bytes[..]).expect("what was written is read")
}

fn replayed(flight: &Flight) -> (Replay, Vec<String>) {
    let mut lines = Vec::new();
    let mut watch = |_, sight: Sight<'_>| lines.extend(sight.lines());
    let replay = replay(flight, &mut watch).expect("a replay");
    (replay, lines)
}

/// Whatever happens to a group, each Sentinel's recording leads to the same orders and to the same
/// state again.
#[test]
fn every_recording_replays_to_the_same_state() {
    let (mut checkpoints, mut switches) = (0, 0);
    for seed in 1..=12 {
        for flight in flights(seed, 30_000) {
            let (replay, lines) = replayed(&flight);
            assert!(matches!(replay.ending, Ending::Agrees), "seed {seed}: {}", replay.ending);
            assert_eq!(replay.inputs, flight.inputs(), "seed {seed}");
            checkpoints += replay.checkpoints;
            switches += lines.iter().filter(|line| line.contains("+switch-master")).count();
        }
    }
    assert!(checkpoints >= 20, "{checkpoints} checkpoints");
    assert!(switches >= 10, "{switches} switches");
}

/// A recording holds no password, so nothing may depend on whether one is the same as before.
#[test]
fn passwords_change_no_decision() {
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
