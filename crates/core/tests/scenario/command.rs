//! What the commands of a scenario do.

use std::sync::Arc;

use vedette_core::{
    ConfigOption, Epoch, Hello, Manner, Purpose, Request, Role, SentinelId, SetItem, SetOption,
    SimulatedFailures, Span, Tunable, Wants,
};

use super::names::{endpoint, sentinel_id};
use super::network::Party;
use super::node::{Life, Node};
use super::parse::Command;
use super::peer::Peer;
use super::store::Saves;
use super::world::{Happening, Scripts, World};

impl World {
    /// Carries out one line.
    pub(crate) fn run(&mut self, command: &Command) {
        match command.verb() {
            "sentinel" => self.setup.sentinel(command),
            "group" => self.declare_group(command),
            "master" => self.declare_master(command),
            "replica" => {
                self.setup.replica(command.word(0));
                self.declare_node(command, Role::Replica);
            }
            "node" => self.declare_node(command, Role::Replica),
            "peer" => self.declare_peer(command),
            "stranger" => {
                let mut peer = Peer::new(command.word(0), command.word(1));
                peer.set(command);
                self.peers.push(peer);
            }
            "only" => self.trace.only(&command.plain()),
            "also" => self.trace.also(&command.plain()),
            "hide" => self.trace.hide(&command.plain()),
            "mute" => self.trace.mute(),
            "trace" => self.trace.unmute(),
            "repeat" => self.repeat(command),
            "settle" => self.settle(command),
            "wait" => self.wait(command.number(0)),
            "clock" => {
                self.start();
                self.clock_step += command.parse::<i64>(command.word(0).trim_start_matches("+"));
            }
            "stall" => self.stall(command.number(0)),
            "kill" => self.live(command, Life::Dead),
            "hang" => self.live(command, Life::Hung),
            "gone" => self.live(command, Life::Gone),
            "revive" => self.live(command, Life::Well),
            "drop" => self.drop_line(command),
            "store" => self.change_store(command),
            "scripts" => self.change_scripts(command),
            "dns" => self.change_names(command),
            "restart" => self.restart(command),
            "hello" => self.take_hello(command),
            "ask" => self.ask(command),
            "request" => self.take_request(command),
            "show" => self.show(command),
            name => self.change_party(name, command),
        }
    }

    /// A group of three data nodes and the Sentinels `a`, `b` and `c`, one of which is ours.
    fn declare_group(&mut self, command: &Command) {
        self.setup.sentinel(command);
        for line in ["master m 10.0.0.1:6379", "replica 10.0.0.2:6379", "replica 10.0.0.3:6379"] {
            self.run(&Command::made(command.line, line));
        }
        for (name, host) in [("a", 11), ("b", 12), ("c", 13)] {
            if name != self.setup.me {
                let line = format!("peer {name} 10.0.0.{host}:26379");
                self.run(&Command::made(command.line, &line));
            }
        }
    }

    fn declare_master(&mut self, command: &Command) {
        self.setup.master(command);
        let at = command.word(1);
        if at.parse::<std::net::SocketAddr>().is_ok()
            && !self.nodes.iter().any(|node| node.socket.to_string() == at)
        {
            self.nodes.push(Node::new(at, Role::Master));
        }
    }

    fn declare_node(&mut self, command: &Command, role: Role) {
        let mut node = Node::new(command.word(0), role);
        node.follows = self.setup.master_address();
        node.set(command, self.now);
        self.nodes.push(node);
    }

    fn declare_peer(&mut self, command: &Command) {
        let name = command.word(0);
        let known = self.peers.iter().find(|peer| peer.name == name).map(|peer| peer.socket);
        let at = match known {
            Some(socket) => socket.to_string(),
            None => command.word(1).to_owned(),
        };
        self.setup.peer(name, &at);
        if known.is_none() {
            let mut peer = Peer::new(name, &at);
            peer.set(command);
            self.peers.push(peer);
        }
    }

    /// Runs for a while without a trace, then counts time from zero.
    fn settle(&mut self, command: &Command) {
        let span = command.plain().first().map_or(5000, |word| command.parse(word));
        self.trace.mute();
        self.wait(span);
        self.trace.unmute();
        self.trace.count_from(self.now);
        self.round_trip();
    }

