//! The host of all nodes: carries out their orders, keeps their deadlines.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use vedette_node::{CloseKind, ConnId, Input, LinkId, Node, Output};
use vedette_resp::{Frame, Request};

use super::control;
use super::layout::Layout;
use super::socket::{self, Socket};

/// Events waiting for the host before readers wait.
const EVENTS_MAX: usize = 1024;

/// What the tasks report.
#[derive(Debug)]
pub(super) enum Event {
    Accepted {
        node: usize,
        stream: TcpStream,
        peer: SocketAddr,
    },
    Received {
        node: usize,
        conn: ConnId,
        bytes: Option<Bytes>,
    },
    LinkConnected {
        node: usize,
        link: LinkId,
        stream: Option<TcpStream>,
    },
    LinkReceived {
        node: usize,
        link: LinkId,
        bytes: Option<Bytes>,
    },
    /// A command on the control port.
    Commanded {
        request: Request,
        answer: oneshot::Sender<Frame>,
    },
}

/// All nodes of the process with their sockets.
#[derive(Debug)]
pub(super) struct Host {
    bind: IpAddr,
    started: Instant,
    pub(super) nodes: Vec<Hosted>,
    /// The next deadline of each node that has one.
    deadlines: BTreeSet<(u64, usize)>,
    last_conn: u64,
    events: mpsc::Sender<Event>,
    inbox: mpsc::Receiver<Event>,
    /// Set when the control port asks for the end.
    pub(super) is_ending: bool,
}

/// A node with its sockets.
#[derive(Debug)]
pub(super) struct Hosted {
    pub(super) node: Node,
    listener: Option<JoinHandle<()>>,
    connections: BTreeMap<ConnId, Socket>,
    links: BTreeMap<LinkId, Link>,
    deadline: Option<u64>,
}

#[derive(Debug)]
enum Link {
    Connecting(JoinHandle<()>),
    Up(Socket),
}

impl Host {
    /// Binds every port. Says on standard output what listens where.
    pub(super) async fn start(layout: Layout) -> anyhow::Result<Self> {
        let (events, inbox) = mpsc::channel(EVENTS_MAX);
        let mut host = Self {
            bind: layout.bind,
            started: Instant::now(),
            nodes: Vec::new(),
            deadlines: BTreeSet::new(),
            last_conn: 0,
            events,
            inbox,
            is_ending: false,
        };
        for (index, config) in layout.nodes.into_iter().enumerate() {
            host.add(Node::new(config, layout.seed.wrapping_add(index as u64), 0));
        }
        for index in 0..host.nodes.len() {
            host.listen(index).await?;
        }
        for index in 0..host.nodes.len() {
            host.carry_out(index).await;
        }
        if let Some(port) = layout.control_port {
            let address = SocketAddr::new(layout.bind, port);
            let listener = TcpListener::bind(address).await;
            let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
            println!("control port {}", listener.local_addr()?);
            tokio::spawn(control::serve(listener, host.events.clone()));
        }
        for line in host.nodes.iter().map(Hosted::describe) {
            println!("{line}");
        }
        Ok(host)
    }

    fn add(&mut self, node: Node) {
        self.nodes.push(Hosted {
            node,
            listener: None,
            connections: BTreeMap::new(),
            links: BTreeMap::new(),
            deadline: None,
        });
    }

