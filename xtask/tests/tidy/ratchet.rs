//! Rules with exceptions that may only shrink. A line of `exceptions.txt`: the rule, where, and
//! how much is measured there today.

use std::collections::BTreeMap;

use crate::report::{Violation, expect_none};
use crate::tree;

const FILE: &str = "xtask/tests/tidy/exceptions.txt";

/// What a rule found too large, by place.
pub(crate) type Excesses = BTreeMap<String, usize>;

/// Fails when a place is worse than its exception, and when an exception is no longer needed.
#[track_caller]
pub(crate) fn expect_no_worse(rule: &str, remedy: &str, found: &Excesses) {
    let allowed = exceptions(rule);
    let mut violations = Vec::new();
    for (place, measure) in found {
        match allowed.get(place) {
            None => violations.push(Violation::of(place, format!("{rule} is {measure}"))),
            Some(limit) if measure > limit => {
                let what = format!("{rule} is {measure}; it was excused up to {limit}");
                violations.push(Violation::of(place, what));
            }
            Some(limit) if measure < limit => {
                let what = format!("{rule} is now {measure}: lower its line in {FILE} to that");
                violations.push(Violation::of(place, what));
            }
            Some(_) => {}
        }
    }
    let done = allowed.keys().filter(|place| !found.contains_key(*place));
    violations.extend(done.map(|place| {
        Violation::of(place, format!("{rule} is within its limit: remove its line from {FILE}"))
    }));
    expect_none(remedy, &violations);
}

fn exceptions(rule: &str) -> Excesses {
    let file = tree::read(FILE);
    let lines = file.lines().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut allowed = Excesses::new();
    for (number, line) in lines {
        let mut words = line.split_whitespace();
        let (Some(name), Some(place), Some(measure), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            panic!("{FILE}:{number}: expected `rule place measure`, not `{line}`");
        };
        let measure = measure.parse().unwrap_or_else(|_| panic!("{FILE}:{number}: not a number"));
        assert!(RULES.contains(&name), "{FILE}:{number}: no rule is called {name}");
        if name == rule {
            allowed.insert(place.to_owned(), measure);
        }
    }
    allowed
}

/// The rules that may have exceptions.
const RULES: &[&str] =
    &["file-lines", "function-lines", "wide-lines", "catch-all-arms", "differences-not-shown"];
