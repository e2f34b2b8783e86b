use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use vedette_core::{
    Config, DurableState, Endpoint, Input, LogLevel, Request, SentinelId, Settings, Ticket,
};
use vedette_flight::{Entry, Flight, read};

use super::*;
use crate::log::LogTarget;
use crate::process::abort_on_panic;

/// Longest wait for something that must happen.
const PATIENCE: Duration = Duration::from_secs(10);
/// Tells the test program that it is the child that panics, and its folder.
const CHILD: &str = "VEDETTE_TEST_PANICKING_CHILD";

fn core() -> Sentinel {
    let saved = DurableState {
        my_id: SentinelId::from_random([7; 20]),
        current_epoch: None,
        settings: Settings::default(),
        masters: Vec::new(),
    };
    Sentinel::start(Config::new(26379, None), saved, 1, Now::default())
}

fn monitor(name: &str) -> Input {
    let address = Endpoint::new("127.0.0.1", 1);
    let request = Request::Monitor { name: name.into(), address, quorum: 1 };
    Input::Requested { ticket: Ticket(1), request }
}

/// A recorder in this folder, and its core after one turn.
fn recorder(folder: &Path) -> (FlightRecorder, Recorded) {
    let target = LogTarget { file: Some(folder.join("log")), ..LogTarget::default() };
    let log = Log::new(target, LogLevel::Notice);
    let recorder = FlightRecorder::start(&folder.join("s.conf"), &log).unwrap();
    let mut core = recorder.record(core(), Now::default());
    core.handle_input(Now::default(), monitor("one"));
    while core.poll_effect().is_some() {}
    (recorder, core)
}

fn flight(path: &Path) -> Option<Flight> {
    let bytes = std::fs::read(path).ok()?;
    Some(read(&bytes[..]).unwrap())
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

#[test]
fn a_file_is_written_on_request_while_recording_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (recorder, mut core) = recorder(folder.path());
    recorder.write_soon();
    let path = std::fs::canonicalize(folder.path()).unwrap().join("s.conf.flight-1.jsonl");
    let deadline = Instant::now() + PATIENCE;
    // The name appears when the file is whole.
    while !path.exists() || !log(folder.path()).contains("Flight recording written to") {
        assert!(Instant::now() < deadline, "{}", log(folder.path()));
        core.handle_input(Now::default(), Input::DeadlineReached);
        while core.poll_effect().is_some() {}
    }
    let flight = flight(&path).unwrap();
    assert_eq!(flight.header.reason, Reason::Signal);
    assert_eq!(flight.header.pid, std::process::id());
    assert_eq!(flight.parts[0].entries[0].entry, Entry::Took(Now::default(), monitor("one")));
}

/// The file of a process that panicked holds the input that was its last, and nothing of the
/// panic's message, which may quote anything.
#[test]
fn a_panicking_process_leaves_its_recording() {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "recorder::tests::the_child_panics", "--nocapture"])
        .env(CHILD, folder.path())
        .output()
        .unwrap()
        .status;
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()), "{}", log(folder.path()));
    let path = folder.path().join("s.conf.flight-1.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{}", log(folder.path())));
    assert!(!text.contains("tr0ub4dor"), "{text}");
    let flight = flight(&path).unwrap();
    let Reason::Panic(place) = flight.header.reason else { panic!("{:?}", flight.header) };
    assert!(place.contains("recorder/tests.rs"), "{place}");
    let last = flight.parts[0].entries.last().map(|step| &step.entry);
    assert_eq!(last, Some(&Entry::Took(Now::default(), monitor("two"))));
    assert!(log(folder.path()).contains("Flight recording written to"), "{}", log(folder.path()));
}

/// Does nothing unless [`a_panicking_process_leaves_its_recording`] started it: then it takes the
/// process down, as a bug in the core would.
#[test]
fn the_child_panics() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let (recorder, mut core) = recorder(Path::new(&folder));
    abort_on_panic(&recorder.0.log.clone(), &recorder);
    let control = std::thread::spawn(move || {
        core.handle_input(Now::default(), monitor("two"));
        panic!("while it held tr0ub4dor");
    });
    let _aborted_by_now = control.join();
}
