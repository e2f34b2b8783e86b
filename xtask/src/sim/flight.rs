//! `cargo xtask sim --flight FILE`: a recorded incident once more.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use vedette_core::{Now, WallTime};
use vedette_sim::flight::{Ending, Flight, Peers, Reason, Sight, read, replay};
use vedette_sim::has_name;

use super::SimArgs;
use crate::say::say;

/// Tells what the file holds, and replays it. A failure if the replay is not as recorded.
pub(super) fn run(path: &Path, args: &SimArgs) -> ExitCode {
    match told(path, args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}

fn told(path: &Path, args: &SimArgs) -> Result<bool, Box<dyn Error>> {
    let flight = read(BufReader::new(File::open(path)?))?;
    describe(&flight);
    let names = match &args.master {
        Some(name) => Some(names_of(&flight, name)?),
        None => None,
    };
    let wanted = |line: &str| {
        names.as_ref().is_none_or(|names| names.iter().any(|name| has_name(line, name)))
    };
    let checkpoint = flight.parts.first().map(|part| &part.checkpoint);
    let mut peers = checkpoint.map(|first| Peers::of(first)).unwrap_or_default();
    let mut watch = |now: Now, sight: Sight<'_>| {
        if !args.trace {
            return;
        }
        for line in sight.lines(&mut peers).into_iter().filter(|line| wanted(line)) {
            say!("{} {:>9} {line}", utc(now.wall), now.mono.0);
        }
    };
    if let Reason::Panic(place) = &flight.header.reason {
        say!("it panicked at {place}; a build that aborts on panics ends there again");
    }
    let replay = replay(&flight, &mut watch)?;
    say!(
        "{} inputs, {} turns and {} later checkpoints replayed: {}",
        replay.inputs,
        replay.turns,
        replay.checkpoints,
        replay.ending
    );
    let panicked = matches!(replay.ending, Ending::Panicked { .. });
    Ok(match flight.header.reason {
        // A panic outside of the core leaves nothing to see here.
        Reason::Panic(_) => panicked || matches!(replay.ending, Ending::Agrees),
        Reason::Signal | Reason::Test => matches!(replay.ending, Ending::Agrees),
    })
}

/// What a master is called in a recording: its name, and its nodes' addresses as events and orders
/// spell them.
fn names_of(flight: &Flight, name: &str) -> Result<BTreeSet<String>, String> {
    let cores = || flight.parts.iter().map(|part| &part.checkpoint);
    let nodes = cores().flat_map(|core| core.nodes_of(name));
    let names: BTreeSet<String> = nodes
        .flat_map(|(shown, socket)| {
            let socket = socket.map(|socket| socket.to_string());
            let as_words = format!("{} {}", shown.host, shown.port);
            [Some(shown.to_string()), Some(as_words), socket].into_iter().flatten()
        })
        .chain([name.to_owned()])
        .collect();
    let known: BTreeSet<&str> =
        cores().flat_map(|core| core.masters()).map(|(name, _)| &**name).collect();
    match known.contains(name) {
        true => Ok(names),
        false => Err(format!("no checkpoint has a master {name}; there are {known:?}")),
    }
}

fn describe(flight: &Flight) {
    let header = &flight.header;
    say!(
        "written by {}, process {}, at {} because of {}",
        header.program,
        header.pid,
        utc(header.written_at),
        header.reason
    );
    if let Some((first, last)) = flight.span() {
        let seconds = last.mono.since(first.mono).0 as f64 / 1000.0;
        say!(
            "{} inputs in {seconds:.1} s, from {} to {}, {} checkpoints",
            flight.inputs(),
            utc(first.wall),
            utc(last.wall),
            flight.parts.len()
        );
    }
    if let Some(part) = flight.parts.first() {
        for (name, address) in part.checkpoint.masters() {
            say!("master {name} at {address} in the first checkpoint");
        }
    }
}

/// As `2026-01-01T00:00:00.123Z`; the daemon's log has local time.
fn utc(wall: WallTime) -> String {
    let moment = i64::try_from(wall.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(|| wall.0.to_string(), |moment| format!("{moment:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whole() {
        let line = "-> 10.0.0.1:6379 SLAVEOF 10.0.0.12:6380";
        assert!(has_name(line, "10.0.0.1:6379") && has_name(line, "10.0.0.12:6380"));
        assert!(!has_name(line, "10.0.0.1:637") && !has_name(line, "0.0.0.1:6379"));
        assert!(has_name("+sdown master m1 10.0.0.1 6379", "10.0.0.1 6379"));
        assert!(!has_name("+sdown master m1 10.0.0.1 6379", "m"));
    }
}
