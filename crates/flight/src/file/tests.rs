use std::sync::Arc;

use vedette_core::{
    ConfigOption, MasterSettings, Request, Secret, SetItem, SetOption, Ticket, Tunables,
};

use super::*;
use crate::recorder::tests::{at, core, plain_core};
use crate::recorder::{Bounds, Recorder};

fn header() -> Header {
    Header {
        format: FORMAT,
        program: "vedette 0".to_owned(),
        pid: 1,
        written_at: WallTime(5),
        reason: Reason::Test,
    }
}

fn recorder() -> Recorder {
    let mut recorder = Recorder::new(Arc::new(plain_core()), at(0), Bounds::default());
    recorder.ended(Turn { effects: 4, digest: u32::MAX, deadline: None });
    recorder.took(at(1), &Input::DeadlineReached);
    recorder.begin_segment(Arc::new(plain_core()), at(2));
    recorder.took(at(3), &Input::DeadlineReached);
    recorder
}

fn written(recorder: &Recorder) -> String {
    let mut bytes = Vec::new();
    write(&header(), &recorder.history(), &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn what_was_written_is_read() {
    let flight = read(written(&recorder()).as_bytes()).unwrap();
    assert_eq!(flight.header, header());
    assert_eq!((flight.parts.len(), flight.inputs()), (2, 2));
    assert_eq!(*flight.parts[0].checkpoint, plain_core());
    assert_eq!(flight.parts[1].since, at(2));
    let turn = Turn { effects: 4, digest: u32::MAX, deadline: None };
    assert_eq!(flight.parts[0].entries[0], Step { line: 3, entry: Entry::Ended(turn) });
    let took = Entry::Took(at(3), Input::DeadlineReached);
    assert_eq!(flight.parts[1].entries, [Step { line: 6, entry: took }]);
    assert_eq!(flight.span(), Some((at(0), at(3))));
}

#[test]
fn a_file_that_is_cut_short_is_refused() {
    let text = written(&recorder());
    let lines: Vec<&str> = text.lines().collect();
    for kept in 1..lines.len() {
        let cut = lines[..kept].join("\n");
        assert!(matches!(read(cut.as_bytes()), Err(FlightError::NotWhole)), "{kept} lines");
    }
    let without_one = [&lines[..3], &lines[4..]].concat().join("\n");
    assert!(matches!(read(without_one.as_bytes()), Err(FlightError::NotWhole)));
}

#[test]
fn other_files_are_refused_with_their_line() {
    let text = written(&recorder());
    assert!(matches!(read(&b""[..]), Err(FlightError::NoHeader)));
    assert!(matches!(read(&b"port 26379\n"[..]), Err(FlightError::Line { line: 1, .. })));
    let future = text.replacen("\"format\":1", "\"format\":2", 1);
    assert!(matches!(read(future.as_bytes()), Err(FlightError::Format(2))));
    let strange = text.replacen("DeadlineReached", "Moonrise", 1);
    let error = read(strange.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("line 4: unknown variant `Moonrise`"), "{error}");
    assert!(error.ends_with("(it was recorded by vedette 0)"), "{error}");
}

/// Every place in which the core or its inputs hold a password.
#[test]
fn no_password_is_written() {
    const PASSWORD: &str = "tr0ub4dor";
    let secret = || Some(Secret::new(PASSWORD));
    let settings = MasterSettings::new(2, &Tunables::default());
    let settings = MasterSettings { auth_pass: secret(), ..settings };
    let set = |option, shown: &str| {
        let items = vec![SetItem { option, shown: shown.into() }];
        Request::Set { name: "mymaster".into(), options: items }
    };
    let requests = [
        set(SetOption::AuthPass(secret()), "auth-pass ******"),
        Request::ConfigSet(vec![ConfigOption::SentinelPass(secret())]),
    ];
    let mut core = core(settings);
    let mut recorder = Recorder::new(Arc::new(core.clone()), at(0), Bounds::default());
    for (number, request) in (0..).zip(requests) {
        let input = Input::Requested { ticket: Ticket(number), request };
        recorder.took(at(1), &input);
        core.handle_input(at(1), input);
    }
    // Requests that wait for the disk, and orders that nobody fetched yet, are part of the state.
    assert!(format!("{core:?}").contains("AuthPass(Some(***))"), "{core:?}");
    recorder.begin_segment(Arc::new(core.clone()), at(1));
    while core.poll_effect().is_some() {}
    recorder.begin_segment(Arc::new(core), at(2));
    let text = written(&recorder);
    assert!(text.contains("\"auth_pass\":\"***\""), "{text}");
    assert!(!text.contains(PASSWORD), "{text}");
    // Neither as numbers.
    let bytes: Vec<String> = PASSWORD.bytes().map(|byte| byte.to_string()).collect();
    assert!(!text.contains(&bytes.join(",")), "{text}");
}
