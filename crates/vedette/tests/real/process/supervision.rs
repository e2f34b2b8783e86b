//! A service manager that wants to be told. The Valkey of the tests is built without one.

use std::os::unix::net::UnixDatagram;

use rustix::process::Signal;
use vedette::lab::BOUND;
use vedette_wire::Dialect;

use super::run::{Ending, Setting, alike_as, code};

/// Serves and stops under a manager that listens; what it heard.
fn supervised(setting: &mut Setting, own_words: &str) -> (Ending, Vec<String>, Vec<String>) {
    let socket = UnixDatagram::bind(setting.path("notify")).unwrap();
    socket.set_read_timeout(Some(BOUND)).unwrap();
    setting.write("sentinel.conf", &format!("port $PORT\nbind 127.0.0.1\n{own_words}"));
    setting.set_before(&["env", "-u", "UPSTART_JOB", "NOTIFY_SOCKET=$FOLDER/notify"]);
    let mut process = setting.start();
    let mut heard: Vec<String> = Vec::new();
    let mut datagram = [0; 1024];
    while heard.last().is_none_or(|last| last != "STOPPING=1\n") {
        let len = socket.recv(&mut datagram).unwrap();
        heard.push(String::from_utf8_lossy(&datagram[..len]).into_owned());
        if heard.last().is_some_and(|last| last == "READY=1\n") {
            assert_eq!(setting.ask("PING"), "+PONG\r\n", "ready means that it serves");
            process.signal(Signal::TERM);
        }
    }
    let (ending, said) = setting.end_of(&mut process);
    (ending, said, heard)
}

#[test]
fn systemd_hears_when_it_is_ready_and_when_it_stops() {
    for lines in ["supervised systemd\n", "supervised auto\n"] {
        let (ending, said, heard) =
            alike_as(Dialect::Redis, lines, |setting| supervised(setting, lines));
        assert_eq!(ending, code(0), "{said:?}");
        let wanted = [
            "STATUS=Redis is loading...\n",
            "STATUS=Ready to accept connections\n",
            "READY=1\n",
            "STOPPING=1\n",
        ];
        assert_eq!(heard, wanted);
    }
}

#[test]
fn supervised_by_systemd_it_stays_in_the_foreground() {
    let lines = "daemonize yes\nsupervised systemd\n";
    let (ending, _, heard) = alike_as(Dialect::Redis, lines, |setting| {
        let (ending, _, heard) = supervised(setting, lines);
        // The reference swallows what its signal handler says: it takes itself for a daemon.
        (ending, (), heard)
    });
    assert_eq!((ending, heard.len()), (code(0), 4));
}

#[test]
fn managers_that_are_not_there_are_missed_each_time() {
    for lines in ["supervised systemd\n", "supervised upstart\n", "supervised auto\n"] {
        let (ending, said) = alike_as(Dialect::Redis, lines, |setting| {
            setting.set_before(&["env", "-u", "NOTIFY_SOCKET", "-u", "UPSTART_JOB"]);
            setting.serve_until(&[Signal::TERM])
        });
        assert_eq!(ending, code(0));
        assert_eq!(said[0].contains("not found!"), lines != "supervised auto\n", "{said:?}");
    }
}
