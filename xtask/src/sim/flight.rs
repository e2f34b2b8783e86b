//! `cargo xtask sim --flight FILE`: a recorded incident once more.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use vedette_core::{Now, WallTime};
use vedette_sim::flight::{Ending, Flight, FlightError, Reason, Sight, read, replay};

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

fn told(path: &Path, args: &SimArgs) -> Result<bool, FlightError> {
    let flight = read(BufReader::new(File::open(path)?))?;
    describe(&flight);
    let wanted = |line: &str| args.master.as_ref().is_none_or(|name| line.contains(name.as_str()));
    let mut watch = |now: Now, sight: Sight<'_>| {
        if !args.trace {
            return;
        }
        for line in sight.lines().into_iter().filter(|line| wanted(line)) {
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
