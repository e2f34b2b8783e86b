//! INFO of data nodes (spec: behaviour 7.1 to 7.3).

use std::sync::Arc;

use vedette_core::{Endpoint, HandOverState, InfoReport, Role, RunId};

use crate::host::is_plausible;
use crate::lenient::leading_number;

/// Most replicas read from one text: what no master really has.
pub const REPLICAS_MAX: usize = 10_000;

/// Reads the INFO text of a data node; none if it names no role, or holds a NUL byte.
#[must_use]
pub fn parse_info(text: &[u8]) -> Option<InfoReport> {
    if text.contains(&0) {
        return None;
    }
    let text: Arc<str> = match str::from_utf8(text) {
        Ok(text) => text.into(),
        Err(_) => String::from_utf8_lossy(text).into(),
    };
    let mut reading = Reading::default();
    let mut rest = &*text;
    while !rest.is_empty() {
        let (line, after) = cut(rest, b'\n').unwrap_or((rest, ""));
        reading.line(line.strip_suffix('\r').unwrap_or(line));
        rest = after;
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
        hand_over: reading.hand_over,
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
    hand_over: Option<HandOverState>,
}

impl<'a> Reading<'a> {
    fn line(&mut self, line: &'a str) {
        let Some((key, value)) = cut(line, b':') else { return };
        match key {
            "run_id" => self.run_id = value.get(..40).and_then(RunId::parse).or(self.run_id),
            "role" => self.role = role(value).or(self.role),
            "master_link_down_since_seconds" => {
                self.link_down_ms = Some(leading_number(value).saturating_mul(1000));
            }
            "master_failover_state" => {
                self.hand_over = Some(match value {
                    "no-failover" => HandOverState::Idle,
                    _ => HandOverState::Busy,
                });
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
            "master_host" => self.master_host = Some(value).filter(|host| is_plausible(host)),
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

/// What stands before and after the first such ASCII byte. Lines and keys are short: a loop finds
/// it sooner than the search of the standard library, which is made for long texts.
fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((&text[..place], &text[place + 1..]))
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
    is_plausible(host).then(|| Endpoint::new(host, port))
}

/// The value of `key` in `a=1,b=2,…`.
fn field<'a>(value: &'a str, key: &str) -> Option<&'a str> {
    value.split(',').find_map(|part| part.strip_prefix(key))
}

fn port(value: &str) -> Option<u16> {
    u16::try_from(leading_number(value)).ok()
}

#[cfg(test)]
mod tests {
    use vedette_core::{Endpoint, Role};

    use super::{REPLICAS_MAX, parse_info};

    #[test]
    fn a_master_lists_its_replicas_in_both_formats() {
        let text = "# Replication\r\nrole:master\r\nconnected_slaves:3\r\n\
                    slave0:ip=10.0.0.1,port=6379,state=online,offset=1,lag=0\r\n\
                    slave1:10.0.0.2,6380,online\r\n\
                    slave2:ip=10.0.0.3,state=online\r\n\
                    slave3:ip=::1,port=6381,state=online\r\n\
                    slaveof:10.0.0.9,1,x\r\nslave4:10.0.0.4,6382\r\n";
        let report = parse_info(text.as_bytes()).expect("a report");
        assert_eq!(report.role, Role::Master);
        let found = [("10.0.0.1", 6379), ("10.0.0.2", 6380), ("::1", 6381)];
        assert_eq!(report.replicas, found.map(|(host, port)| Endpoint::new(host, port)));
        assert_eq!(&*report.text, text);
        assert_eq!((report.link_up, report.master), (None, None));
    }

    #[test]
    fn a_replica_tells_whom_it_follows() {
        let text = "run_id:8d5f7a4933c0613b1086f8c7baef18286370c30a\r\n\
                    slave_priority:7\r\nrole:slave\r\nmaster_host:10.0.0.1\r\n\
                    master_port:6379\r\nmaster_link_status:down\r\n\
                    slave_repl_offset:18446744073709\r\nmaster_link_down_since_seconds:-1\r\n\
                    slave_priority:25\r\nreplica_announced:0\r\n";
        let report = parse_info(text.as_bytes()).expect("a report");
        assert_eq!(report.role, Role::Replica);
        assert_eq!(report.master, Some(Endpoint::new("10.0.0.1", 6379)));
        assert_eq!(report.link_up, Some(false));
        assert_eq!(report.link_down_ms, Some(-1000));
        // Before `role:slave` it does not count.
        assert_eq!(report.priority, Some(25));
        assert_eq!(report.offset, Some(18_446_744_073_709));
        assert_eq!(report.announced, Some(false));
        assert!(report.run_id.is_some());
    }

    #[test]
    fn nonsense_is_no_report() {
        for text in ["", "role:sentinel\r\n", "hello", "role:master\0\r\n"] {
            assert_eq!(parse_info(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn absurd_numbers_are_tamed() {
        let text = "role:slave\r\nmaster_port:99999\r\nmaster_host:a\r\n\
                    master_link_down_since_seconds:99999999999999999999\r\n\
                    slave_repl_offset:-5\r\nslave_priority:x\r\n";
        let report = parse_info(text.as_bytes()).expect("a report");
        assert_eq!(report.master, Some(Endpoint::new("a", 0)));
        assert_eq!(report.link_down_ms, Some(i64::MAX));
        assert_eq!((report.offset, report.priority), (Some(0), Some(0)));
        let many = format!("role:master\r\n{}", "slave0:a,1,x\r\n".repeat(REPLICAS_MAX + 5));
        let report = parse_info(many.as_bytes()).expect("a report");
        assert_eq!(report.replicas.len(), REPLICAS_MAX);
    }
}
