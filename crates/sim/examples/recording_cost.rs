//! What flight recording costs:
//! `cargo run --release -p vedette-sim --example recording_cost [masters]`.
//!
//! A quiet group on virtual time says how much there is to record in a second; the costs of one
//! input, of one checkpoint and of one file are measured on this machine. A world has addresses for
//! 80 masters.
#![allow(clippy::unwrap_used, reason = "an example")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use vedette_core::Span;
use vedette_flight::{Bounds, Entry, FORMAT, Header, Reason, Recorder, read, write};
use vedette_sim::{MasterPlan, Plan, SentinelIndex, Witness, World};

const SETTLING_MS: u64 = 20_000;
const RECORDED_MS: u64 = 10_000;

fn main() {
    let masters = std::env::args().nth(1).map_or(1, |word| word.parse().unwrap());
    let mut world = world(masters);
    world.run_for(SETTLING_MS + RECORDED_MS);
    let history = world.recording(SentinelIndex(0)).unwrap();
    let segment = history.segments().last().unwrap();
    let list: Vec<Entry> = segment.entries().map(Result::unwrap).collect();
    let last = list.iter().rev().find_map(|entry| match entry {
        Entry::Took(now, _) => Some(now.mono),
        Entry::Ended(_) => None,
    });
    let span = last.unwrap().since(segment.since().mono);
    let entries = list.len();
    let all: usize = history.segments().iter().map(|segment| segment.entries().count()).sum();
    let seconds = span.0 as f64 / 1000.0;
    println!(
        "{masters} masters, {seconds:.1} s: {:.0} entries and {:.0} KiB a second, {} bytes each",
        entries as f64 / seconds,
        segment.bytes() as f64 / 1024.0 / seconds,
        segment.bytes() / entries,
    );

    println!("kept in {:.2} of these bytes", kept(segment.memory_bytes(), segment.bytes()));

    // Read back from a file, as the checkpoint of a recording is meant for.
    let header = Header {
        format: FORMAT,
        program: "recording_cost".to_owned(),
        pid: 0,
        written_at: Default::default(),
        reason: Reason::Test,
    };
    let mut file = Vec::new();
    write(&header, &history, &mut file).unwrap();
    let core = read(&file[..]).unwrap().parts.pop().unwrap().checkpoint;
    let cloned = median(|| drop(black_box(Arc::new((*core).clone()))));
    println!("a checkpoint, taken and dropped: {cloned:.1} us");

    let recorded = median(|| {
        let mut recorder = Recorder::new(Arc::new((*core).clone()), segment.since(), never());
        for entry in &list {
            match entry {
                Entry::Took(now, input) => recorder.took(*now, input),
                Entry::Ended(turn) => recorder.ended(*turn),
            }
        }
        black_box(recorder);
    });
    println!("an entry, added and dropped: {:.3} us", (recorded - cloned) / entries as f64);

    let handed = median(|| drop(black_box(history.clone())));
    let written = median(|| {
        file.clear();
        write(&header, &history, &mut file).unwrap();
    });
    println!(
        "a file: {handed:.1} us to hand over, {:.1} ms to write, {} KiB, {} bytes an entry",
        written / 1000.0,
        file.len() / 1024,
        file.len() / all,
    );
}

fn world(masters: usize) -> World {
    let master = |number| MasterPlan {
        name: format!("master{number}"),
        quorum: 2,
        down_after_ms: 5_000,
        failover_timeout_ms: 180_000,
        parallel_syncs: 1,
        priorities: vec![100; 3],
        full_sync_ms: 100,
    };
    let mut plan = Plan::quiet(1, 3, master(0), 1);
    plan.masters = (0..masters).map(master).collect();
    let bounds = Bounds { segment_age: Span(SETTLING_MS), ..never() };
    World::build(plan, Witness::idle().with_recorders(bounds))
}

fn kept(memory: usize, bytes: usize) -> f64 {
    memory as f64 / bytes as f64
}

fn never() -> Bounds {
    Bounds { segment_bytes: usize::MAX, segment_age: Span(u64::MAX) }
}

/// The median of some runs, in microseconds.
fn median(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..21)
        .map(|_| {
            let started = Instant::now();
            work();
            started.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
