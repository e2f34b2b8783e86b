//! Small explorations; `cargo xtask model` makes the large ones.

use std::time::Duration;

use vedette_core::{Rule, Rules};
use vedette_model::{Bounds, Crashes, Group};

/// Generous: these take seconds.
const PATIENCE: Duration = Duration::from_secs(600);

fn bounds(crashes: Crashes) -> Bounds {
    Bounds { masters: 1, last_epoch: 2, candidacies: None, crashes }
}

#[test]
fn two_epochs_have_no_hole() {
    let bounds = bounds(Crashes::Plain);
    let report = Group { bounds, rules: Rules::ALL }.explore(1, PATIENCE);
    assert!(report.exhausted, "{report:?}");
    assert!(report.unreached.is_empty(), "{report:?}");
}

/// What a crash can do to votes that were told before they were durable (spec: holes H22).
#[test]
fn votes_told_too_early_elect_two_leaders() {
    let rules = Rules::ALL.without(Rule::V3);
    let report = Group { bounds: bounds(Crashes::Plain), rules }.hunt_any(1, PATIENCE);
    assert!(!report.holes.is_empty(), "{report:?}");
}
