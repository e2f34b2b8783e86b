//! The sockets to data nodes and fellow Sentinels.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Buf as _;
use foldhash::HashMap;
use tokio::io::ReadBuf;
use tokio::net::TcpSocket;
use vedette_core::{ConnId, Input, Purpose, Query, Renames};
use vedette_wire::{HelloMemory, NodeLink, SpareRoom};

use crate::doorbell::{Doorbell, ReadySet};
use crate::log::os_words;
use crate::stream::Stream;
use crate::tls::Dialer;

/// Bytes read at once: an INFO of a thousand replicas fits.
const READ_BYTES: usize = 64 * 1024;
/// Reads from one socket before the others have their turn.
const READS_PER_LOOK: usize = 4;

/// All outgoing connections, by their number.
pub(super) struct Links {
    /// Boxed: the table is half empty.
    links: HashMap<ConnId, Box<Link>>,
    ready: ReadySet,
    /// Links whose output grew in this turn; each is written once at its end.
    grown: Vec<ConnId>,
    route: Route,
    scratch: Box<[u8]>,
    hellos: HelloMemory,
    spare: SpareRoom,
    keys: Vec<u64>,
}

/// How nodes and peers are reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    /// `bind-source-addr`.
    pub(crate) source: Option<IpAddr>,
    /// With `tls-replication`: all of them, over TLS.
    pub(crate) dialer: Option<Arc<Dialer>>,
}

struct Link {
    wire: NodeLink,
    to: SocketAddr,
    socket: Socket,
    waker: Waker,
}

enum Socket {
    Connecting(Connecting),
    Open(Stream),
}

type Connecting = Pin<Box<dyn Future<Output = io::Result<(Stream, IpAddr)>> + Send>>;

/// The connection is over; the core was told.
struct Over;

/// What all links use in turn.
struct Desk<'a> {
    scratch: &'a mut [u8],
    hellos: &'a mut HelloMemory,
    spare: &'a mut SpareRoom,
    route: &'a Route,
}

impl Links {
    pub(super) fn new(bell: Arc<Doorbell>, route: Route) -> Self {
        Self {
            links: HashMap::default(),
            ready: ReadySet::new(bell),
            grown: Vec::new(),
            route,
            scratch: vec![0; READ_BYTES].into(),
            hellos: HelloMemory::default(),
            spare: SpareRoom::default(),
            keys: Vec::new(),
        }
    }

    /// Whether no socket is known to be ready.
    pub(super) fn are_quiet(&self) -> bool {
        self.ready.is_empty()
    }

    /// Starts to connect. Loopback may refuse at once.
    pub(super) fn connect(
        &mut self,
        (conn, purpose): (ConnId, Purpose),
        to: SocketAddr,
        renames: Arc<Renames>,
        inputs: &mut impl Extend<Input>,
    ) {
        let wire = NodeLink::new(conn, purpose, renames);
        let socket = Socket::Connecting(Box::pin(connected(to, self.route.clone())));
        let waker = self.ready.waker(conn.0);
        self.links.insert(conn, Box::new(Link { wire, to, socket, waker }));
        self.look_at(conn, inputs);
    }

    /// Closes a connection. What was ordered before it still leaves, as far as the system takes it.
    pub(super) fn close(&mut self, conn: ConnId) {
        if let Some(mut link) = self.links.remove(&conn) {
            let _the_core_wants_no_more_of_it = link.write(&mut self.spare);
            link.say_good_bye();
        }
    }

    /// Queues a query; it leaves with [`Links::flush`].
    pub(super) fn send(&mut self, conn: ConnId, query: &Query) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.wire.take_room(&mut self.spare);
            link.wire.send(query);
            self.grown.push(conn);
        }
    }

    /// Uses other names for commands from now on.
    pub(super) fn rename(&mut self, conn: ConnId, renames: Arc<Renames>) {
        if let Some(link) = self.links.get_mut(&conn) {
            link.wire.set_renames(renames);
        }
    }

    /// Reads whatever is readable, writes what was held up, and finishes connects.
    pub(super) fn look(&mut self, inputs: &mut impl Extend<Input>) {
        let mut keys = std::mem::take(&mut self.keys);
        self.ready.take(&mut keys);
        for key in keys.drain(..) {
            self.look_at(ConnId(key), inputs);
        }
        self.keys = keys;
    }

    /// Writes each connection's queries of this turn in one go.
    pub(super) fn flush(&mut self, inputs: &mut impl Extend<Input>) {
        let mut grown = std::mem::take(&mut self.grown);
        for conn in grown.drain(..) {
            let Some(link) = self.links.get_mut(&conn) else { continue };
            if link.write(&mut self.spare).is_err() {
                self.links.remove(&conn);
                inputs.extend([Input::Disconnected { conn }]);
            }
        }
        self.grown = grown;
    }

    fn look_at(&mut self, conn: ConnId, inputs: &mut impl Extend<Input>) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        let desk = Desk {
            scratch: &mut self.scratch,
            hellos: &mut self.hellos,
            spare: &mut self.spare,
            route: &self.route,
        };
        let over = link.finish_connect(inputs).and_then(|()| link.read(desk, inputs));
        if over.is_err() {
            self.links.remove(&conn);
        }
    }
}

