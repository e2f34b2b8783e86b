//! Who gets in at the TLS port, and who holds nobody up.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use vedette::lab::{BOUND, Client, Sentinel, text};

use super::certificates::{Authority, Identity};
use super::line::{Line, ask};
use super::setting::{Setting, redis, wait_until_ready};
use crate::group::ours;

/// Connections that say nothing, and as many that stop in the middle of their first word.
const SILENT: usize = 200;
/// More than all buffers on the way hold.
const LONG: usize = 4 << 20;

/// A Sentinel with a plain port too.
fn alone(setting: &mut Setting, who: &Identity, lines: &[&str]) -> (Sentinel, u16) {
    let plain = setting.ports.take().unwrap();
    let mut all = vec![format!("port {plain}")];
    all.extend(lines.iter().map(|line| (*line).to_owned()));
    let sentinel = setting.sentinel(ours(), who, &all);
    vedette::lab::until("the plain port", BOUND, || {
        Client::connect(plain).ok()?.ask(&["PING"]).ok().map(|_| ())
    })
    .unwrap_or_else(|error| panic!("{error}: {}", sentinel.log()));
    (sentinel, plain)
}

/// What `redis-cli --tls` says.
fn cli(program: &Path, port: u16, authority: &Path, who: Option<&Identity>, ask: &str) -> String {
    let mut command = Command::new(program);
    command.args(["--tls", "-p", &port.to_string(), "--cacert"]).arg(authority);
    if let Some(who) = who {
        command.arg("--cert").arg(&who.certificate).arg("--key").arg(&who.key);
    }
    let output = command.args(ask.split(' ')).output().unwrap();
    let all = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&all).trim().to_owned()
}

#[test]
fn redis_cli_is_let_in_as_tls_auth_clients_says() {
    let Some((_, program)) = redis() else { return };
    let mut setting = Setting::new();
    let strangers = Authority::new(setting.folder.path(), "strangers");
    let who = setting.authority.issue("sentinel");
    let stranger = strangers.issue("stranger");
    for (auth, without, with_strangers) in
        [("yes", false, false), ("optional", true, false), ("no", true, true)]
    {
        let line = format!("tls-auth-clients {auth}");
        let (sentinel, _) = alone(&mut setting, &who, &[&line]);
        let answers = |shown: Option<&Identity>| {
            cli(&program, sentinel.port(), &who.authority, shown, "PING") == "PONG"
        };
        assert!(answers(Some(&who)), "{auth}");
        assert_eq!(answers(None), without, "{auth}: without a certificate");
        assert_eq!(answers(Some(&stranger)), with_strangers, "{auth}: a stranger's certificate");
        let said = cli(&program, sentinel.port(), &stranger.authority, Some(&who), "PING");
        assert!(said.contains("certificate verify failed"), "{said}");
        crate::group::wait_for_log(|| sentinel.log(), "Error accepting a client connection: ");
    }
}

#[test]
fn plain_port_tls_port_and_unix_socket_are_served_beside_each_other() {
    let mut setting = Setting::new();
    let who = setting.authority.issue("sentinel");
    let socket = setting.folder.path().join("s.sock");
    let line = format!("unixsocket {}", socket.display());
    let (sentinel, plain) = alone(&mut setting, &who, &[&line]);
    let mut unix = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    unix.write_all(b"PING\r\n").unwrap();
    let mut pong = [0; 7];
    unix.read_exact(&mut pong).unwrap();
    assert_eq!(&pong, b"+PONG\r\n");
    let mut client = Line::connect(sentinel.port(), &who).unwrap();
    let info = text(&client.ask(&["INFO", "server"]).unwrap());
    let port = sentinel.port();
    for line in [
        format!("tcp_port:{plain}"),
        format!("listener0:name=tcp,bind=127.0.0.1,port={plain}"),
        format!("listener1:name=unix,bind={}", socket.display()),
        format!("listener2:name=tls,bind=127.0.0.1,port={port}"),
    ] {
        assert!(info.contains(&line), "{line}: {info}");
    }
    let list = text(&client.ask(&["CLIENT", "LIST"]).unwrap());
    assert!(list.contains(&format!("laddr=127.0.0.1:{port} ")), "{list}");
}

#[test]
fn a_tls_port_alone_is_the_port_that_is_shown() {
    let mut setting = Setting::new();
    let who = setting.authority.issue("sentinel");
    let sentinel = setting.sentinel(ours(), &who, &[]);
    wait_until_ready(sentinel.port(), &who);
    let info = text(&ask(sentinel.port(), &who, &["INFO", "server"]).unwrap());
    assert!(info.contains(&format!("tcp_port:{}\r\n", sentinel.port())), "{info}");
    let log = sentinel.log();
    assert!(log.contains(&format!("Running mode=sentinel, port={}.", sentinel.port())), "{log}");
}

