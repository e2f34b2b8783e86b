//! What clients may take, beside the reference (spec: interface 1.4, 1.5).

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::process::Command;

use rustix::process::Signal;
use vedette::lab::{BOUND, until};
use vedette_wire::Dialect;

use crate::process::{Setting, alike, alike_as, code};
use crate::tls::certificates::Authority;

/// All that comes until the other side closes; a reset ends it too.
fn rest(stream: &mut impl std::io::Read) -> String {
    let mut all = Vec::new();
    let mut chunk = [0; 16 * 1024];
    while let Ok(len @ 1..) = stream.read(&mut chunk) {
        all.extend_from_slice(&chunk[..len]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Sends a command whose whole answer is `expected`.
#[track_caller]
fn expect(stream: &mut (impl std::io::Read + std::io::Write), command: &str, expected: &str) {
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut answer = vec![0; expected.len()];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), expected);
}

#[test]
fn clients_beyond_maxclients_are_turned_away() {
    let (answer, said) = alike("maxclients 3\n", |setting| {
        let mut process = setting.start();
        let mut held: Vec<TcpStream> = (0..3).map(|_| setting.connect()).collect();
        held.iter_mut().for_each(|stream| expect(stream, "PING", "+PONG\r\n"));
        let answer = rest(&mut setting.connect());
        // There is room again once one of them is gone.
        drop(held.pop());
        until("room", BOUND, || {
            let mut stream = setting.connect();
            let _ = stream.write_all(b"PING\r\n");
            let mut answer = [0; 7];
            (stream.read_exact(&mut answer).is_ok() && &answer == b"+PONG\r\n").then_some(())
        })
        .unwrap();
        expect(&mut held[0], "PING", "+PONG\r\n");
        process.signal(Signal::TERM);
        (answer, setting.end_of(&mut process))
    });
    assert_eq!(answer, "-ERR max number of clients reached\r\n");
    assert_eq!(said.0, code(0));
}

#[test]
fn idle_clients_are_closed_and_subscribers_are_not() {
    let subscribed = "*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n";
    let pong = "*2\r\n$4\r\npong\r\n$0\r\n\r\n";
    let closed = alike("timeout 1\nloglevel verbose\n", |setting| {
        let mut process = setting.start();
        let (mut idle, mut subscriber) = (setting.connect(), setting.connect());
        expect(&mut idle, "PING", "+PONG\r\n");
        expect(&mut subscriber, "SUBSCRIBE x", subscribed);
        let last = rest(&mut idle);
        setting.wait_for("out", " - Closing idle client\n");
        expect(&mut subscriber, "PING", pong);
        process.terminate(BOUND).unwrap();
        last
    });
    assert_eq!(closed, "");
}

/// Who listens to every event this often and reads nothing makes the output grow.
const PATTERNS: usize = 150;
/// Each event is at least this long, since a slow disk holds up every one. All patterns together
/// stay below the limit.
const EVENT_BYTES: usize = 2000;

/// Floods a subscriber that does not read until it is closed for it; others are served meanwhile.
fn flood(setting: &mut Setting) -> bool {
    let mut process = setting.start();
    let mut subscriber = setting.connect();
    // So that the system does not take tens of megabytes for it.
    rustix::net::sockopt::set_socket_recv_buffer_size(&subscriber, 64 * 1024).unwrap();
    for number in 1..=PATTERNS {
        let pattern = "*".repeat(number);
        let reply = format!("*3\r\n$10\r\npsubscribe\r\n${number}\r\n{pattern}\r\n:{number}\r\n");
        expect(&mut subscriber, &format!("PSUBSCRIBE {pattern}"), &reply);
    }
    let mut other = setting.connect();
    let command = format!("SENTINEL SET m auth-user {}", "x".repeat(EVENT_BYTES));
    until("the end of a slow subscriber", BOUND, || {
        expect(&mut other, &command, "+OK\r\n");
        // What a timer finds, Valkey says in other words.
        let closed = " for overcoming of output buffer limits.";
        setting.read("out").contains(closed).then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: {}", setting.read("out")));
    expect(&mut other, "PING", "+PONG\r\n");
    // What the system had taken arrives, and then the end.
    let got = rest(&mut subscriber);
    process.terminate(BOUND).unwrap();
    got.contains("auth-user xxx")
}

#[test]
fn subscribers_that_do_not_read_are_closed() {
    let master = "sentinel monitor m 127.0.0.1 1 1\n";
    for (dialect, limit) in [(Dialect::Redis, "1mb 0 0"), (Dialect::Valkey, "0 1mb 1")] {
        let lines = format!("{master}client-output-buffer-limit pubsub {limit}\n");
        assert!(alike_as(dialect, &lines, flood), "{limit}");
    }
}

#[test]
fn query_buffers_have_a_limit() {
    let answer = alike("client-query-buffer-limit 1mb\n", |setting| {
        let mut process = setting.start();
        let mut stream = setting.connect();
        let _ = stream.write_all(b"*2\r\n$4\r\nPING\r\n$3000000\r\n");
        // Closed before it has sent everything.
        let _ = stream.write_all(&vec![b'x'; 2_500_000]);
        let answer = rest(&mut stream);
        setting.wait_for("out", "# Closing client that reached max query buffer length: id=");
        assert_eq!(setting.ask("PING"), "+PONG\r\n");
        process.terminate(BOUND).unwrap();
        answer
    });
    assert_eq!(answer, "");
}

#[test]
fn bulks_have_a_limit() {
    let answer = alike("proto-max-bulk-len 1mb\n", |setting| {
        let mut process = setting.start();
        let mut stream = setting.connect();
        stream.write_all(b"*2\r\n$4\r\nPING\r\n$1048577\r\n").unwrap();
        let answer = rest(&mut stream);
        process.terminate(BOUND).unwrap();
        answer
    });
    assert_eq!(answer, "-ERR Protocol error: invalid bulk length\r\n");
}

#[test]
fn a_unix_socket_has_the_permissions_that_it_is_given() {
    for (perm, port) in [("700", "$PORT"), ("0770", "$PORT"), ("777", "0")] {
        let (mode, ended) = alike("", |setting| {
            let lines = format!("port {port}\nbind 127.0.0.1\nloglevel verbose\n");
            let socket = format!("unixsocket $FOLDER/socket\nunixsocketperm {perm}\n");
            setting.write("sentinel.conf", &(lines + &socket));
            let path = setting.path("socket");
            let mut process = setting.start();
            let mut stream =
                until("the socket", BOUND, || UnixStream::connect(&path).ok()).unwrap();
            expect(&mut stream, "PING", "+PONG\r\n");
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            process.signal(Signal::TERM);
            let ended = setting.end_of(&mut process);
            assert!(!path.exists(), "it goes with the process");
            (mode & 0o7777, ended)
        });
        assert_eq!((mode, ended.0), (u32::from_str_radix(perm, 8).unwrap(), code(0)), "{perm}");
    }
}

/// Valkey's `unixsocketgroup`. Only the superuser can give a socket away.
#[test]
fn a_unix_socket_belongs_to_the_group_that_is_named() {
    for (group, wanted) in [("", Some(0)), ("daemon", Some(1)), ("no-such-group", None)] {
        if !rustix::process::geteuid().is_root() && wanted == Some(1) {
            continue;
        }
        let lines = format!("unixsocket $FOLDER/socket\nunixsocketgroup \"{group}\"\n");
        let (gid, (ending, said)) = alike_as(Dialect::Valkey, &lines, |setting| {
            if wanted.is_none() {
                return (None, setting.refused());
            }
            let mut process = setting.start();
            assert_eq!(setting.ask("PING"), "+PONG\r\n");
            let gid = std::fs::metadata(setting.path("socket")).unwrap().gid();
            process.signal(Signal::TERM);
            (Some(gid), setting.end_of(&mut process))
        });
        assert_eq!((gid.is_some(), gid == Some(1)), (wanted.is_some(), wanted == Some(1)));
        assert_eq!(ending, code(i32::from(wanted.is_none())), "{said:?}");
        let failed = format!("Failed opening Unix socket: getgrnam error for group '{group}'");
        assert_eq!(said.iter().any(|line| line.contains(&failed)), wanted.is_none(), "{said:?}");
    }
}

/// Valkey's `extended-redis-compatibility`.
#[test]
fn hello_names_redis_where_compatibility_is_asked_for() {
    for (word, server) in [("yes", "\r\nredis\r\n"), ("no", "\r\nvalkey\r\n")] {
        let lines = format!("extended-redis-compatibility {word}\n");
        let greeting = alike_as(Dialect::Valkey, &lines, |setting| {
            let mut process = setting.start();
            let mut stream = setting.connect();
            stream.write_all(b"HELLO 3\r\nQUIT\r\n").unwrap();
            let mut greeting = String::new();
            while !greeting.contains("modules\r\n*0\r\n") {
                let mut bytes = [0; 512];
                let count = stream.read(&mut bytes).unwrap();
                assert_ne!(count, 0, "{greeting}");
                greeting.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
            process.terminate(BOUND).unwrap();
            let (before, rest) = greeting.split_once("id\r\n:").unwrap();
            let (_, after) = rest.split_once("\r\n").unwrap();
            let (after, _) = after.split_once("*0").unwrap();
            (before.to_owned(), after.to_owned())
        });
        assert!(greeting.0.contains(server), "{greeting:?}");
    }
}

/// A host with an address beside loopback, in a network of its own that ends with the process.
const OWN_NETWORK: &str =
    "ip link set lo up && ip addr add 10.9.8.7/32 dev lo && exec \"$0\" \"$@\"";

/// What somebody in that network is told who comes from `host`.
fn told(setting: &Setting, pid: u32, host: &str, tls: &[String]) -> String {
    let (pid, port) = (pid.to_string(), setting.port.to_string());
    let words = ["-t", &pid, "-n", "redis-cli", "-h", host, "-p", &port];
    let output = Command::new("nsenter").args(words).args(tls).arg("PING").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    said.split_whitespace().next().unwrap_or_default().to_owned()
}

fn has_networks() -> bool {
    let networks = Command::new("unshare").args(["-n", "true"]).output();
    let has = networks.is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("no network of our own can be made here");
    }
    has
}

/// What is said to somebody of the same host and to a stranger.
fn told_in_own_network(setting: &mut Setting, tls: &[String]) -> [String; 2] {
    setting.set_before(&["unshare", "-n", "sh", "-c", OWN_NETWORK]);
    let mut process = setting.start();
    setting.wait_for("out", "Sentinel ID is ");
    let pid = process.pid();
    let serves = || Some(told(setting, pid, "127.0.0.1", tls)).filter(|said| said != "Could");
    let told = [until("service", BOUND, serves).unwrap(), told(setting, pid, "10.9.8.7", tls)];
    process.terminate(BOUND).unwrap();
    told
}

#[test]
fn protected_mode_keeps_strangers_out() {
    if !has_networks() {
        return;
    }
    for (lines, wanted) in [
        ("protected-mode yes\n", ["PONG", "DENIED"]),
        ("protected-mode no\n", ["PONG", "PONG"]),
        ("", ["PONG", "PONG"]),
        ("protected-mode yes\nrequirepass secret\n", ["NOAUTH", "NOAUTH"]),
    ] {
        let lines = format!("bind *\n{lines}");
        let told = alike(&lines, |setting| told_in_own_network(setting, &[]));
        assert_eq!(told, wanted, "{lines}");
    }
}

/// Whoever shook hands is told in TLS; the Valkey of the tests is built without it.
#[test]
fn protected_mode_keeps_strangers_out_of_the_tls_port() {
    if !has_networks() {
        return;
    }
    let told = alike_as(Dialect::Redis, "", |setting| {
        let who = Authority::new(&setting.path(""), "ca").issue("somebody");
        let lines = who.lines().join("\n");
        let ports = "port 0\ntls-port $PORT\nbind *\nprotected-mode yes\n";
        setting.write("sentinel.conf", &format!("{ports}{lines}\n"));
        let files = [("--cacert", who.authority), ("--cert", who.certificate), ("--key", who.key)];
        let files = files.map(|(word, file)| [word.to_owned(), file.display().to_string()]);
        let tls = [vec!["--tls".to_owned()], files.concat()].concat();
        told_in_own_network(setting, &tls)
    });
    assert_eq!(told, ["PONG", "DENIED"]);
}
