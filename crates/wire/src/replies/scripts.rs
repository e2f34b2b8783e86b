//! `SENTINEL PENDING-SCRIPTS` (spec: interface 2.17).

use vedette_core::{Now, ProcessView, ScriptView};

use crate::events::script_argv;
use crate::reply::{Reply, bulk, number, word};

/// The scripts that run or wait.
#[must_use]
pub fn pending_scripts(process: Option<&ProcessView>, now: Now) -> Reply {
    let scripts = process.map_or(&[][..], |process| &process.scripts);
    Reply::Array(scripts.iter().map(|script| entry(script, now)).collect())
}

fn entry(script: &ScriptView, now: Now) -> Reply {
    let argv = script_argv(&script.call).into_iter().map(bulk).collect();
    let (flags, pid, time_name, time) = match script.running {
        Some((pid, since)) => ("running", pid, "run-time", now.mono.since(since)),
        None => ("scheduled", 0, "run-delay", script.start_at.since(now.mono)),
    };
    Reply::Map(vec![
        (word("argv"), Reply::Array(argv)),
        (word("flags"), word(flags)),
        (word("pid"), number(pid)),
        (word(time_name), number(time.0)),
        (word("retry-num"), number(script.attempts)),
    ])
}
