//! A socket with a TLS session. It is polled by the one task of the thread that owns it, like a
//! plain socket, and can move to another thread. (`tokio-rustls` cannot: its streams stay with the
//! reactor on which their hand-shake ran.)

use std::future::poll_fn;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::Connection;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;

/// Reads from the socket that may give no data before others have their turn: the largest record
/// comes in five.
const FRUITLESS_READS_MAX: usize = 16;

/// A socket whose hand-shake is done, on its way between threads.
#[derive(Debug)]
pub(crate) struct Secured {
    socket: std::net::TcpStream,
    session: Box<Connection>,
}

/// The same, on the thread that owns it.
#[derive(Debug)]
pub(crate) struct TlsStream {
    socket: TcpStream,
    session: Box<Connection>,
}

impl Secured {
    /// Makes it a socket of the present thread's runtime.
    pub(crate) fn settle(self) -> io::Result<TlsStream> {
        Ok(TlsStream { socket: TcpStream::from_std(self.socket)?, session: self.session })
    }

    /// Says a last word, if that can be said at once.
    pub(crate) fn turn_away(mut self, why: &[u8]) {
        // Its buffer takes more than any last word.
        let _ = self.session.writer().write_all(why);
        self.session.send_close_notify();
        while self.session.wants_write() && self.session.write_tls(&mut self.socket).is_ok() {}
    }
}

impl AsRawFd for Secured {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// Shakes hands.
///
/// # Errors
/// The other side went away, is not believed, does not believe, or does not speak TLS.
pub(super) async fn shake_hands(
    socket: TcpStream,
    session: impl Into<Connection>,
) -> io::Result<Secured> {
    let mut stream = TlsStream { socket, session: Box::new(session.into()) };
    poll_fn(|cx| stream.poll_shake(cx)).await?;
    Ok(Secured { socket: stream.socket.into_std()?, session: stream.session })
}

impl TlsStream {
    /// Reads what is readable. Nothing read is the end, whether the other side said good-bye or
    /// not: RESP knows by itself whether something is missing.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        for _ in 0..FRUITLESS_READS_MAX {
            match self.session.reader().read(into.initialize_unfilled()) {
                Ok(read) => {
                    into.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                    return Poll::Ready(Err(error));
                }
                Err(_nothing_yet) => {}
            }
            ready!(self.poll_receive(cx))?;
        }
        // Others first.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes as much as the session takes. What it took and the socket did not is held, bounded by
    /// the session's buffer, until [`TlsStream::poll_flush`].
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(cx))?;
        let taken = self.session.writer().write(bytes)?;
        if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(taken))
    }

    /// Sends what the session holds.
    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.wants_write() {
            let mut socket = Polled { socket: &mut self.socket, cx };
            match self.session.write_tls(&mut socket) {
                Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Whether nothing is held.
    pub(crate) fn is_flushed(&self) -> bool {
        !self.session.wants_write()
    }

    /// Says good-bye, as far as the system takes it at once.
    pub(crate) fn say_good_bye(&mut self, cx: &mut Context<'_>) {
        self.session.send_close_notify();
        let _as_far_as_it_goes = self.poll_flush(cx);
    }

    fn poll_shake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_flush(cx))?;
            if !self.session.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            if ready!(self.poll_receive(cx))? == 0 {
                let text = "the connection was closed during the TLS hand-shake";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, text)));
            }
        }
    }

    /// Moves bytes from the socket into the session. Returns how many: 0 is the end.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut socket = Polled { socket: &mut self.socket, cx };
        let read = match self.session.read_tls(&mut socket) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let processed = self.session.process_new_packets();
        // What the protocol itself has to answer; if the socket is full it leaves with the next
        // write. After an error it is the alert that tells why.
        let flushed = self.poll_flush(cx);
        if let Err(error) = processed {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
        }
        match flushed {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(read)),
        }
    }
}

/// The socket as the session wants it: it would block where the socket is pending.
struct Polled<'a, 'b> {
    socket: &'a mut TcpStream,
    cx: &'a mut Context<'b>,
}

fn or_would_block<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

impl io::Read for Polled<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(into);
        or_would_block(Pin::new(&mut *self.socket).poll_read(self.cx, &mut buffer))?;
        Ok(buffer.filled().len())
    }
}

impl io::Write for Polled<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        or_would_block(Pin::new(&mut *self.socket).poll_write(self.cx, bytes))
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        or_would_block(Pin::new(&mut *self.socket).poll_write_vectored(self.cx, slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
