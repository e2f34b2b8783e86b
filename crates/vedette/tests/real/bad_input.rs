//! Hostile bytes on the port: the reference's protocol errors, and bounded memory.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use vedette::lab::{BOUND, Folder, PortBlock, Sentinel, Template, until};

use crate::group::{ours, redis_sentinel, spec, start};

/// Connections that send slowly at the same time.
const SLOW_CLIENTS: usize = 200;
/// What each of them sends of a command that never ends.
const SLOW_BYTES: usize = 256 * 1024;
/// The budget of all query buffers together, with room for the program itself.
const MOST_RESIDENT_KIB: u64 = 128 * 1024;

/// A Sentinel without a master, and what it lives in.
pub(crate) struct Alone {
    pub(crate) sentinel: Sentinel,
    _folder: Folder,
    _ports: PortBlock,
}

/// Starts it with these lines after the port.
pub(crate) fn alone(template: Template, lines: &[String]) -> Alone {
    let folder = Folder::new(None).unwrap();
    let mut ports = PortBlock::claim().unwrap();
    let port = ports.take().unwrap();
    let head = [format!("port {port}"), "bind 127.0.0.1".to_owned()];
    let lines = [&head, lines].concat();
    let mut sentinel = Sentinel::start(template, port, &lines, folder.path()).unwrap();
    sentinel.wait_until_ready().unwrap();
    Alone { sentinel, _folder: folder, _ports: ports }
}

fn connect(sentinel: &Sentinel) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, sentinel.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
}

/// All that comes back until the Sentinel closes; a reset ends it too.
pub(crate) fn answer(sentinel: &Sentinel, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(sentinel);
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(len @ 1..) = stream.read(&mut chunk) {
        answer.extend_from_slice(&chunk[..len]);
    }
    answer
}

/// Bytes that are no request, and the reply to them.
pub(crate) fn cases() -> Vec<(Vec<u8>, &'static str)> {
    let long = |start: &[u8]| [start, &vec![b'1'; 70 * 1024]].concat();
    vec![
        (long(b"x"), "too big inline request"),
        (b"PING \"x\r\n".to_vec(), "unbalanced quotes in request"),
        (long(b"*"), "too big mbulk count string"),
        (b"*x\r\n".to_vec(), "invalid multibulk length"),
        (b"*2147483648\r\n".to_vec(), "invalid multibulk length"),
        (long(b"*1\r\n$"), "too big bulk count string"),
        (b"*1\r\nPING\r\n".to_vec(), "expected '$', got 'P'"),
        (b"*1\r\n$x\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\n$-1\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\n$536870913\r\n".to_vec(), "invalid bulk length"),
    ]
}

#[test]
fn protocol_errors_are_the_references() {
    let ours = alone(ours(), &[]);
    let reference = redis_sentinel().map(|template| alone(template, &[]));
    for (bytes, text) in cases() {
        let expected = format!("-ERR Protocol error: {text}\r\n");
        let got = answer(&ours.sentinel, &bytes);
        assert_eq!(String::from_utf8_lossy(&got), expected);
        if let Some(reference) = &reference {
            assert_eq!(String::from_utf8_lossy(&answer(&reference.sentinel, &bytes)), expected);
        }
    }
    let web = b"POST / HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_eq!(answer(&ours.sentinel, web), b"");
    ours.sentinel.ask(&["PING"]).unwrap();
}

#[test]
fn slow_and_large_senders_cost_bounded_memory() {
    let mut alone = alone(ours(), &[]);
    let chunk = vec![b'x'; 4096];
    let mut streams: Vec<TcpStream> = (0..SLOW_CLIENTS).map(|_| connect(&alone.sentinel)).collect();
    for stream in &mut streams {
        stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        let _ = stream.write_all(b"*2\r\n$4\r\nPING\r\n$500000000\r\n");
    }
    for _ in 0..SLOW_BYTES / chunk.len() {
        for stream in &mut streams {
            // The largest offenders are closed: writing to them fails.
            let _ = stream.write_all(&chunk);
        }
    }
    alone.sentinel.ask(&["PING"]).unwrap();
    let resident = resident_kib(alone.sentinel.process().pid());
    assert!(resident < MOST_RESIDENT_KIB, "{resident} KiB");
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Hellos that no Sentinel sends.
const GARBAGE_HELLOS: &[&str] = &[
    "",
    "garbage",
    ",,,,,,,",
    "127.0.0.1,99999,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,0,mymaster,127.0.0.1,1,0",
    "127.0.0.1,1,short,0,mymaster,127.0.0.1,1,0",
    "127.0.0.1,1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,x,mymaster,127.0.0.1,1,0",
    "127.0.0.1,1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,0,stranger,127.0.0.1,1,9",
    "127.0.0.1,1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,0,mymaster,127.0.0.1,1",
];

#[test]
fn garbage_hellos_change_nothing() {
    let lab = start(spec());
    let master = lab.agreed_master(lab.name()).unwrap();
    let mut publisher = lab.shards[0].nodes[0].client().unwrap();
    for hello in GARBAGE_HELLOS {
        publisher.ask(&["PUBLISH", "__sentinel__:hello", hello]).unwrap();
    }
    // A genuine one from somebody new shows that all before it have been read.
    let newcomer = "b".repeat(40);
    let hello = format!("127.0.0.1,1,{newcomer},0,mymaster,127.0.0.1,{master},0");
    publisher.ask(&["PUBLISH", "__sentinel__:hello", &hello]).unwrap();
    for sentinel in &lab.sentinels {
        let ids = || -> Vec<String> {
            let peers = sentinel.list("SENTINELS", lab.name());
            peers.iter().filter_map(|peer| peer.get("runid").cloned()).collect()
        };
        let peers = until("the newcomer", BOUND, || Some(ids()).filter(|i| i.contains(&newcomer)));
        assert_eq!(peers.unwrap().len(), lab.sentinels.len(), "{:?}", ids());
        assert_eq!(sentinel.master_port(lab.name()), Some(master));
    }
}
