//! Operators' tools pointed at ours and at the reference see the same.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;

use vedette::lab::{BOUND, GroupSpec, Lab, PortBlock, Process, programs, until};

use crate::group::{found, ours, redis_sentinel, spec, start};

/// Two of ours and one of Redis, at one group.
fn mixed() -> Option<Lab> {
    let redis = redis_sentinel()?;
    Some(start(GroupSpec { sentinels: vec![ours(), redis, ours()], ..spec() }))
}

/// What a tool says of ours and of the reference.
fn of_both<T>(lab: &Lab, ask: impl Fn(u16) -> T) -> (T, T) {
    (ask(lab.sentinels[0].port()), ask(lab.sentinels[1].port()))
}

#[test]
fn exporter_finds_the_same_metrics() {
    let Some(lab) = mixed() else { return };
    let name = "prometheus-redis-exporter";
    let Some(exporter) = found(name, programs::on_path(name)) else { return };
    let (ours, theirs) = of_both(&lab, |port| metrics(&exporter, port, lab.folder()));
    assert_eq!(ours, theirs);
    for metric in ["redis_up", "redis_sentinel_masters", "redis_sentinel_master_ok_slaves"] {
        assert!(ours.iter().any(|name| name.starts_with(metric)), "{metric} is missing: {ours:?}");
    }
}

/// Names and labels, without values, of what the exporter tells about a Sentinel.
fn metrics(exporter: &Path, sentinel: u16, folder: &Path) -> BTreeSet<String> {
    let mut ports = PortBlock::claim().unwrap();
    let port = ports.take().unwrap();
    let words = [
        exporter.display().to_string(),
        format!("--redis.addr=redis://127.0.0.1:{sentinel}"),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    let log = folder.join(format!("exporter-{sentinel}.log"));
    let process = Process::start(&words, folder, &log).unwrap();
    let page = until("a page of metrics", BOUND, || page(port).ok())
        .unwrap_or_else(|error| panic!("{error}: {}", process.output()));
    let lines = page.lines().filter(|line| line.starts_with("redis_"));
    lines.map(without_values).collect()
}

fn page(port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(BOUND))?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}

/// `name{label="value"} 1` becomes `name{label=}`.
fn without_values(line: &str) -> String {
    let end = line.rfind(' ').unwrap_or(line.len());
    line[..end].split('"').step_by(2).collect()
}

/// What is asked with `redis-cli`, in both protocols.
const QUESTIONS: &[&str] = &[
    "PING",
    "ROLE",
    "SENTINEL MYID",
    "SENTINEL MASTERS",
    "SENTINEL MASTER mymaster",
    "SENTINEL REPLICAS mymaster",
    "SENTINEL SENTINELS mymaster",
    "SENTINEL GET-MASTER-ADDR-BY-NAME mymaster",
    "SENTINEL CKQUORUM mymaster",
    "SENTINEL MASTER nobody",
    "SENTINEL NOSUCH",
    "GET key",
];

#[test]
fn redis_cli_shows_the_same_in_both_protocols() {
    let Some(lab) = mixed() else { return };
    for protocol in ["-2", "-3"] {
        let master = cli(lab.sentinels[0].port(), protocol, "SENTINEL MASTER mymaster");
        assert!(master.contains("\"num-other-sentinels\""), "{master}");
        for question in QUESTIONS {
            // What a Sentinel saw a moment ago may still differ: it settles.
            until(&format!("{protocol} {question} to be the same"), BOUND, || {
                let (ours, theirs) = of_both(&lab, |port| masked(&cli(port, protocol, question)));
                (ours == theirs).then_some(())
            })
            .unwrap_or_else(|error| {
                let (ours, theirs) = of_both(&lab, |port| cli(port, protocol, question));
                panic!("{error}\n{ours}\n{theirs}")
            });
        }
    }
}

#[test]
fn redis_cli_finds_every_field_of_info() {
    let Some(lab) = mixed() else { return };
    for protocol in ["-2", "-3"] {
        let fields = |port| -> BTreeSet<String> {
            let info = cli(port, protocol, "INFO");
            let names = info.lines().filter_map(|line| line.split_once(':'));
            names.map(|(name, _)| name.to_owned()).collect()
        };
        let (ours, theirs) = of_both(&lab, fields);
        assert!(theirs.len() > 50, "{theirs:?}");
        let missing: Vec<&String> = theirs.difference(&ours).collect();
        assert!(missing.is_empty(), "{protocol}: {missing:?}");
    }
}

/// As at a terminal: INFO as text, everything else with types.
fn cli(port: u16, protocol: &str, question: &str) -> String {
    let format = if question == "INFO" { "--raw" } else { "--no-raw" };
    let output = Command::new("redis-cli")
        .args(["-p", &port.to_string(), protocol, format])
        .args(question.split(' '))
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// Without ids and numbers, which are of each Sentinel and moment.
fn masked(text: &str) -> String {
    let word = |word: &str| {
        let is_id = word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        if is_id || is_number { "*".to_owned() } else { word.to_owned() }
    };
    let lines = text.lines().map(|line| {
        let parts = line.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
        let parts = parts.map(|part| {
            let end = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len();
            word(&part[..end]) + &part[end..]
        });
        parts.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}
