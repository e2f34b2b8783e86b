//! INFO: any text is survived and says what it says; a text in the form of a data node gives the
//! fields that it was made of.
//!
//! Input: a text; the same bytes as a tape are the fields of a node.

use vedette_core::{Endpoint, InfoReport, Role};
use vedette_wire::info::{REPLICAS_MAX, parse_info};

use crate::{Tape, shown};

/// The trial.
pub fn run(data: &[u8]) {
    if let Some(report) = parse_info(data) {
        is_sound(&report);
        assert_eq!(parse_info(report.text.as_bytes()), Some(report.clone()), "{}", shown(data));
    }
    reads_back(&mut Tape::new(data));
}

/// Nothing that came from outside can break a line or a list.
fn is_sound(report: &InfoReport) {
    assert!(report.replicas.len() <= REPLICAS_MAX);
    assert!(report.replicas.iter().all(|replica| replica.port != 0));
    let hosts = report.replicas.iter().chain(&report.master).map(|endpoint| &endpoint.host);
    for host in hosts {
        assert!(!host.is_empty());
        assert!(!host.contains(|c: char| c.is_whitespace() || c.is_control() || c == ','));
    }
    let is_master = report.role == Role::Master;
    assert!(!is_master || report.text.contains("role:"));
}

/// A text as a data node writes it, from what is to be read out of it.
fn reads_back(tape: &mut Tape<'_>) {
    let run_id = tape.id();
    let line_end = tape.pick(&["\r\n", "\n"]);
    let mut lines = vec![
        "# Server".to_owned(),
        "redis_version:7.0.15".to_owned(),
        format!("run_id:{run_id}"),
        "# Replication".to_owned(),
    ];
    if tape.flag() {
        let replicas: Vec<Endpoint> = (0..tape.below(8)).map(|_| endpoint(tape)).collect();
        lines.push("role:master".to_owned());
        lines.push(format!("connected_slaves:{}", replicas.len()));
        for (number, replica) in replicas.iter().enumerate() {
            lines.push(replica_line(tape, number, replica));
        }
        let report = parse_info(lines.join(line_end).as_bytes()).expect("a report");
        assert_eq!((report.role, &report.replicas), (Role::Master, &replicas));
        assert_eq!(report.run_id.expect("an id").as_str(), run_id.as_str());
        return;
    }
    let master = endpoint(tape);
    let (up, announced) = (tape.flag(), tape.flag());
    let down_secs = (tape.number() >> 11).cast_signed();
    let (offset, priority) = (tape.number() >> 1, tape.byte());
    lines.extend([
        "role:slave".to_owned(),
        format!("master_host:{}", master.host),
        format!("master_port:{}", master.port),
        format!("master_link_status:{}", if up { "up" } else { "down" }),
        format!("slave_repl_offset:{offset}"),
        format!("slave_priority:{priority}"),
        format!("replica_announced:{}", u8::from(announced)),
        "connected_slaves:0".to_owned(),
    ]);
    if !up {
        lines.push(format!("master_link_down_since_seconds:{down_secs}"));
    }
    let report = parse_info(lines.join(line_end).as_bytes()).expect("a report");
    assert_eq!(report.master, Some(master));
    assert_eq!((report.link_up, report.announced), (Some(up), Some(announced)));
    assert_eq!((report.offset, report.priority), (Some(offset), Some(priority.into())));
    let down_ms = (!up).then(|| down_secs.saturating_mul(1000));
    assert_eq!((report.link_down_ms, report.replicas), (down_ms, Vec::new()));
}

fn endpoint(tape: &mut Tape<'_>) -> Endpoint {
    let host = match tape.below(3) {
        0 => format!("10.0.0.{}", tape.byte()),
        1 => format!("fe80::{:x}%eth0", tape.byte()),
        _ => format!("redis-{}.redis_svc.local", tape.byte()),
    };
    let port = u16::from_be_bytes([tape.byte(), tape.byte()]).max(1);
    Endpoint::new(&host, port)
}

fn replica_line(tape: &mut Tape<'_>, number: usize, replica: &Endpoint) -> String {
    let Endpoint { host, port } = replica;
    match tape.flag() {
        true => format!("slave{number}:ip={host},port={port},state=online,offset=1,lag=0"),
        false => format!("slave{number}:{host},{port},online"),
    }
}
