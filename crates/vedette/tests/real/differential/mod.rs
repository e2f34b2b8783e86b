//! The same commands to a reference and to ours, which watch the same nodes: the same answers.
//!
//! The `LISTS` are asked while nothing
//! happens, `questions.txt` in each state of the story `states.txt`.

mod list;
mod mask;
mod pair;
mod spelling;
mod story;
mod talk;
mod tests;

use vedette::lab::{GroupSpec, Template};
use vedette_wire::Dialect;

use crate::group::{redis_sentinel, speaking, spec, start, valkey_sentinel};
use pair::Pair;

const LISTS: [&str; 5] = [
    include_str!("commands.txt"),
    include_str!("introspection.txt"),
    include_str!("settings.txt"),
    include_str!("tracking.txt"),
    include_str!("malformed.txt"),
];

/// One of the reference and one of ours, a master and a replica.
fn group(dialect: Dialect, reference: Template) -> GroupSpec {
    let sentinels = vec![reference, speaking(dialect)];
    GroupSpec { sentinels, replicas: 1, ..spec() }
}

fn check_commands(dialect: Dialect, reference: Template) {
    let lab = start(GroupSpec { down_after_ms: 30_000, quorum: 1, ..group(dialect, reference) });
    let mut pair = Pair::new(&lab, dialect);
    for line in LISTS.into_iter().flat_map(list::lines) {
        pair.compare_in_both_protocols(line);
    }
    pair.conclude();
}

fn check_states(dialect: Dialect, reference: Template) {
    let sentinel_lines = vec!["sentinel deny-scripts-reconfig no".to_owned()];
    let mut lab = start(GroupSpec { sentinel_lines, ..group(dialect, reference) });
    let mut pair = Pair::new(&lab, dialect);
    story::play(&mut lab, &mut pair);
    pair.conclude();
}

#[test]
fn commands_are_answered_as_by_redis() {
    let Some(reference) = redis_sentinel() else { return };
    check_commands(Dialect::Redis, reference);
}

#[test]
fn commands_are_answered_as_by_valkey() {
    let Some(reference) = valkey_sentinel() else { return };
    check_commands(Dialect::Valkey, reference);
}

#[test]
fn every_state_is_shown_as_by_redis() {
    let Some(reference) = redis_sentinel() else { return };
    check_states(Dialect::Redis, reference);
}

#[test]
fn every_state_is_shown_as_by_valkey() {
    let Some(reference) = valkey_sentinel() else { return };
    check_states(Dialect::Valkey, reference);
}
