use std::collections::BTreeMap;

use vedette_core::{ConnId, Effect, Input, Purpose, Query, Rules};

use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Commands that may be on their way on one connection beyond the limit of PING, INFO and hello:
/// questions, and what goes with a new connection.
const OUTSTANDING_MAX: usize = 140;
/// The link to a peer is shared by all masters; each has an opinion and hellos on it, and the vote
/// of each of its latest candidacies (seed 10056063: 141 for nine masters).
const OUTSTANDING_PER_MASTER: usize = 12;
/// Connections to one address: two to a node, one to a peer, and one that is being replaced.
const CONNECTIONS_PER_ADDRESS: usize = 3;
/// PING, INFO and SLAVEOF transactions outstanding on one connection (rule E6).
const OF_A_KIND: usize = 1;
/// Hellos about one master: one, and one of before each time that an operator removed it and had it
/// monitored anew while the other end hung.
const HELLOS_OF_A_MASTER: usize = 4;

/// Every queue is bounded: commands on their way on a connection, at most one PING and one INFO of
/// them, hellos about each master, and the connections to one address for one master.
#[derive(Default)]
pub(super) struct QueuesBounded {
    lines: BTreeMap<(SentinelIndex, ConnId), Line>,
}

#[derive(Clone, Debug, Default)]
struct Line {
    outstanding: std::collections::VecDeque<Sort>,
    to: Option<(std::net::SocketAddr, Purpose)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sort {
    Ping,
    Info,
    Hello(vedette_core::MasterName),
    Other,
}

impl Sort {
    fn of(query: &Query) -> Self {
        match query {
            Query::Ping => Self::Ping,
            Query::Info => Self::Info,
            Query::Hello(hello) => Self::Hello(hello.master.clone()),
            Query::Auth { .. }
            | Query::SetName { .. }
            | Query::Subscribe
            | Query::AskDown { .. }
            | Query::Replicate { .. }
            | Query::ScriptKill
            | Query::HandOver { .. }
            | Query::RecallHandOver
            | Query::RewriteConfig
            | Query::TellOffset => Self::Other,
        }
    }
}

impl Line {
    fn send(&mut self, sort: Sort, masters: usize) -> Result<(), String> {
        let longest = OUTSTANDING_MAX + OUTSTANDING_PER_MASTER * masters;
        let same = 1 + self.outstanding.iter().filter(|other| **other == sort).count();
        let limit = match sort {
            Sort::Ping | Sort::Info => OF_A_KIND,
            Sort::Hello(_) => HELLOS_OF_A_MASTER,
            Sort::Other => longest,
        };
        hold(same <= limit, || format!("{same} {sort:?} are outstanding"))?;
        self.outstanding.push_back(sort);
        let all = self.outstanding.len();
        hold(all <= longest, || format!("{all} commands are outstanding"))
    }
}

impl QueuesBounded {
    fn connect(
        &mut self,
        who: SentinelIndex,
        conn: ConnId,
        to: (std::net::SocketAddr, Purpose),
    ) -> Result<(), String> {
        let line = Line { to: Some(to), ..Line::default() };
        self.lines.insert((who, conn), line);
        let same =
            self.lines.iter().filter(|((owner, _), line)| *owner == who && line.to == Some(to));
        let count = same.count();
        hold(count < CONNECTIONS_PER_ADDRESS, || format!("{count} connections to {to:?}"))
    }
}

impl Invariant for QueuesBounded {
    fn name(&self) -> &'static str {
        "every queue is bounded"
    }

    fn binds(&self, _: Rules) -> bool {
        true
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        match seen {
            Seen::Ordered(Effect::Connect { conn, to, purpose, .. }) => {
                self.connect(who, *conn, (*to, *purpose))
            }
            // Nothing is answered to it.
            Seen::Ordered(Effect::Send { query: Query::TellOffset, .. }) => Ok(()),
            Seen::Ordered(Effect::Send { conn, query }) => {
                let line = self.lines.get_mut(&(who, *conn));
                let masters = scene.snapshot.map_or(0, |snapshot| snapshot.masters().len());
                line.map_or(Ok(()), |line| line.send(Sort::of(query), masters))
            }
            Seen::Took(Input::Answered { conn, .. }) => {
                if let Some(line) = self.lines.get_mut(&(who, *conn)) {
                    line.outstanding.pop_front();
                }
                Ok(())
            }
            Seen::Took(Input::Disconnected { conn } | Input::ConnectFailed { conn, .. })
            | Seen::Ordered(Effect::Close { conn }) => {
                self.lines.remove(&(who, *conn));
                Ok(())
            }
            Seen::Started(_) | Seen::Ended => {
                self.lines.retain(|(owner, _), _| *owner != who);
                Ok(())
            }
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_ping_and_a_long_queue_are_found() {
        let mut line = Line::default();
        assert!(line.send(Sort::Ping, 1).is_ok());
        assert!(line.send(Sort::Ping, 1).is_err());
        let mut line = Line::default();
        assert!((0..HELLOS_OF_A_MASTER).all(|_| line.send(Sort::Hello("m0".into()), 1).is_ok()));
        assert!(line.send(Sort::Hello("m1".into()), 1).is_ok());
        assert!(line.send(Sort::Hello("m0".into()), 1).is_err());
        let mut line = Line::default();
        let most = OUTSTANDING_MAX + OUTSTANDING_PER_MASTER;
        assert!((0..most).all(|_| line.send(Sort::Other, 1).is_ok()));
        assert!(line.send(Sort::Other, 1).is_err());
        assert!(line.send(Sort::Other, 20).is_ok());
    }
}
