//! Each client through a kill and a manual failover where everything speaks TLS.

use std::path::Path;

use vedette::lab::{BOUND, Make, Order, RealClient, Sentinel, TlsFiles, text, until, writers};

use super::{MANY, client};
use crate::group::ours;
use crate::tls::certificates::Identity;
use crate::tls::line::ask;
use crate::tls::setting::{
    MASTER, Node, Setting, list, master_port, redis, wait_until_ready, watching,
};

struct Group {
    sentinels: Vec<Sentinel>,
    nodes: Vec<Node>,
    who: Identity,
    /// Dropped last: everything lives in it.
    _setting: Setting,
}

impl Group {
    fn start(server: &Path, make: Make) -> Self {
        let mut setting = Setting::new();
        let who = setting.authority.issue_for_loopback("anybody");
        let mut nodes: Vec<Node> = Vec::new();
        for _ in 0..3 {
            let node = setting.node(server, nodes.first().map(|master| master.port), &who);
            wait_until_ready(node.port, &who);
            nodes.push(node);
        }
        let mut lines = watching(nodes[0].port);
        if !make.shows_certificate_to_sentinel() {
            lines.push("tls-auth-clients no".to_owned());
        }
        let sentinels = (0..3).map(|_| setting.sentinel(ours(), &who, &lines)).collect();
        let group = Self { sentinels, nodes, who, _setting: setting };
        until("a group that knows itself", BOUND, || group.is_whole().then_some(()))
            .unwrap_or_else(|error| panic!("{error}: {}", group.sentinels[0].log()));
        group
    }

    fn is_whole(&self) -> bool {
        let all_are = |port, listing, flags: &str| {
            let entries = list(port, &self.who, listing);
            entries.len() == 2 && entries.iter().all(|entry| entry["flags"] == flags)
        };
        let ports = self.sentinels.iter().map(Sentinel::port);
        ports.into_iter().all(|port| {
            all_are(port, "SENTINELS", "sentinel") && all_are(port, "REPLICAS", "slave")
        })
    }

    fn order(&self) -> Order {
        Order {
            sentinels: self.sentinels.iter().map(Sentinel::port).collect(),
            master: MASTER.to_owned(),
            password: None,
            sentinel_password: None,
            tls: Some(TlsFiles {
                ca: self.who.authority.clone(),
                cert: self.who.certificate.clone(),
                key: self.who.key.clone(),
            }),
            listen: false,
        }
    }

    /// Waits until all Sentinels name one other master, and until the client writes there.
    fn wait_until_moved(&self, client: &RealClient, old: u16) -> u16 {
        let new = until("the switch on all Sentinels", BOUND, || {
            let mut named = self.sentinels.iter().map(|s| master_port(s.port(), &self.who));
            let first = named.next()?.filter(|port| *port != old)?;
            named.all(|port| port == Some(first)).then_some(first)
        })
        .unwrap_or_else(|error| panic!("{error}: {}", self.sentinels[0].log()));
        until("the client on the new master", BOUND, || (self.writers(new) > 0).then_some(()))
            .unwrap_or_else(|error| panic!("{error}: {}", client.describe()));
        client.wait_for_more(MANY).unwrap();
        new
    }

    /// Waits until every Sentinel sees a replica in sync with this master.
    fn wait_until_followed(&self, master: u16) {
        let port = master.to_string();
        let follows = |sentinel: &Sentinel| {
            let replicas = list(sentinel.port(), &self.who, "REPLICAS");
            replicas.iter().any(|replica| {
                replica["master-port"] == port && replica["master-link-status"] == "ok"
            })
        };
        until("a replica in sync", BOUND, || self.sentinels.iter().all(follows).then_some(()))
            .unwrap_or_else(|error| panic!("{error}: {}", self.sentinels[0].log()));
    }

    fn writers(&self, port: u16) -> usize {
        let clients = ask(port, &self.who, &["CLIENT", "LIST"]);
        clients.map_or(0, |list| writers(&text(&list)))
    }
}

fn check(make: Make) {
    let Some((server, _)) = redis() else { return };
    let mut group = Group::start(&server, make);
    let Some(client) = client(make, &group.order()) else { return };
    client.wait_for_more(MANY).unwrap();
    let first = group.nodes[0].port;
    group.nodes[0].process.kill();
    let second = group.wait_until_moved(&client, first);
    group.wait_until_followed(second);
    let sentinel = group.sentinels[0].port();
    let answer = ask(sentinel, &group.who, &["SENTINEL", "FAILOVER", MASTER]).unwrap();
    assert_eq!(text(&answer), "OK");
    group.wait_until_moved(&client, second);
    until("the client off the old master", BOUND, || (group.writers(second) == 0).then_some(()))
        .unwrap_or_else(|error| panic!("{error}: {}", client.describe()));
    let tally = client.finish().unwrap();
    println!("{} over TLS: {tally}", make.name());
}

#[test]
fn redis_py_follows_the_master_over_tls() {
    check(Make::RedisPy);
}

#[test]
fn redis_py_on_asyncio_follows_the_master_over_tls() {
    check(Make::RedisPyAsyncio);
}

#[test]
fn redis_rs_follows_the_master_over_tls() {
    check(Make::RedisRs);
}

#[test]
fn ioredis_follows_the_master_over_tls() {
    check(Make::Ioredis);
}

#[test]
fn node_redis_follows_the_master_over_tls() {
    check(Make::NodeRedis);
}

#[test]
fn phpredis_follows_the_master_over_tls() {
    check(Make::Phpredis);
}

#[test]
fn predis_follows_the_master_over_tls() {
    check(Make::Predis);
}
