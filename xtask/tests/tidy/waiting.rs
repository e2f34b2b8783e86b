//! All timing is the core's: the shell owns few timers, and they are counted here.

use std::collections::BTreeMap;

use crate::report::{Violation, expect_none};
use crate::source::{Word, sources};

/// Calls that wait for time to pass.
const WAITS: &[&str] = &[
    "sleep",
    "sleep_until",
    "sleep_ms",
    "timeout",
    "timeout_at",
    "interval",
    "interval_at",
    "park_timeout",
    "recv_timeout",
    "recv_deadline",
    "wait_timeout",
    "set_read_timeout",
    "set_write_timeout",
    "connect_timeout",
    "nanosleep",
    "timerfd_create",
];

/// The timers there are: file, call, how many, and why.
const TIMERS: &[(&str, &str, usize, &str)] = &[
    ("crates/server/src/control/timer.rs", "timerfd_create", 1, "the core's deadline"),
    ("crates/server/src/control/mod.rs", "sleep", 1, "the core's composure"),
    (
        "crates/server/src/clients/thread.rs",
        "sleep_until",
        1,
        "the coarse tick for idle and slow clients, and the end of a pause",
    ),
    ("crates/server/src/tls/handshakes.rs", "timeout", 1, "the guard of a client's hand-shake"),
];

#[test]
fn shell_waits_only_on_the_timers_it_may_own() {
    let mut found: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for source in sources().iter().filter(|source| source.is_src_of("server")) {
        for token in source.tokens() {
            let Word::Call(call) = token.word else { continue };
            if !token.in_test && WAITS.contains(&call.as_str()) {
                found.entry((source.file.path.clone(), call)).or_default().push(token.line);
            }
        }
    }
    let mut violations = Vec::new();
    for ((path, call), lines) in &found {
        let timer = TIMERS.iter().find(|(file, name, ..)| file == path && name == call);
        let allowed = timer.map_or(0, |(_, _, count, _)| *count);
        for line in lines.iter().skip(allowed) {
            violations.push(Violation::at(path, *line, format!("{call} waits by itself")));
        }
    }
    for (path, call, count, _) in TIMERS {
        let lines = found.get(&((*path).to_owned(), (*call).to_owned()));
        if lines.map_or(0, Vec::len) < *count {
            violations.push(Violation::of(path, format!("{call} is gone: remove it from TIMERS")));
        }
    }
    let remedy = "let the core keep the deadline and order the deed as an Effect; a new timer of \
                  the shell needs a row in TIMERS with its reason";
    expect_none(remedy, &violations);
}
