//! INFO of data nodes (spec: behaviour 7.1 to 7.3).

use std::sync::Arc;

use vedette_core::{Endpoint, InfoReport, Role, RunId};

use crate::lenient::leading_number;

/// Most replicas read from one text: what no master really has.
pub const REPLICAS_MAX: usize = 10_000;

/// Reads the INFO text of a data node; none if it names no role, or holds a NUL byte.
#[must_use]
pub fn parse_info(text: &[u8]) -> Option<InfoReport> {
    if text.contains(&0) {
        return None;
    }
    let text: Arc<str> = String::from_utf8_lossy(text).into();
    let mut reading = Reading::default();
    for line in text.split('\n') {
        reading.line(line.strip_suffix('\r').unwrap_or(line));
    }
    let role = reading.role?;
    Some(InfoReport {
        run_id: reading.run_id,
        role,
        replicas: reading.replicas,
        link_down_ms: reading.link_down_ms,
        master: reading.master_host.map(|host| Endpoint::new(host, reading.master_port)),
        link_up: reading.link_up,
        priority: reading.priority,
        offset: reading.offset,
        announced: reading.announced,
        text: text.clone(),
    })
}

#[derive(Default)]
struct Reading<'a> {
    run_id: Option<RunId>,
    role: Option<Role>,
    replicas: Vec<Endpoint>,
    link_down_ms: Option<i64>,
    master_host: Option<&'a str>,
    master_port: u16,
    link_up: Option<bool>,
    priority: Option<u32>,
    offset: Option<u64>,
    announced: Option<bool>,
}

impl<'a> Reading<'a> {
    fn line(&mut self, line: &'a str) {
        let Some((key, value)) = line.split_once(':') else { return };
        match key {
            "run_id" => self.run_id = value.get(..40).and_then(RunId::parse).or(self.run_id),
            "role" => self.role = role(value).or(self.role),
            "master_link_down_since_seconds" => {
                self.link_down_ms = Some(leading_number(value).saturating_mul(1000));
            }
            _ if key.starts_with("slave") => self.replica_line(key, value),
            _ => {}
        }
        if self.role == Some(Role::Replica) {
            self.line_of_a_replica(key, value);
        }
    }

    /// Lines that count only after `role:slave`.
    fn line_of_a_replica(&mut self, key: &str, value: &'a str) {
        match key {
            "master_host" => self.master_host = Some(value),
            "master_port" => self.master_port = port(value).unwrap_or(0),
            "master_link_status" => self.link_up = Some(value.eq_ignore_ascii_case("up")),
            "slave_priority" => {
                self.priority = Some(u32::try_from(leading_number(value)).unwrap_or(0));
            }
            "slave_repl_offset" => {
                self.offset = Some(u64::try_from(leading_number(value)).unwrap_or(0));
            }
            "replica_announced" => self.announced = Some(leading_number(value) != 0),
            _ => {}
        }
    }

    /// `slave<digit>…`, in both formats (spec: behaviour 7.3).
    fn replica_line(&mut self, key: &str, value: &str) {
        let numbered = key["slave".len()..].starts_with(|first: char| first.is_ascii_digit());
        if numbered && self.replicas.len() < REPLICAS_MAX {
            self.replicas.extend(replica(value));
        }
    }
}

fn role(value: &str) -> Option<Role> {
    if value.starts_with("master") {
        Some(Role::Master)
    } else if value.starts_with("slave") {
        Some(Role::Replica)
    } else {
        None
    }
}

fn replica(value: &str) -> Option<Endpoint> {
    let (host, number) = if value.contains("ip=") {
        (field(value, "ip=")?, field(value, "port=")?)
    } else {
        let mut fields = value.split(',');
        let (host, number) = (fields.next()?, fields.next()?);
        // Without a third field the line is cut off.
        fields.next()?;
        (host, number)
    };
    let port = port(number).filter(|port| *port != 0)?;
    (!host.is_empty()).then(|| Endpoint::new(host, port))
}

/// The value of `key` in `a=1,b=2,…`.
fn field<'a>(value: &'a str, key: &str) -> Option<&'a str> {
    value.split(',').find_map(|part| part.strip_prefix(key))
}

fn port(value: &str) -> Option<u16> {
    u16::try_from(leading_number(value)).ok()
}
