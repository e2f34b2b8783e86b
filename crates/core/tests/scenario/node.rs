//! A data node as far as a Sentinel can tell: it answers PING, INFO and SLAVEOF.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use vedette_core::{
    Endpoint, HandOverState, InfoAnswer, InfoReport, PingReply, ReplicationTarget, Role,
    TransactionCommand, TransactionOutcome,
};

use super::names::{endpoint, node_name, run_id};
use super::parse::Command;

/// How a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Well,
    /// Connections are refused.
    Dead,
    /// Connections are taken, nothing is answered.
    Hung,
    /// Nothing comes through at all.
    Gone,
}

/// A data node.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) socket: SocketAddr,
    pub(crate) life: Life,
    /// From a query to its answer.
    pub(crate) delay: u64,
    pub(crate) role: Role,
    pub(crate) follows: Option<Endpoint>,
    pub(crate) link_down_since: Option<u64>,
    /// From SLAVEOF until the replication link is up.
    pub(crate) sync: u64,
    /// From SLAVEOF NO ONE until it is a master; none never.
    pub(crate) promote: Option<u64>,
    /// From FAILOVER until roles have changed; none if it has no such command.
    pub(crate) hands_over: Option<u64>,
    pub(crate) handing: bool,
    /// The change of roles never ends, as on a server whose target died in it.
    pub(crate) stuck: bool,
    pub(crate) takes_subscriptions: bool,
    /// PUBLISH is not refused, as it is by a server that is told to want more replicas.
    pub(crate) takes_hellos: bool,
    pub(crate) ping: PingReply,
    garbage: bool,
    link_down_ms: Option<i64>,
    run: String,
    priority: u32,
    offset: u64,
    refuses: BTreeSet<TransactionCommand>,
    lists: Vec<Endpoint>,
}

impl Node {
    pub(crate) fn new(at: &str, role: Role) -> Self {
        let socket: SocketAddr = at.parse().expect("a numeric address");
        let name = node_name(socket);
        Self {
            run: name.clone(),
            name,
            socket,
            life: Life::Well,
            delay: 1,
            role,
            follows: None,
            link_down_since: None,
            sync: 5,
            promote: Some(0),
            hands_over: Some(5),
            handing: false,
            stuck: false,
            takes_subscriptions: true,
            takes_hellos: true,
            ping: PingReply::Pong,
            garbage: false,
            link_down_ms: None,
            priority: 100,
            offset: 0,
            refuses: BTreeSet::new(),
            lists: Vec::new(),
        }
    }

    /// `key=value` settings.
    pub(crate) fn set(&mut self, command: &Command, now: u64) {
        for (key, value) in command.pairs() {
            match key {
                "delay" => self.delay = command.parse(value),
                "sync" => self.sync = command.parse(value),
                "promote" => self.promote = value.parse().ok(),
                "hands-over" => self.hands_over = value.parse().ok(),
                "handing" => self.handing = value == "yes",
                "stuck" => self.stuck = value == "yes",
                "priority" => self.priority = command.parse(value),
                "offset" => self.offset = command.parse(value),
                "run" => value.clone_into(&mut self.run),
                "role" => self.role = if value == "master" { Role::Master } else { Role::Replica },
                "follows" => {
                    self.follows = Some(endpoint(value));
                    self.role = Role::Replica;
                }
                "link" => self.link_down_since = (value == "down").then_some(now),
                "down-for" => self.link_down_ms = value.parse().ok(),
                "ping" => self.ping = ping_reply(value),
                "info" => self.garbage = value == "garbage",
                "subscribe" => self.takes_subscriptions = value == "yes",
                "publish" => self.takes_hellos = value == "yes",
                "lists" => self.lists.push(endpoint(value)),
                "refuses" => self.refuses = value.split(',').filter_map(transaction).collect(),
                other => panic!("line {}: a node has no {other}", command.line),
            }
        }
    }

    /// The answer to INFO; a master lists its replicas.
    pub(crate) fn info(&self, now: u64, replicas: Vec<Endpoint>) -> InfoAnswer {
        if self.garbage {
            return InfoAnswer::Garbage;
        }
        let replica = self.role == Role::Replica;
        let down = self.link_down_since.map(|since| {
            let seconds = (now - since) / 1000;
            i64::try_from(seconds * 1000).expect("short scenarios")
        });
        InfoAnswer::Report(Arc::new(InfoReport {
            text: "".into(),
            run_id: Some(run_id(&self.run)),
            role: self.role,
            replicas: if replica { Vec::new() } else { [replicas, self.lists.clone()].concat() },
            link_down_ms: self.link_down_ms.or(down).filter(|_| replica),
            master: self.follows.clone().filter(|_| replica),
            link_up: replica.then_some(self.link_down_since.is_none()),
            priority: replica.then_some(self.priority),
            offset: replica.then_some(self.offset),
            announced: None,
            hand_over: self.hands_over.map(|_| match self.handing {
                true => HandOverState::Busy,
                false => HandOverState::Idle,
            }),
        }))
    }

    /// What the SLAVEOF transaction leads to; none if it has an effect.
    pub(crate) fn refusal(
        &self,
        without: &BTreeSet<TransactionCommand>,
    ) -> Option<TransactionOutcome> {
        let refused: BTreeSet<_> = self.refuses.difference(without).copied().collect();
        (!refused.is_empty()).then_some(TransactionOutcome::Aborted(refused))
    }

    /// `FAILOVER ABORT`: who changed roles already is a master again.
    pub(crate) fn recall(&mut self, now: u64) {
        if core::mem::take(&mut self.handing) && self.role == Role::Replica {
            self.follow(&ReplicationTarget::NoOne, now);
        }
    }

    pub(crate) fn follow(&mut self, target: &ReplicationTarget, now: u64) {
        match target {
            ReplicationTarget::NoOne => {
                self.role = Role::Master;
                self.link_down_since = None;
            }
            ReplicationTarget::Node(to) => {
                self.role = Role::Replica;
                self.follows = Some(to.clone());
                self.link_down_since = Some(now);
            }
        }
    }
}

fn ping_reply(word: &str) -> PingReply {
    match word {
        "pong" => PingReply::Pong,
        "loading" => PingReply::Loading,
        "busy" => PingReply::Busy,
        _ => PingReply::Other,
    }
}

fn transaction(word: &str) -> Option<TransactionCommand> {
    match word {
        "slaveof" => Some(TransactionCommand::SlaveOf),
        "config-rewrite" => Some(TransactionCommand::ConfigRewrite),
        "kill-normal" => Some(TransactionCommand::KillNormal),
        "kill-pubsub" => Some(TransactionCommand::KillPubsub),
        _ => None,
    }
}
