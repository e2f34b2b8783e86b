//! The sockets to data nodes and fellow Sentinels.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Buf as _;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use vedette_core::{ConnId, Input, Purpose, Query, Renames};
use vedette_wire::NodeLink;

use crate::doorbell::{Doorbell, ReadySet};
use crate::log::os_words;

/// Bytes read at once: an INFO of a thousand replicas fits.
const READ_BYTES: usize = 64 * 1024;
/// Reads from one socket before the others have their turn.
const READS_PER_LOOK: usize = 4;

/// All outgoing connections, by their number.
pub(super) struct Links {
    links: HashMap<ConnId, Link>,
    ready: ReadySet,
    /// Links whose output grew in this turn; each is written once at its end.
    grown: Vec<ConnId>,
    /// `bind-source-addr`.
    source: Option<IpAddr>,
    scratch: Box<[u8]>,
    keys: Vec<u64>,
}

struct Link {
    wire: NodeLink,
    socket: Socket,
    waker: Waker,
}

enum Socket {
    Connecting(Connecting),
    Open(TcpStream),
}

type Connecting = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// The connection is over; the core was told.
struct Over;

impl Links {
    pub(super) fn new(bell: Arc<Doorbell>, source: Option<IpAddr>) -> Self {
        Self {
            links: HashMap::new(),
            ready: ReadySet::new(bell),
            grown: Vec::new(),
            source,
            scratch: vec![0; READ_BYTES].into(),
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
        let socket = Socket::Connecting(Box::pin(connected(to, self.source)));
        let waker = self.ready.waker(conn.0);
        self.links.insert(conn, Link { wire, socket, waker });
        self.look_at(conn, inputs);
    }

    /// Closes a connection. What was ordered before it still leaves, as far as the system takes it.
    pub(super) fn close(&mut self, conn: ConnId) {
        if let Some(mut link) = self.links.remove(&conn) {
            let _the_core_wants_no_more_of_it = link.write();
        }
    }

    /// Queues a query; it leaves with [`Links::flush`].
    pub(super) fn send(&mut self, conn: ConnId, query: &Query) {
        if let Some(link) = self.links.get_mut(&conn) {
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
            if link.write().is_err() {
                self.links.remove(&conn);
                inputs.extend([Input::Disconnected { conn }]);
            }
        }
        self.grown = grown;
    }

    fn look_at(&mut self, conn: ConnId, inputs: &mut impl Extend<Input>) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        let over = link.finish_connect(inputs).and_then(|()| link.read(&mut self.scratch, inputs));
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
        let named = |stream: TcpStream| Ok((stream.local_addr()?.ip(), stream));
        match connected {
            Poll::Pending => Ok(()),
            Poll::Ready(stream) => match stream.and_then(named) {
                Ok((local_ip, stream)) => {
                    self.socket = Socket::Open(stream);
                    inputs.extend([Input::Connected { conn, local_ip }]);
                    Ok(())
                }
                Err(error) => {
                    let reason = os_words(&error).into();
                    inputs.extend([Input::ConnectFailed { conn, reason }]);
                    Err(Over)
                }
            },
        }
    }

    /// Writes what was queued, then reads until nothing is readable.
    fn read(&mut self, scratch: &mut [u8], inputs: &mut impl Extend<Input>) -> Result<(), Over> {
        let mut over = self.write();
        for _ in 0..READS_PER_LOOK {
            if over.is_err() {
                break;
            }
            match self.read_once(scratch) {
                Poll::Ready(result) => over = result,
                Poll::Pending => return Ok(()),
            }
            inputs.extend(std::iter::from_fn(|| self.wire.poll_input()));
        }
        match over {
            Ok(()) => self.waker.wake_by_ref(),
            Err(_) => inputs.extend([Input::Disconnected { conn: self.wire.conn() }]),
        }
        over
    }

    fn read_once(&mut self, scratch: &mut [u8]) -> Poll<Result<(), Over>> {
        let Socket::Open(stream) = &mut self.socket else { return Poll::Pending };
        let mut buffer = ReadBuf::new(scratch);
        let read = Pin::new(stream).poll_read(&mut Context::from_waker(&self.waker), &mut buffer);
        read.map(|read| match read {
            Ok(()) if !buffer.filled().is_empty() => {
                self.wire.receive(buffer.filled()).map_err(|_| Over)
            }
            Ok(()) | Err(_) => Err(Over),
        })
    }

    /// Writes as much as the system takes; the rest leaves when the socket is writable again.
    fn write(&mut self) -> Result<(), Over> {
        let Socket::Open(stream) = &mut self.socket else { return Ok(()) };
        let output = self.wire.output();
        while !output.is_empty() {
            let mut cx = Context::from_waker(&self.waker);
            match Pin::new(&mut *stream).poll_write(&mut cx, output) {
                Poll::Ready(Ok(written)) if written > 0 => output.advance(written),
                Poll::Ready(_) => return Err(Over),
                Poll::Pending => break,
            }
        }
        Ok(())
    }
}

/// Connects; from `source` where that is possible, as in the reference.
async fn connected(to: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    if let Some(source) = source.filter(|source| source.is_ipv4() == to.is_ipv4()) {
        let _best_effort = socket.bind(SocketAddr::new(source, 0));
    }
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