    /// `repeat 3 request …`.
    fn repeat(&mut self, command: &Command) {
        let (times, rest) = command.repeated();
        (0..times).for_each(|_| self.run(&rest));
    }

    fn party(&self, name: &str) -> Party {
        let node = self.nodes.iter().position(|node| node.name == name).map(Party::Node);
        let peer = || self.peers.iter().position(|peer| peer.name == name).map(Party::Peer);
        node.or_else(peer).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    fn live(&mut self, command: &Command, life: Life) {
        for name in command.plain() {
            let party = self.party(name);
            self.become_life(party, life);
        }
        if let Some(name) = command.plain().first() {
            self.change_party(name, command);
        }
    }

    fn change_party(&mut self, name: &str, command: &Command) {
        let now = self.now;
        match self.party(name) {
            Party::Node(index) => self.nodes[index].set(command, now),
            Party::Peer(index) => self.peers[index].set(command),
            Party::Nobody => {}
        }
    }

    fn drop_line(&mut self, command: &Command) {
        let party = self.party(command.word(0));
        let purpose = match command.word(1) {
            "subscription" => Purpose::Subscription,
            _ => Purpose::Commands,
        };
        let there = self.lines.iter().filter(|(_, l)| l.party == party && l.purpose == purpose);
        let conns: Vec<_> = there.map(|(conn, _)| *conn).collect();
        conns.into_iter().for_each(|conn| self.plan(0, Happening::Lost(conn)));
    }

    fn change_store(&mut self, command: &Command) {
        let saves = match command.word(0) {
            "ok" => Saves::After(1),
            "slow" => Saves::After(command.number(1)),
            "never" => Saves::Never,
            _ => Saves::Fail,
        };
        match &mut self.store {
            Some(store) => store.behave(saves),
            None => self.setup.saves = saves,
        }
    }

    fn change_scripts(&mut self, command: &Command) {
        self.scripts = match command.word(0) {
            "exit" => {
                let code = i32::try_from(command.number(1)).expect("a small exit code");
                Scripts::Exit(code)
            }
            "hang" => Scripts::Hang,
            _ => Scripts::FailToStart,
        };
    }

    fn change_names(&mut self, command: &Command) {
        match command.word(0) {
            "slow" => self.name_delay = command.number(1),
            name => match command.word(1).parse() {
                Ok(ip) => {
                    self.names.insert(name.to_owned(), ip);
                }
                Err(_) => {
                    self.names.remove(name);
                }
            },
        }
    }

    /// The process is killed and started again from what is on the disk.
    fn restart(&mut self, command: &Command) {
        self.start();
        self.stop();
        if command.plain().contains(&"forgetful")
            && let Some(store) = &mut self.store
        {
            store.durable.masters.iter_mut().for_each(|master| master.last_vote = None);
        }
        self.setup.seed += 1;
        self.start();
    }

    fn sender(&self, name: &str) -> (SentinelId, vedette_core::Endpoint) {
        let at = self.peers.iter().find(|peer| peer.name == name).map(|peer| peer.socket);
        let at = at.map_or("10.9.9.9:26379".to_owned(), |socket| socket.to_string());
        (sentinel_id(name), endpoint(&at))
    }

    /// `hello from b epoch=5 config=5 addr=10.0.0.2:6379 [via=n2 [after=500]]`.
    fn take_hello(&mut self, command: &Command) {
        let (id, sentinel) = self.sender(command.word(1));
        let hello = Arc::new(Hello {
            sentinel: command.value("at").map_or(sentinel, endpoint),
            id,
            current_epoch: epoch(command.get("epoch", 0)),
            master: command.value("master").unwrap_or("m").into(),
            address: endpoint(command.value("addr").unwrap_or("10.0.0.1:6379")),
            config_epoch: epoch(command.get("config", 0)),
        });
        let Some(via) = command.value("via") else {
            self.request(Request::Hello(Some(hello)));
            return;
        };
        let Party::Node(index) = self.party(via) else { panic!("hellos go via data nodes") };
        for conn in self.subscriptions(index) {
            self.plan(command.get("after", 0), Happening::Message(conn, hello.clone()));
        }
        self.wait(0);
    }

    /// `ask from b epoch=6 [vote=b] [addr=…]`.
    fn ask(&mut self, command: &Command) {
        let wants = match command.value("vote") {
            None => Wants::Opinion,
            Some("?") => Wants::VoteForStranger,
            Some(name) => Wants::VoteFor(sentinel_id(name)),
        };
        let address = endpoint(command.value("addr").unwrap_or("10.0.0.1:6379"));
        let epoch = epoch(command.get("epoch", 0));
        self.request(Request::IsMasterDown { address, epoch, wants });
    }

    fn take_request(&mut self, command: &Command) {
        let names = || command.plain()[1..].iter().map(|name| Arc::from(*name)).collect();
        let request = match command.word(0) {
            "failover" => Request::Failover(command.word(1).into(), Manner::Forced),
            "coordinated" => Request::Failover(command.word(1).into(), Manner::Coordinated),
            "remove" => Request::Remove(command.word(1).into()),
            "reset" => Request::Reset(names()),
            "monitor" => Request::Monitor {
                name: command.word(1).into(),
                address: endpoint(command.word(2)),
                quorum: u32::try_from(command.number(3)).expect("a small quorum"),
            },
            "set" => Request::Set {
                name: command.word(1).into(),
                options: command.pairs().map(|pair| set_item(command, pair)).collect(),
            },
            "config" => {
                let option = |pair| config_option(command, pair);
                Request::ConfigSet(command.pairs().map(option).collect())
            }
            "tune" => {
                let value = |(key, value)| (tunable(key), Span(command.parse(value)));
                Request::Tune(command.pairs().map(value).collect())
            }
            "flush" => Request::FlushConfig,
            "crash" => Request::SimulateFailure(SimulatedFailures {
                after_election: command.plain().contains(&"election"),
                after_promotion: command.plain().contains(&"promotion"),
            }),
            other => panic!("line {}: no request {other}", command.line),
        };
        self.request(request);
    }

    /// Writes what clients are shown of a master.
    fn show(&mut self, command: &Command) {
        self.trace.show(self.now, command.word(0));
    }
}

fn epoch(number: u64) -> Epoch {
    Epoch::new(number).expect("an epoch below 2^63")
}

fn set_item(command: &Command, (key, value): (&str, &str)) -> SetItem {
    let text = (!value.is_empty()).then(|| Arc::from(value));
    let option = match key {
        "quorum" => SetOption::Quorum(command.parse(value)),
        "down-after" => SetOption::DownAfter(Span(command.parse(value))),
        "failover-timeout" => SetOption::FailoverTimeout(Span(command.parse(value))),
        "parallel-syncs" => SetOption::ParallelSyncs(command.parse(value)),
        "notification" => SetOption::NotificationScript(text),
        "client" => SetOption::ClientReconfigScript(text),
        "auth-user" => SetOption::AuthUser(text),
        "reboot" => SetOption::RebootDownAfter(Span(command.parse(value))),
        "rename" => {
            let (from, to) = value.split_once(':').expect("rename=PING:xyz");
            SetOption::RenameCommand { from: from.into(), to: to.into() }
        }
        other => panic!("line {}: no option {other}", command.line),
    };
    SetItem { option, shown: format!("{key} {value}").into() }
}

fn config_option(command: &Command, (key, value): (&str, &str)) -> ConfigOption {
    match key {
        "resolve" => ConfigOption::ResolveHostnames(value == "yes"),
        "announce-names" => ConfigOption::AnnounceHostnames(value == "yes"),
        "announce-ip" => ConfigOption::AnnounceIp(Some(value.into())),
        "announce-port" => ConfigOption::AnnouncePort(value.parse().ok()),
        "sentinel-user" => ConfigOption::SentinelUser(Some(value.into())),
        other => panic!("line {}: no setting {other}", command.line),
    }
}

fn tunable(key: &str) -> Tunable {
    match key {
        "info-period" => Tunable::InfoPeriod,
        "ping-period" => Tunable::PingPeriod,
        "ask-period" => Tunable::AskPeriod,
        "publish-period" => Tunable::PublishPeriod,
        "election-timeout" => Tunable::ElectionTimeout,
        "tilt-period" => Tunable::TiltPeriod,
        "slave-reconf-timeout" => Tunable::SlaveReconfTimeout,
        other => panic!("no tunable {other}"),
    }
}
