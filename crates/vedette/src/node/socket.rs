//! One TCP connection: a task that reads, a task that writes, and a handle to both.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Messages a connection that is not read may leave unsent before it is reset.
const UNSENT_MESSAGES_MAX: usize = 4096;
/// Bytes of one read.
const READ_MAX: usize = 16 << 10;

/// A running connection; dropping it closes the connection once everything has been written.
#[derive(Debug)]
pub(super) struct Socket {
    stream: Arc<TcpStream>,
    unsent: mpsc::Sender<Bytes>,
    reader: AbortHandle,
    writer: AbortHandle,
}

/// The peer does not read what it is sent.
#[derive(Debug)]
pub(super) struct Overflow;

/// What reading gave; `None` is the end.
pub(super) type Received<E> = fn(E, Option<Bytes>) -> super::host::Event;

impl Socket {
    /// Starts both tasks. Each read becomes an event made by `received` for `whose`.
    pub(super) fn start<E: Copy + Send + 'static>(
        stream: TcpStream,
        events: mpsc::Sender<super::host::Event>,
        whose: E,
        received: Received<E>,
    ) -> Self {
        // Only latency suffers without it.
        let _ = stream.set_nodelay(true);
        let stream = Arc::new(stream);
        let (unsent, queue) = mpsc::channel(UNSENT_MESSAGES_MAX);
        let reader = tokio::spawn(read(Arc::clone(&stream), events, whose, received));
        let writer = tokio::spawn(write(Arc::clone(&stream), queue, reader.abort_handle()));
        Self { stream, unsent, reader: reader.abort_handle(), writer: writer.abort_handle() }
    }

    pub(super) fn send(&self, bytes: Bytes) -> Result<(), Overflow> {
        self.unsent.try_send(bytes).map_err(|_| Overflow)
    }

    /// Closes with a reset, whatever is unsent.
    pub(super) fn reset(self) {
        // If it fails the peer sees an orderly end instead.
        let _ = self.stream.set_zero_linger();
        self.reader.abort();
        self.writer.abort();
    }
}

async fn read<E: Copy>(
    stream: Arc<TcpStream>,
    events: mpsc::Sender<super::host::Event>,
    whose: E,
    received: Received<E>,
) {
    let mut chunk = vec![0; READ_MAX];
    loop {
        let bytes = match read_some(&stream, &mut chunk).await {
            Ok(len) if len > 0 => Some(Bytes::copy_from_slice(&chunk[..len])),
            Ok(_) | Err(_) => None,
        };
        let ended = bytes.is_none();
        if events.send(received(whose, bytes)).await.is_err() || ended {
            return;
        }
    }
}

async fn read_some(stream: &TcpStream, chunk: &mut [u8]) -> io::Result<usize> {
    loop {
        stream.readable().await?;
        match stream.try_read(chunk) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
    }
}

/// Ends, and the reader with it, when the handle is gone and everything is written.
async fn write(stream: Arc<TcpStream>, mut queue: mpsc::Receiver<Bytes>, reader: AbortHandle) {
    while let Some(bytes) = queue.recv().await {
        if write_all(&stream, &bytes).await.is_err() {
            break;
        }
    }
    reader.abort();
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Connects from `bind`, so that the far end sees the node's own address.
pub(super) async fn connect(bind: IpAddr, host: String, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address");
    for address in tokio::net::lookup_host((host.as_str(), port)).await? {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        if !bind.is_unspecified() && bind.is_ipv4() == address.is_ipv4() {
            socket.bind(SocketAddr::new(bind, 0))?;
        }
        match socket.connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}
