//! Connections, and who answers what on them.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use vedette_core::{
    Answer, ConnId, Endpoint, HandOverReply, InfoAnswer, Input, Purpose, Query, ReplicationTarget,
    Role, TransactionOutcome,
};

use super::node::Life;
use super::world::{Happening, World};

/// Where the core's own connections come from.
const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 11));

/// Whom a connection leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Node(usize),
    Peer(usize),
    Nobody,
}

/// A connection that the core ordered.
pub(crate) struct Line {
    pub(crate) party: Party,
    pub(crate) purpose: Purpose,
    pub(crate) name: String,
    pub(crate) queue: VecDeque<Query>,
    established: bool,
    subscribed: bool,
}

impl Line {
    #[cfg(test)]
    pub(crate) fn new(name: &str, purpose: Purpose, queue: VecDeque<Query>) -> Self {
        let (party, name) = (Party::Nobody, name.to_owned());
        Self { party, purpose, name, queue, established: true, subscribed: false }
    }
}

impl World {
    pub(crate) fn connect(&mut self, conn: ConnId, purpose: Purpose, to: SocketAddr) {
        let node = self.nodes.iter().position(|node| node.socket == to);
        let peer = self.peers.iter().position(|peer| peer.socket == to);
        let party = match (node, peer) {
            (Some(index), _) => Party::Node(index),
            (None, Some(index)) => Party::Peer(index),
            (None, None) => Party::Nobody,
        };
        let name = self.party_name(party, to);
        let (queue, established, subscribed) = (VecDeque::new(), false, false);
        self.lines.insert(conn, Line { party, purpose, name, queue, established, subscribed });
        let delay = self.delay(party);
        match self.life(party) {
            Life::Well | Life::Hung => self.plan(delay, Happening::Connected(conn)),
            Life::Dead => self.plan(delay, Happening::Refused(conn)),
            Life::Gone => {}
        }
    }

    fn party_name(&self, party: Party, to: SocketAddr) -> String {
        match party {
            Party::Node(index) => self.nodes[index].name.clone(),
            Party::Peer(index) => self.peers[index].name.clone(),
            Party::Nobody => to.to_string(),
        }
    }

    fn life(&self, party: Party) -> Life {
        match party {
            Party::Node(index) => self.nodes[index].life,
            Party::Peer(index) => self.peers[index].life,
            Party::Nobody => Life::Dead,
        }
    }

    fn delay(&self, party: Party) -> u64 {
        match party {
            Party::Node(index) => self.nodes[index].delay,
            Party::Peer(index) => self.peers[index].delay,
            Party::Nobody => 1,
        }
    }

    pub(crate) fn connected(&mut self, conn: ConnId) {
        let Some(line) = self.lines.get_mut(&conn) else { return };
        line.established = true;
        let (party, waiting) = (line.party, line.queue.len());
        self.tell(Input::Connected { conn, local_ip: LOCAL });
        let delay = self.delay(party);
        (0..waiting).for_each(|_| self.plan(delay, Happening::Answer(conn)));
    }

    pub(crate) fn send(&mut self, conn: ConnId, query: Query) {
        let Some(line) = self.lines.get_mut(&conn) else { return };
        if query == Query::TellOffset {
            return;
        }
        line.queue.push_back(query);
        let (party, established) = (line.party, line.established);
        if established {
            let delay = self.delay(party);
            self.plan(delay, Happening::Answer(conn));
        }
    }

    /// The oldest query on a connection is handled by whom it was sent to.
    pub(crate) fn answer(&mut self, conn: ConnId) {
        let Some(party) = self.lines.get(&conn).map(|line| line.party) else { return };
        if self.life(party) != Life::Well {
            return;
        }
        let Some(line) = self.lines.get_mut(&conn) else { return };
        if matches!(line.queue.front(), Some(Query::Hello(_))) && self.holds_writes(party) {
            return;
        }
        let Some(line) = self.lines.get_mut(&conn) else { return };
        let Some(query) = line.queue.pop_front() else { return };
        let answer = match party {
            Party::Node(index) => self.node_answers(index, conn, query),
            Party::Peer(index) => self.peer_answers(index, query),
            Party::Nobody => return,
        };
        self.tell(Input::Answered { conn, answer });
    }