    /// Serves until a signal or the control port ends it.
    pub(super) async fn run(&mut self) {
        let mut ends = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
        while !self.is_ending {
            let wait =
                self.deadlines.first().map(|(at, _)| self.started + Duration::from_millis(*at));
            tokio::select! {
                event = self.inbox.recv() => match event {
                    Some(event) => self.take(event).await,
                    None => return,
                },
                () = sleep_until(wait) => self.meet_deadlines().await,
                () = any_signal(&mut ends) => return,
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn meet_deadlines(&mut self) {
        let now = self.now();
        while let Some(&(at, index)) = self.deadlines.first() {
            if at > now {
                return;
            }
            self.input(index, Input::DeadlineReached).await;
        }
    }

    async fn take(&mut self, event: Event) {
        match event {
            Event::Accepted { node, stream, peer } => self.accepted(node, stream, peer).await,
            Event::Received { node, conn, bytes } => {
                if !self.nodes[node].connections.contains_key(&conn) {
                    return;
                }
                match bytes {
                    Some(bytes) => self.input(node, Input::BytesReceived { conn, bytes }).await,
                    None => {
                        self.nodes[node].connections.remove(&conn);
                        self.input(node, Input::ConnectionClosed { conn }).await;
                    }
                }
            }
            Event::LinkConnected { node, link, stream } => {
                self.link_connected(node, link, stream).await;
            }
            Event::LinkReceived { node, link, bytes } => {
                if !self.nodes[node].links.contains_key(&link) {
                    return;
                }
                match bytes {
                    Some(bytes) => self.input(node, Input::LinkReceived { link, bytes }).await,
                    None => {
                        self.nodes[node].links.remove(&link);
                        self.input(node, Input::LinkClosed { link }).await;
                    }
                }
            }
            Event::Commanded { request, answer } => {
                let frame = control::execute(self, &request).await;
                // The operator may have hung up.
                let _ = answer.send(frame);
            }
        }
    }

    async fn accepted(&mut self, node: usize, stream: TcpStream, peer: SocketAddr) {
        let Ok(local) = stream.local_addr() else { return };
        self.last_conn += 1;
        let conn = ConnId(self.last_conn);
        let socket = Socket::start(stream, self.events.clone(), (node, conn), |whose, bytes| {
            let (node, conn) = whose;
            Event::Received { node, conn, bytes }
        });
        self.nodes[node].connections.insert(conn, socket);
        self.input(node, Input::ConnectionOpened { conn, peer, local }).await;
    }

    async fn link_connected(&mut self, node: usize, link: LinkId, stream: Option<TcpStream>) {
        // The node may have given it up meanwhile.
        if !self.nodes[node].links.contains_key(&link) {
            return;
        }
        let input = match stream {
            Some(stream) => {
                let socket =
                    Socket::start(stream, self.events.clone(), (node, link), |whose, bytes| {
                        let (node, link) = whose;
                        Event::LinkReceived { node, link, bytes }
                    });
                self.nodes[node].links.insert(link, Link::Up(socket));
                Input::LinkConnected { link }
            }
            None => {
                self.nodes[node].links.remove(&link);
                Input::LinkClosed { link }
            }
        };
        self.input(node, input).await;
    }

    /// Gives a node a fact and carries out what it orders.
    pub(super) async fn input(&mut self, index: usize, input: Input) {
        let now = self.now();
        self.nodes[index].node.handle_input(now, input);
        self.carry_out(index).await;
    }

    async fn carry_out(&mut self, index: usize) {
        while let Some(output) = self.nodes[index].node.poll_output() {
            self.order(index, output).await;
        }
        let hosted = &mut self.nodes[index];
        let deadline = hosted.node.poll_deadline();
        if deadline != hosted.deadline {
            if let Some(old) = hosted.deadline {
                self.deadlines.remove(&(old, index));
            }
            if let Some(new) = deadline {
                self.deadlines.insert((new, index));
            }
            hosted.deadline = deadline;
        }
    }

    async fn order(&mut self, index: usize, output: Output) {
        match output {
            Output::Listen => {
                if let Err(error) = self.listen(index).await {
                    eprintln!("vedette node: {error:#}");
                }
            }
            Output::StopListening => self.stop_listening(index).await,
            Output::Send { conn, bytes } => {
                let sent =
                    self.nodes[index].connections.get(&conn).map(|socket| socket.send(bytes));
                if let Some(Err(socket::Overflow)) = sent {
                    self.drop_connection(index, conn);
                }
            }
            Output::Close { conn, kind } => {
                if let Some(socket) = self.nodes[index].connections.remove(&conn) {
                    match kind {
                        CloseKind::Graceful => drop(socket),
                        CloseKind::Reset => socket.reset(),
                    }
                }
            }
            Output::LinkConnect { link, host, port } => self.connect_link(index, link, host, port),
            Output::LinkSend { link, bytes } => {
                if let Some(Link::Up(socket)) = self.nodes[index].links.get(&link) {
                    // A master that does not read is noticed by its silence.
                    let _ = socket.send(bytes);
                }
            }
            Output::LinkClose { link } => match self.nodes[index].links.remove(&link) {
                Some(Link::Connecting(task)) => task.abort(),
                Some(Link::Up(socket)) => drop(socket),
                None => {}
            },
        }
    }

    async fn stop_listening(&mut self, index: usize) {
        if let Some(listener) = self.nodes[index].listener.take() {
            listener.abort();
            // Cancelled: the port is free when it has ended.
            let _ = listener.await;
        }
    }

    /// A client that does not read is reset; the node hears of it as of any other end.
    fn drop_connection(&mut self, index: usize, conn: ConnId) {
        let events = self.events.clone();
        let end = Event::Received { node: index, conn, bytes: None };
        tokio::spawn(async move { events.send(end).await });
    }

    async fn listen(&mut self, index: usize) -> anyhow::Result<()> {
        if self.nodes[index].listener.is_some() {
            return Ok(());
        }
        let address = SocketAddr::new(self.bind, self.nodes[index].node.config().port);
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
        let task = tokio::spawn(accept(listener, self.events.clone(), index));
        self.nodes[index].listener = Some(task);
        Ok(())
    }

    fn connect_link(&mut self, node: usize, link: LinkId, host: String, port: u16) {
        let (bind, events) = (self.bind, self.events.clone());
        let task = tokio::spawn(async move {
            let stream = socket::connect(bind, host, port).await.ok();
            // The host is gone only at the end of the process.
            let _ = events.send(Event::LinkConnected { node, link, stream }).await;
        });
        self.nodes[node].links.insert(link, Link::Connecting(task));
    }
}

impl Hosted {
    /// One line for the operator.
    pub(super) fn describe(&self) -> String {
        let node = &self.node;
        let state = match (node.is_alive(), node.is_hung()) {
            (false, _) => "killed",
            (true, true) => "hung",
            (true, false) => "up",
        };
        let (_, offset) = node.position();
        let role = match node.master_address() {
            None => "master".to_owned(),
            Some((host, port)) => {
                let link = if node.is_link_up() { "up" } else { "down" };
                format!("replica of {host}:{port} link {link}")
            }
        };
        format!("{} {state} {role} offset {offset}", node.config().port)
    }
}

async fn accept(listener: TcpListener, events: mpsc::Sender<Event>, node: usize) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if events.send(Event::Accepted { node, stream, peer }).await.is_err() {
                    return;
                }
            }
            // Out of descriptors, most likely: let some close.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

async fn any_signal(signals: &mut [std::io::Result<Signal>; 2]) {
    let [first, second] = signals;
    tokio::select! {
        () = one_signal(first) => {}
        () = one_signal(second) => {}
    }
}

async fn one_signal(signal: &mut std::io::Result<Signal>) {
    match signal {
        Ok(signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}
