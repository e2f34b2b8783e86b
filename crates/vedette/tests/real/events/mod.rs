//! One story played with a group of the reference and with one of ours: the same events.

mod alone;
mod differences;
mod mask;
mod peer;
mod story;

use std::collections::{BTreeMap, BTreeSet};

use vedette::lab::Template;
use vedette_wire::Dialect;

use crate::group::{redis_sentinel, speaking, valkey_sentinel};
use alone::Scene;
use differences::{DIFFERENCES, Difference};
use story::Line;

/// How often each event was heard, and from whom.
type Heard = BTreeMap<Line, usize>;

fn counted(lines: Vec<Line>) -> Heard {
    let mut counts = BTreeMap::new();
    for line in lines {
        *counts.entry(line.without_messenger()).or_default() += 1;
    }
    counts
}

/// Whether any Sentinel of the group said so.
fn anybody_said(heard: &Heard, line: &Line) -> bool {
    heard.keys().any(|other| other.event == line.event && other.payload == line.payload)
}

fn findings(theirs: &Heard, ours: &Heard) -> Vec<String> {
    let count = |heard: &Heard, line| heard.get(line).copied().unwrap_or(0);
    let lines: BTreeSet<&Line> = theirs.keys().chain(ours.keys()).collect();
    let mut findings = Vec::new();
    for line in lines {
        let (reference, mine) = (count(theirs, line), count(ours, line));
        let known = DIFFERENCES.iter().find(|known| known.is_about(line));
        let is_good = match known.map(|known| known.kind) {
            None => reference == mine,
            Some(Difference::Ours) => reference <= mine,
            Some(Difference::Theirs) => reference >= mine,
            Some(Difference::Chance) => anybody_said(theirs, line) == anybody_said(ours, line),
        };
        if !is_good {
            findings.push(format!("{reference} times by theirs, {mine} by ours: {line:?}"));
        }
    }
    findings
}

fn check(dialect: Dialect, reference: Template) {
    let [theirs, ours] = [reference, speaking(dialect)].map(|template| {
        println!("{template:?}");
        let lines = story::play(template);
        for Line { who, event, payload } in &lines {
            println!("{who:9} {event} {payload}");
        }
        counted(lines)
    });
    println!("{} events of theirs, {} of ours", theirs.len(), ours.len());
    let findings = findings(&theirs, &ours);
    assert!(findings.is_empty(), "{} differ:\n{}", findings.len(), findings.join("\n"));
}

/// Plays all parts with both at the same time.
fn check_alone(dialect: Dialect, reference: Template) {
    let parts = [alone::play_scripts, alone::play_repointing, alone::play_failures];
    let played = std::thread::scope(|scope| {
        let part = |play: fn(Template) -> Vec<Scene>| {
            [reference.clone(), speaking(dialect)]
                .map(|template| scope.spawn(move || play(template)))
        };
        parts.map(part).map(|both| both.map(|play| play.join().expect("a played story")))
    });
    for [theirs, ours] in played {
        assert_eq!(theirs.len(), ours.len());
        for (theirs, ours) in theirs.into_iter().zip(ours) {
            println!("{}:\n  {}", ours.name, ours.lines.join("\n  "));
            assert_eq!(theirs.but_for_known_differences(dialect), ours, "the reference's, ours");
        }
    }
}

#[test]
fn a_lonely_sentinel_says_the_same_as_redis() {
    if let Some(reference) = redis_sentinel() {
        check_alone(Dialect::Redis, reference);
    }
}

#[test]
fn a_lonely_sentinel_says_the_same_as_valkey() {
    if let Some(reference) = valkey_sentinel() {
        check_alone(Dialect::Valkey, reference);
    }
}

#[test]
fn events_are_those_of_redis() {
    if let Some(reference) = redis_sentinel() {
        check(Dialect::Redis, reference);
    }
}

#[test]
fn events_are_those_of_valkey() {
    if let Some(reference) = valkey_sentinel() {
        check(Dialect::Valkey, reference);
    }
}

#[test]
fn an_event_that_is_missing_or_spelled_otherwise_is_found() {
    let line = |payload: &str| Line::new("leader", "+switch-master", payload);
    let [theirs, ours] = ["m 127.0.0.1 N0 127.0.0.1 N1", "m 127.0.0.1:N0 127.0.0.1:N1"]
        .map(|payload| counted(vec![line(payload)]));
    assert_eq!(findings(&theirs, &theirs), Vec::<String>::new());
    assert_eq!(findings(&theirs, &ours).len(), 2);
    assert_eq!(findings(&theirs, &Heard::new()).len(), 1);
    let twice = counted(vec![line("x"), line("x")]);
    assert_eq!(findings(&counted(vec![line("x")]), &twice).len(), 1);
}