    fn node_answers(&mut self, index: usize, conn: ConnId, query: Query) -> Answer {
        let now = self.now;
        match query {
            Query::Auth { .. } | Query::SetName { .. } | Query::ScriptKill => Answer::Ignored,
            Query::Ping => Answer::Ping(self.nodes[index].ping),
            Query::Info => Answer::Info(self.info(index)),
            Query::Subscribe => {
                let accepted = self.nodes[index].takes_subscriptions;
                if let Some(line) = self.lines.get_mut(&conn) {
                    line.subscribed = accepted;
                }
                Answer::Subscribed { accepted }
            }
            Query::Hello(_) if !self.nodes[index].takes_hellos => Answer::Hello { accepted: false },
            Query::Hello(hello) => {
                for conn in self.subscriptions(index) {
                    self.plan(0, Happening::Message(conn, hello.clone()));
                }
                Answer::Hello { accepted: true }
            }
            Query::HandOver { to, patience } => self.hand_over(index, &to, patience.0),
            Query::RecallHandOver => {
                self.nodes[index].recall(now);
                self.release_writes(index);
                Answer::Ignored
            }
            Query::RewriteConfig => Answer::Ignored,
            Query::TellOffset => unreachable!("it has no answer"),
            Query::AskDown { .. } => Answer::Opinion(None),
            Query::Replicate { target, without } => {
                if let Some(refusal) = self.nodes[index].refusal(&without) {
                    return Answer::Replicate(refusal);
                }
                if self.nodes[index].handing {
                    return Answer::Replicate(TransactionOutcome::SlaveOfFailed);
                }
                self.replicate(index, &target, now);
                Answer::Replicate(TransactionOutcome::Done)
            }
        }
    }

    /// Roles change after a while, unless that is longer than the server holds writes.
    fn hand_over(&mut self, index: usize, to: &Endpoint, patience: u64) -> Answer {
        let Some(delay) = self.nodes[index].hands_over else {
            let why = "ERR unknown command 'FAILOVER'".into();
            return Answer::HandOver(HandOverReply::Refused(why));
        };
        self.nodes[index].handing = true;
        if delay < patience {
            self.plan(delay, Happening::HandedOver(index, Some(to.clone())));
        } else {
            self.plan(patience, Happening::HandedOver(index, None));
        }
        Answer::HandOver(HandOverReply::Begun)
    }

    /// It follows whom it handed over to; or it gave up.
    pub(crate) fn handed_over(&mut self, index: usize, to: Option<&Endpoint>) {
        let Some(to) = to.filter(|_| self.nodes[index].handing) else {
            self.nodes[index].handing = false;
            self.release_writes(index);
            return;
        };
        self.nodes[index].handing = self.nodes[index].stuck;
        self.release_writes(index);
        let now = self.now;
        self.nodes[index].follow(&ReplicationTarget::Node(to.clone()), now);
        self.plan(1, Happening::Synced(index));
        let is_it = |node: &super::node::Node| {
            node.socket.ip().to_string() == *to.host && node.socket.port() == to.port
        };
        if let Some(node) = self.nodes.iter_mut().find(|node| is_it(node)) {
            node.follow(&ReplicationTarget::NoOne, now);
        }
    }

    /// While a server hands over, PUBLISH is held, and what is behind it on that connection.
    fn holds_writes(&self, party: Party) -> bool {
        matches!(party, Party::Node(index) if self.nodes[index].handing)
    }

    fn release_writes(&mut self, index: usize) {
        if self.nodes[index].handing {
            return;
        }
        let held = |line: &Line| {
            let hello = matches!(line.queue.front(), Some(Query::Hello(_)));
            if line.party == Party::Node(index) && hello { line.queue.len() } else { 0 }
        };
        let held: Vec<(ConnId, usize)> =
            self.lines.iter().map(|(conn, line)| (*conn, held(line))).collect();
        for (conn, count) in held {
            (0..count).for_each(|_| self.plan(0, Happening::Answer(conn)));
        }
    }

