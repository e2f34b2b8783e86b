//! The log file, standard output, and the system's log.

use std::os::unix::net::UnixDatagram;

use rustix::process::Signal;
use vedette::lab::BOUND;
use vedette_wire::Dialect;

use super::run::{Make, Setting, alike, both, without_pid};

#[test]
fn the_log_file_is_appended_to() {
    let said = alike("logfile $FOLDER/log\n", |setting| {
        setting.write("log", "what was there\n");
        let mut pids = Vec::new();
        for _ in 0..2 {
            let mut process = setting.start();
            assert_eq!(setting.ask("PING"), "+PONG\r\n");
            process.terminate(BOUND).unwrap();
            pids.push(process.pid());
        }
        assert_eq!(setting.read("out"), "", "nothing on standard output");
        let log = setting.read("log");
        let log: Vec<String> = log.lines().map(|line| without_pid(line, pids[1])).collect();
        setting.comparable(&log.join("\n"), pids[0])
    });
    assert_eq!(said[0], "what was there");
    assert_eq!(said.iter().filter(|line| line.ends_with("bye bye...")).count(), 2);
}

#[test]
fn a_log_file_that_was_moved_away_is_made_anew() {
    let (old, new) = alike("dir $FOLDER\nlogfile 'sub.log'\n", |setting| {
        let mut process = setting.start();
        setting.wait_for("sub.log", "Sentinel ID is ");
        assert_eq!(setting.ask("PING"), "+PONG\r\n");
        std::fs::rename(setting.path("sub.log"), setting.path("old.log")).unwrap();
        assert_eq!(setting.ask("SENTINEL MONITOR x 127.0.0.1 1 1"), "+OK\r\n");
        setting.wait_for("sub.log", "+monitor master x 127.0.0.1 1 quorum 1");
        process.terminate(BOUND).unwrap();
        let lines = |file| setting.comparable(&setting.read(file), process.pid());
        (lines("old.log"), lines("sub.log"))
    });
    assert!(old.last().unwrap().contains("Sentinel ID is"), "{old:?}");
    assert!(new.last().unwrap().ends_with("bye bye..."), "{new:?}");
}

#[test]
fn an_empty_log_file_is_standard_output() {
    let (_, said) = alike("logfile \"\"\n", |setting| setting.serve_until(&[Signal::TERM]));
    assert!(said.last().unwrap().ends_with("bye bye..."));
}

/// A `/dev` of its own in which the system's log is a socket of this test.
const OWN_DEV: &str = "mkdir $FOLDER/dev && mount -t tmpfs dev $FOLDER/dev && cd $FOLDER/dev && \
    for name in null zero random urandom; do touch $name && mount --bind /dev/$name $name; done && \
    ln -s $FOLDER/syslog log && mount --rbind $FOLDER/dev /dev && cd $FOLDER && \
    exec \"$0\" \"$@\"";

/// What the system's log gets: priority and identity, then the text alone.
fn syslog_of(setting: &mut Setting) -> Vec<String> {
    let socket = UnixDatagram::bind(setting.path("syslog")).unwrap();
    socket.set_read_timeout(Some(BOUND)).unwrap();
    setting.set_before(&["unshare", "-m", "sh", "-c", OWN_DEV]);
    let mut process = setting.start();
    assert_eq!(setting.ask("PING"), "+PONG\r\n");
    process.terminate(BOUND).unwrap();
    let pid = process.pid();
    let mut all = Vec::new();
    let mut datagram = [0; 4096];
    while !all.last().is_some_and(|line: &String| line.ends_with("bye bye...")) {
        let len = socket.recv(&mut datagram).unwrap();
        let text = without_pid(&String::from_utf8_lossy(&datagram[..len]), pid);
        // `<priority>Mon dd hh:mm:ss identity[pid]: text`
        let (priority, rest) = text.split_once('>').unwrap();
        all.push(format!("{priority}>{}", rest.get(16..).unwrap_or_default()));
    }
    all
}

#[test]
fn the_systems_log_gets_the_text_alone() {
    if !may_mount() {
        return eprintln!("nothing can be mounted here");
    }
    let lines = "syslog-enabled yes\nsyslog-ident watchman\nsyslog-facility local3\n";
    let mut said: Vec<Vec<String>> = Vec::new();
    for mut setting in both(Dialect::Redis, &format!("{lines}logfile $FOLDER/log\n")) {
        let got = syslog_of(&mut setting);
        // The reference says the first lines before it has a name there.
        let is_first = |line: &String| {
            ["starting oO0", "just started", "Configuration loaded"]
                .iter()
                .any(|x| line.contains(x))
        };
        said.push(got.iter().filter(|line| !is_first(line)).map(|l| mask(l, &setting)).collect());
        assert!(setting.read("log").contains("bye bye..."), "the file gets it too");
    }
    assert_eq!(said[0][0], "<157>watchman[PID]: monotonic clock: POSIX clock_gettime");
    if let Some(reference) = said.get(1) {
        assert_eq!(&said[0], reference);
    }
}

/// local3 is 19: a notice is 157, a warning 156. Redis 8 says as notices what Redis 7 warns of.
fn mask(line: &str, setting: &Setting) -> String {
    let line = line.replace(&setting.port.to_string(), "$PORT");
    let lowered = ["Sentinel ID is", "User requested shutdown"].iter().find(|x| line.contains(*x));
    match lowered {
        Some(text) => format!("<157>{text}"),
        None => line,
    }
}

fn may_mount() -> bool {
    let output = std::process::Command::new("unshare").args(["-m", "true"]).output();
    output.is_ok_and(|output| output.status.success())
}

#[test]
fn ours_is_known_to_the_system_as_the_reference_is() {
    if !may_mount() {
        return eprintln!("nothing can be mounted here");
    }
    let mut setting = Setting::new(Make::Ours, Dialect::Redis, "syslog-enabled yes\n");
    let said = syslog_of(&mut setting);
    assert!(said.iter().all(|line| line.contains("redis[PID]: ")), "{said:?}");
}