#[test]
fn who_never_shakes_hands_holds_nobody_up() {
    let mut setting = Setting::new();
    let who = setting.authority.issue("sentinel");
    let (sentinel, plain) = alone(&mut setting, &who, &[]);
    let mut before = Line::connect(sentinel.port(), &who).unwrap();
    assert_eq!(text(&before.ask(&["PING"]).unwrap()), "PONG");
    let silent: Vec<TcpStream> = (0..2 * SILENT)
        .map(|number| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, sentinel.port())).unwrap();
            if number % 2 == 0 {
                // The head of a record that never comes.
                stream.write_all(b"\x16\x03\x01\x02\x00\x01").unwrap();
            }
            stream
        })
        .collect();
    assert_eq!(text(&before.ask(&["PING"]).unwrap()), "PONG");
    assert_eq!(text(&ask(sentinel.port(), &who, &["PING"]).unwrap()), "PONG");
    assert_eq!(text(&Client::connect(plain).unwrap().ask(&["PING"]).unwrap()), "PONG");
    // The guard closes every one of them in the end.
    for mut stream in silent {
        stream.set_read_timeout(Some(BOUND)).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
    }
    crate::group::wait_for_log(|| sentinel.log(), "no TLS hand-shake in time");
}

#[test]
fn plain_text_at_the_tls_port_is_closed() {
    let mut setting = Setting::new();
    let who = setting.authority.issue("sentinel");
    let (sentinel, _) = alone(&mut setting, &who, &[]);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, sentinel.port())).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    stream.write_all(b"*1\r\n$4\r\nPING\r\n").unwrap();
    let mut answer = Vec::new();
    let _a_reset_is_an_end_too = stream.read_to_end(&mut answer);
    assert!(!answer.windows(4).any(|bytes| bytes == b"PONG"), "{answer:?}");
    assert_eq!(text(&ask(sentinel.port(), &who, &["PING"]).unwrap()), "PONG");
}

#[test]
fn a_full_house_closes_the_tls_port_without_a_word() {
    let mut setting = Setting::new();
    let who = setting.authority.issue("sentinel");
    let (sentinel, plain) = alone(&mut setting, &who, &["maxclients 1"]);
    let mut only = vedette::lab::until("a place", BOUND, || {
        let mut only = Client::connect(plain).ok()?;
        only.ask(&["PING"]).ok().filter(|pong| !pong.is_error()).map(|_| only)
    })
    .unwrap();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, sentinel.port())).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"");
    assert_eq!(text(&only.ask(&["PING"]).unwrap()), "PONG");
}

#[test]
fn long_requests_and_many_replies_pass_whole() {
    let mut setting = Setting::new();
    let who = setting.authority.issue("sentinel");
    let (sentinel, _) = alone(&mut setting, &who, &[]);
    let mut client = Line::connect(sentinel.port(), &who).unwrap();
    let long = "x".repeat(LONG);
    let request = format!("*2\r\n$4\r\nPING\r\n${LONG}\r\n{long}\r\n");
    (0..3).for_each(|_| client.send(request.as_bytes()).unwrap());
    // Nothing was read meanwhile: what the Sentinel answered has filled every buffer on the way.
    (0..3).for_each(|_| assert_eq!(text(&client.receive().unwrap()), long));
    const MANY: usize = 2000;
    client.send(&b"PING\r\n".repeat(MANY)).unwrap();
    assert!((0..MANY).all(|_| text(&client.receive().unwrap()) == "PONG"));
    // Closed only after the last byte has left.
    client.send(request.as_bytes()).unwrap();
    client.send(b"QUIT\r\n").unwrap();
    assert_eq!(text(&client.receive().unwrap()), long);
    assert_eq!(text(&client.receive().unwrap()), "OK");
    assert!(client.receive().is_err(), "closed");
}

/// What a renewal does: new files in the old places, and a signal.
#[test]
fn a_hang_up_has_the_tls_files_read_anew() {
    let mut setting = Setting::new();
    let newer = Authority::new(setting.folder.path(), "newer");
    let (who, old) = (setting.authority.issue("sentinel"), setting.authority.issue("client"));
    let renewed = newer.issue("sentinel");
    let (mut sentinel, _) = alone(&mut setting, &who, &[]);
    let port = sentinel.port();
    let mut kept = Line::connect(port, &old).unwrap();
    assert_eq!(text(&kept.ask(&["PING"]).unwrap()), "PONG");
    ask(port, &renewed, &["PING"]).unwrap_err();
    let hang_up = |sentinel: &mut Sentinel, words: &str| {
        sentinel.process().signal(Signal::HUP);
        let told = || sentinel.log().contains(words).then_some(());
        vedette::lab::until(words, BOUND, told).unwrap_or_else(|error| {
            panic!("{error}: {}", sentinel.log());
        });
    };

    std::fs::copy(&renewed.certificate, &who.certificate).unwrap();
    hang_up(&mut sentinel, "those that were read before stay in use: Failed to load private key");
    assert_eq!(text(&ask(port, &old, &["PING"]).unwrap()), "PONG");

    std::fs::copy(&renewed.key, &who.key).unwrap();
    let trusted = std::fs::read(&renewed.authority).unwrap();
    std::fs::write(&who.authority, trusted).unwrap();
    hang_up(&mut sentinel, "The TLS files were read anew: new connections use them");
    assert_eq!(text(&ask(port, &renewed, &["PING"]).unwrap()), "PONG");
    assert_eq!(text(&kept.ask(&["PING"]).unwrap()), "PONG", "who was in stays in");
    ask(port, &old, &["PING"]).unwrap_err();
}
