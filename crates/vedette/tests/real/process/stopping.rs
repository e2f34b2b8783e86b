//! Signals, exit codes, and the pid file.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::process::Signal;
use vedette::lab::{BOUND, Process, until};
use vedette_wire::Dialect;

use super::run::{Ending, Make, Setting, alike, both, code};

#[test]
fn signals_end_it_or_do_not() {
    for (signals, ending) in [
        (&[Signal::TERM][..], code(0)),
        (&[Signal::INT], code(0)),
        (&[Signal::HUP, Signal::PIPE, Signal::TERM], code(0)),
        (&[Signal::USR1], Ending { code: None, signal: Some(10) }),
        (&[Signal::QUIT], Ending { code: None, signal: Some(3) }),
        (&[Signal::KILL], Ending { code: None, signal: Some(9) }),
    ] {
        let (ended, said) = alike("", |setting| setting.serve_until(signals));
        assert_eq!(ended, ending, "{signals:?}: {said:?}");
    }
}

/// What is sent to somebody who is slow to end, and the last word of each in the log.
const INSISTENCE: [(Signal, &str, usize); 3] = [
    (Signal::TERM, "Received SIGTERM scheduling shutdown...", 1),
    (Signal::TERM, "Received SIGTERM scheduling shutdown...", 2),
    (Signal::INT, "You insist... exiting now.", 1),
];
/// The reference is slow for the tenth of a second between two of its ticks.
const ATTEMPTS: usize = 20;

/// Sends each signal when the one before was heard. How it ended, and what it said.
fn insist(setting: &Setting, process: &mut Process) -> (Ending, Vec<String>) {
    for (signal, words, times) in INSISTENCE {
        process.signal(signal);
        until("the signal to be heard", BOUND, || {
            let is_heard = setting.read("out").matches(words).count() == times;
            (is_heard || process.exit_status().is_some()).then_some(())
        })
        .unwrap();
    }
    setting.end_of(process)
}

/// Ours as it waits for a disk that does not answer: a pipe stands in the file's place. Whoever has
/// its other end holds it up.
fn held_up(setting: &Setting) -> (Process, File) {
    let process = setting.start();
    assert_eq!(setting.ask("PING"), "+PONG\r\n");
    let conf = setting.path("sentinel.conf");
    std::fs::remove_file(&conf).unwrap();
    let owner = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &conf, rustix::fs::FileType::Fifo, owner, 0).unwrap();
    let mut client = setting.connect();
    std::io::Write::write_all(&mut client, b"SENTINEL FLUSHCONFIG\r\n").unwrap();
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap();
    // It opens only once somebody reads.
    let open = || OpenOptions::new().write(true).custom_flags(flags).open(&conf).ok();
    let pipe = until("the file to be read", BOUND, open);
    (process, pipe.unwrap_or_else(|error| panic!("{error}: {}", setting.read("out"))))
}

#[test]
fn who_insists_is_not_kept_waiting() {
    let mut outcomes = both(Dialect::Redis, "").into_iter().map(|setting| match setting.make {
        Make::Ours => {
            let (mut process, _pipe) = held_up(&setting);
            insist(&setting, &mut process)
        }
        Make::Reference => {
            let attempt = |_| {
                std::fs::write(setting.path("out"), "").unwrap();
                let mut process = setting.start();
                assert_eq!(setting.ask("PING"), "+PONG\r\n");
                insist(&setting, &mut process)
            };
            // One that ended in time was not kept waiting by anybody.
            (0..ATTEMPTS).map(attempt).find(|(ending, _)| *ending == code(1)).unwrap()
        }
    });
    let (ending, said) = outcomes.next().unwrap();
    assert_eq!(ending, code(1), "{said:?}");
    if let Some((_, reference)) = outcomes.next() {
        let is_heard = |line: &String| line.contains(":signal-handler ");
        let heard = |said: Vec<String>| said.into_iter().filter(is_heard).collect::<Vec<_>>();
        assert_eq!(heard(said), heard(reference), "ours, the reference's");
    }
}

#[test]
fn hang_ups_and_broken_pipes_change_nothing() {
    let answer = alike("", |setting| {
        let mut process = setting.start();
        assert_eq!(setting.ask("PING"), "+PONG\r\n");
        process.signal(Signal::HUP);
        process.signal(Signal::PIPE);
        let answer = setting.ask("PING");
        process.terminate(BOUND).unwrap();
        answer
    });
    assert_eq!(answer, "+PONG\r\n");
}

#[test]
fn shutdown_ends_it_with_code_0() {
    for command in ["SHUTDOWN", "SHUTDOWN NOSAVE", "SHUTDOWN NOW FORCE"] {
        let (ending, said) = alike("", |setting| {
            let mut process = setting.start();
            assert_eq!(setting.ask(command), "", "the connection ends with the process");
            setting.end_of(&mut process)
        });
        assert_eq!(ending, code(0), "{command}");
        assert!(said.last().unwrap().ends_with("# Sentinel is now ready to exit, bye bye..."));
    }
}

#[test]
fn the_pid_file_lives_as_long_as_the_process() {
    for lines in ["pidfile $FOLDER/pid\n", "dir $FOLDER\npidfile pid\n"] {
        let (ending, left) = alike("", |setting| {
            setting.write("sentinel.conf", &format!("port $PORT\nbind 127.0.0.1\n{lines}"));
            setting.write("pid", "another one's\n");
            let mut process = setting.start();
            assert_eq!(setting.ask("PING"), "+PONG\r\n");
            assert_eq!(setting.read("pid"), format!("{}\n", process.pid()));
            process.signal(Signal::TERM);
            let (ending, said) = setting.end_of(&mut process);
            assert!(said.iter().any(|line| line.ends_with("* Removing the pid file.")));
            (ending, (setting.path("pid").exists(), said))
        });
        assert_eq!((ending, left.0), (code(0), false), "{lines}");
    }
}

#[test]
fn a_pid_file_that_cannot_be_written_is_no_reason_to_end() {
    let (ending, _) = alike("pidfile /nonexistent/pid\n", |setting| {
        let (ending, said) = setting.serve_until(&[Signal::TERM]);
        // Redis 7 is silent about the failure.
        let is_kept = |line: &String| !line.contains("PID file");
        (ending, said.into_iter().filter(is_kept).collect::<Vec<_>>())
    });
    assert_eq!(ending, code(0));
}

#[test]
fn an_alarm_ends_ours() {
    let setting = Setting::new(Make::Ours, Dialect::Redis, "");
    let (ending, _) = setting.serve_until(&[Signal::ALARM]);
    assert_eq!(ending, Ending { code: None, signal: Some(14) });
}
