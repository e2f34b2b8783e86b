//! A network of model nodes on virtual time. Bytes arrive at once, in order.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use vedette_node::{ConnId, Fault, Input, LinkId, Node, NodeConfig, Output};
use vedette_resp::{Frame, ReplyDecoder, encode_command};

/// Who is at the far end of a connection into a node.
#[derive(Clone, Copy, Debug)]
enum FarEnd {
    Client,
    Link { node: usize, link: LinkId },
}

/// A client's connection: the node and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Client {
    node: usize,
    conn: ConnId,
}

/// Nodes on ports 7000, 7001, …
#[derive(Default)]
pub(crate) struct Network {
    pub(crate) now: u64,
    pub(crate) nodes: Vec<Node>,
    listening: Vec<bool>,
    connections: BTreeMap<(usize, ConnId), FarEnd>,
    links: BTreeMap<(usize, LinkId), (usize, ConnId)>,
    received: BTreeMap<Client, ReplyDecoder>,
    last_conn: u64,
}

impl Network {
    /// A master and replicas of it, synchronised.
    pub(crate) fn group(replicas: usize) -> Self {
        let mut network = Self::default();
        network.add(NodeConfig::default());
        for _ in 0..replicas {
            let replica_of = Some(("127.0.0.1".to_owned(), 7000));
            network.add(NodeConfig { replica_of, ..NodeConfig::default() });
        }
        network.pass(2_000);
        network
    }

    pub(crate) fn add(&mut self, config: NodeConfig) -> usize {
        let index = self.nodes.len();
        let port = 7000 + u16::try_from(index).expect("few nodes");
        let node = Node::new(Arc::new(NodeConfig { port, ..config }), index as u64 + 1, self.now);
        self.nodes.push(node);
        self.listening.push(false);
        self.settle();
        index
    }

    pub(crate) fn input(&mut self, node: usize, input: Input) {
        self.nodes[node].handle_input(self.now, input);
        self.settle();
    }

    pub(crate) fn fault(&mut self, node: usize, fault: Fault) {
        self.input(node, Input::Faulted(fault));
    }

    /// Lets time pass, stopping at every deadline.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            let next = self.nodes.iter().filter_map(Node::poll_deadline).min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            for index in 0..self.nodes.len() {
                if self.nodes[index].poll_deadline().is_some_and(|at| at <= self.now) {
                    self.input(index, Input::DeadlineReached);
                }
            }
        }
        self.now = end;
    }

    pub(crate) fn connect(&mut self, node: usize) -> Client {
        let conn = self.open(node, FarEnd::Client);
        let client = Client { node, conn };
        self.received.insert(client, ReplyDecoder::default());
        self.settle();
        client
    }

    pub(crate) fn send(&mut self, client: Client, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.input(client.node, Input::BytesReceived { conn: client.conn, bytes });
    }

    pub(crate) fn next_frame(&mut self, client: Client) -> Option<Frame> {
        self.received.get_mut(&client)?.next().expect("a node speaks the protocol")
    }

    /// Sends a command and takes one reply.
    pub(crate) fn ask(&mut self, client: Client, words: &str) -> Frame {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        let mut out = BytesMut::new();
        encode_command(&mut out, &words);
        self.send(client, &out);
        self.next_frame(client).expect("a reply")
    }

    pub(crate) fn is_open(&self, client: Client) -> bool {
        self.connections.contains_key(&(client.node, client.conn))
    }

    /// A line of INFO.
    pub(crate) fn info(&mut self, node: usize, name: &str) -> Option<String> {
        let client = self.connect(node);
        let info = self.ask(client, "INFO");
        let text = String::from_utf8(info.text().expect("a text").to_vec()).expect("utf-8");
        let prefix = format!("{name}:");
        self.input(node, Input::ConnectionClosed { conn: client.conn });
        self.connections.remove(&(node, client.conn));
        text.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
    }

    fn open(&mut self, node: usize, far_end: FarEnd) -> ConnId {
        self.last_conn += 1;
        let conn = ConnId(self.last_conn);
        let peer_port = 40_000 + u16::try_from(self.last_conn % 20_000).expect("small");
        let peer = SocketAddr::from(([127, 0, 0, 1], peer_port));
        let local = SocketAddr::from(([127, 0, 0, 1], self.nodes[node].config().port));
        self.connections.insert((node, conn), far_end);
        self.nodes[node].handle_input(self.now, Input::ConnectionOpened { conn, peer, local });
        conn
    }

    /// Carries out orders until there are none.
    fn settle(&mut self) {
        let mut busy = true;
        while busy {
            busy = false;
            for index in 0..self.nodes.len() {
                while let Some(output) = self.nodes[index].poll_output() {
                    busy = true;
                    self.carry_out(index, output);
                }
            }
        }
    }

    fn carry_out(&mut self, from: usize, output: Output) {
        match output {
            Output::Listen => self.listening[from] = true,
            Output::StopListening => self.listening[from] = false,
            Output::Send { conn, bytes } => match self.connections.get(&(from, conn)) {
                Some(FarEnd::Client) => {
                    let client = Client { node: from, conn };
                    if let Some(decoder) = self.received.get_mut(&client) {
                        decoder.feed(&bytes);
                    }
                }
                Some(&FarEnd::Link { node, link }) => {
                    self.nodes[node].handle_input(self.now, Input::LinkReceived { link, bytes });
                }
                None => {}
            },
            Output::Close { conn, .. } => {
                if let Some(FarEnd::Link { node, link }) = self.connections.remove(&(from, conn)) {
                    self.links.remove(&(node, link));
                    self.nodes[node].handle_input(self.now, Input::LinkClosed { link });
                }
            }
            Output::LinkConnect { link, port, .. } => self.connect_link(from, link, port),
            Output::LinkSend { link, bytes } => {
                if let Some(&(node, conn)) = self.links.get(&(from, link)) {
                    self.nodes[node].handle_input(self.now, Input::BytesReceived { conn, bytes });
                }
            }
            Output::LinkClose { link } => {
                if let Some((node, conn)) = self.links.remove(&(from, link)) {
                    self.connections.remove(&(node, conn));
                    self.nodes[node].handle_input(self.now, Input::ConnectionClosed { conn });
                }
            }
        }
    }

    fn connect_link(&mut self, from: usize, link: LinkId, port: u16) {
        let target = self.nodes.iter().position(|node| node.config().port == port);
        match target.filter(|target| self.listening[*target]) {
            Some(target) => {
                let conn = self.open(target, FarEnd::Link { node: from, link });
                self.links.insert((from, link), (target, conn));
                self.nodes[from].handle_input(self.now, Input::LinkConnected { link });
            }
            None => self.nodes[from].handle_input(self.now, Input::LinkClosed { link }),
        }
    }
}