impl Link {
    /// Finishes a connect that is done.
    fn finish_connect(&mut self, inputs: &mut impl Extend<Input>) -> Result<(), Over> {
        let Socket::Connecting(connecting) = &mut self.socket else { return Ok(()) };
        let conn = self.wire.conn();
        let connected = connecting.as_mut().poll(&mut Context::from_waker(&self.waker));
        match connected {
            Poll::Pending => Ok(()),
            Poll::Ready(Ok((stream, local_ip))) => {
                self.socket = Socket::Open(stream);
                inputs.extend([Input::Connected { conn, local_ip }]);
                Ok(())
            }
            Poll::Ready(Err(error)) => {
                let reason = os_words(&error).into();
                inputs.extend([Input::ConnectFailed { conn, reason }]);
                Err(Over)
            }
        }
    }

    /// Writes what was queued, then reads until nothing is readable.
    fn read(&mut self, mut desk: Desk<'_>, inputs: &mut impl Extend<Input>) -> Result<(), Over> {
        let mut over = self.write(desk.spare);
        for _ in 0..READS_PER_LOOK {
            if over.is_err() {
                break;
            }
            match self.read_once(&mut desk, inputs) {
                Poll::Ready(result) => over = result,
                Poll::Pending => return Ok(()),
            }
        }
        match over {
            Ok(()) => self.waker.wake_by_ref(),
            Err(_) => inputs.extend([Input::Disconnected { conn: self.wire.conn() }]),
        }
        over
    }

    fn read_once(
        &mut self,
        desk: &mut Desk<'_>,
        inputs: &mut impl Extend<Input>,
    ) -> Poll<Result<(), Over>> {
        let Socket::Open(stream) = &mut self.socket else { return Poll::Pending };
        let mut buffer = ReadBuf::new(desk.scratch);
        let read = stream.poll_read(&mut Context::from_waker(&self.waker), &mut buffer);
        read.map(|read| match read {
            Ok(()) if !buffer.filled().is_empty() => {
                if let Some(dialer) = &desk.route.dialer {
                    dialer.is_well(self.to);
                }
                self.wire.receive(buffer.filled(), desk.hellos, inputs).map_err(|_| Over)
            }
            Ok(()) => Err(Over),
            Err(error) => {
                // With TLS 1.3 a server refuses our certificate only now.
                let dialer = &desk.route.dialer;
                if let (io::ErrorKind::InvalidData, Some(dialer)) = (error.kind(), dialer) {
                    dialer.complain(self.to, &error);
                }
                Err(Over)
            }
        })
    }

    /// Writes as much as the system takes; the rest leaves when the socket is writable again.
    fn write(&mut self, spare: &mut SpareRoom) -> Result<(), Over> {
        let Socket::Open(stream) = &mut self.socket else { return Ok(()) };
        let output = self.wire.output();
        while !output.is_empty() {
            let mut cx = Context::from_waker(&self.waker);
            match stream.poll_write(&mut cx, output) {
                Poll::Ready(Ok(written)) if written > 0 => output.advance(written),
                Poll::Ready(_) => return Err(Over),
                Poll::Pending => return Ok(()),
            }
        }
        self.wire.release_output(spare);
        match stream.poll_flush(&mut Context::from_waker(&self.waker)) {
            Poll::Ready(Err(_)) => Err(Over),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    fn say_good_bye(&mut self) {
        if let Socket::Open(stream) = &mut self.socket {
            stream.say_good_bye(&mut Context::from_waker(&self.waker));
        }
    }
}

/// Connects, from the route's source where that is possible, as in the reference; then shakes
/// hands, on another thread, if that is the way. The second value is our own address.
async fn connected(to: SocketAddr, route: Route) -> io::Result<(Stream, IpAddr)> {
    let socket = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    if let Some(source) = route.source.filter(|source| source.is_ipv4() == to.is_ipv4()) {
        let _best_effort = socket.bind(SocketAddr::new(source, 0));
    }
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    let local_ip = stream.local_addr()?.ip();
    let stream = match route.dialer {
        Some(dialer) => Stream::Tls(dialer.dial(stream.into_std()?, to).await?.settle()?),
        None => Stream::Tcp(stream),
    };
    Ok((stream, local_ip))
}
