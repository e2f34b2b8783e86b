//! `daemonize yes`.

use std::path::PathBuf;

use rustix::process::{Pid, Signal, getsid, kill_process};
use vedette::lab::{BOUND, until};
use vedette_wire::Dialect;

use super::run::{Make, alike, code};

/// A process that is nobody's child; it is ended if a test fails.
struct Daemon(Pid);

impl Daemon {
    fn is_there(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        !status.is_empty() && !status.contains(") Z ")
    }

    fn link(&self, name: &str) -> PathBuf {
        std::fs::read_link(format!("/proc/{}/{name}", self.0)).unwrap()
    }

    fn terminate(&self) {
        kill_process(self.0, Signal::TERM).unwrap();
        until("the daemon's end", BOUND, || (!self.is_there()).then_some(())).unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.is_there() {
            let _ = kill_process(self.0, Signal::KILL);
        }
    }
}

const DAEMON: &str = "daemonize yes\npidfile $FOLDER/pid\ndir $FOLDER\nlogfile log\n";

#[test]
fn it_goes_to_the_background_as_the_reference_does() {
    let said = alike("", |setting| {
        setting.write("sentinel.conf", &format!("port $PORT\nbind 127.0.0.1\n{DAEMON}"));
        let mut parent = setting.start();
        assert_eq!(setting.end_of(&mut parent), (code(0), vec![]), "it says nothing");
        assert_eq!(setting.ask("PING"), "+PONG\r\n");
        setting.wait_for("pid", "\n");
        let pid: i32 = setting.read("pid").trim().parse().unwrap();
        let daemon = Daemon(Pid::from_raw(pid).unwrap());
        assert_ne!(pid.cast_unsigned(), parent.pid());
        assert_eq!(daemon.link("cwd"), setting.path("").canonicalize().unwrap());
        for fd in ["fd/0", "fd/1", "fd/2"] {
            assert_eq!(daemon.link(fd), PathBuf::from("/dev/null"));
        }
        assert_eq!(getsid(Some(daemon.0)).unwrap(), daemon.0, "a session of its own");
        daemon.terminate();
        assert!(!setting.path("pid").exists());
        setting.comparable(&setting.read("log"), pid.cast_unsigned())
    });
    assert!(said.last().unwrap().ends_with("bye bye..."), "{said:?}");
}

#[test]
fn what_goes_wrong_in_the_background_is_in_the_log() {
    let ending = alike("", |setting| {
        let _taken = std::net::TcpListener::bind(("127.0.0.1", setting.port)).unwrap();
        setting.write("sentinel.conf", &format!("port $PORT\nbind 127.0.0.1\n{DAEMON}"));
        let mut parent = setting.start();
        let ended = setting.end_of(&mut parent);
        setting.wait_for("log", "aborting.\n");
        // Valkey's writes it before it listens, over that of whoever serves there.
        let is_valkeys = setting.dialect == Dialect::Valkey && setting.make == Make::Reference;
        assert_eq!(setting.path("pid").exists(), is_valkeys);
        ended
    });
    assert_eq!(ending, (code(0), vec![]));
}