    /// Our confirmed subscriptions on a data node.
    pub(crate) fn subscriptions(&self, index: usize) -> Vec<ConnId> {
        let there = |line: &Line| line.party == Party::Node(index) && line.subscribed;
        self.lines.iter().filter(|(_, line)| there(line)).map(|(conn, _)| *conn).collect()
    }

    /// The transaction also cuts the node's subscriptions.
    fn replicate(&mut self, index: usize, target: &ReplicationTarget, now: u64) {
        match target {
            ReplicationTarget::NoOne => match self.nodes[index].promote {
                Some(0) => self.nodes[index].follow(target, now),
                Some(delay) => self.plan(delay, Happening::Promoted(index)),
                None => {}
            },
            ReplicationTarget::Node(_) => {
                self.nodes[index].follow(target, now);
                let sync = self.nodes[index].sync;
                self.plan(sync, Happening::Synced(index));
            }
        }
        for conn in self.subscriptions(index) {
            self.plan(0, Happening::Lost(conn));
        }
    }

    fn info(&self, index: usize) -> InfoAnswer {
        let node = &self.nodes[index];
        let at = Endpoint::new(&node.socket.ip().to_string(), node.socket.port());
        let follows = |other: &&super::node::Node| {
            other.role == Role::Replica && other.follows == Some(at.clone())
        };
        let replicas = self.nodes.iter().filter(follows);
        let replicas =
            replicas.map(|r| Endpoint::new(&r.socket.ip().to_string(), r.socket.port())).collect();
        node.info(self.now, replicas)
    }

    fn peer_answers(&mut self, index: usize, query: Query) -> Answer {
        let now = self.now;
        match query {
            Query::Auth { .. } | Query::SetName { .. } => Answer::Ignored,
            Query::Ping => Answer::Ping(vedette_core::PingReply::Pong),
            Query::Hello(_) => Answer::Hello { accepted: true },
            Query::AskDown { address, epoch, vote_for } => {
                let down = self.nodes.iter().any(|node| {
                    node.life != Life::Well
                        && node.socket.ip().to_string() == *address.host
                        && node.socket.port() == address.port
                });
                Answer::Opinion(Some(self.peers[index].answer(now, down, epoch, vote_for)))
            }
            Query::Info
            | Query::Subscribe
            | Query::Replicate { .. }
            | Query::ScriptKill
            | Query::HandOver { .. }
            | Query::RecallHandOver
            | Query::RewriteConfig
            | Query::TellOffset => {
                panic!("no query for a fellow Sentinel: {query:?}")
            }
        }
    }

    /// A process changes its state.
    pub(crate) fn become_life(&mut self, party: Party, life: Life) {
        let before = self.life(party);
        match party {
            Party::Node(index) => self.nodes[index].life = life,
            Party::Peer(index) => self.peers[index].life = life,
            Party::Nobody => return,
        }
        let lines = self.lines.iter().filter(|(_, line)| line.party == party);
        let lines: Vec<(ConnId, usize, bool)> =
            lines.map(|(conn, line)| (*conn, line.queue.len(), line.established)).collect();
        let delay = self.delay(party);
        for (conn, waiting, established) in lines {
            match life {
                Life::Dead => self.plan(0, Happening::Lost(conn)),
                Life::Well if established && before != Life::Dead => {
                    (0..waiting).for_each(|_| self.plan(delay, Happening::Answer(conn)));
                }
                Life::Well if before == Life::Gone => self.plan(delay, Happening::Connected(conn)),
                Life::Well | Life::Hung | Life::Gone => {}
            }
        }
        if let Party::Node(index) = party {
            self.replicas_notice(index, life);
        }
    }

    /// The replication links of a dead master break.
    fn replicas_notice(&mut self, index: usize, life: Life) {
        let at = self.nodes[index].socket;
        let at = Endpoint::new(&at.ip().to_string(), at.port());
        let now = self.now;
        for node in self.nodes.iter_mut().filter(|node| node.follows == Some(at.clone())) {
            match life {
                Life::Dead => node.link_down_since = node.link_down_since.or(Some(now)),
                Life::Well => node.link_down_since = None,
                Life::Hung | Life::Gone => {}
            }
        }
    }
}
