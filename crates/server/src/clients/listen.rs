//! Listeners: where clients come in, and who is turned away at the door.

mod sockets;

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rustix::net::{SocketAddrAny, SocketFlags, acceptfrom_with, sockopt};
use tokio::io::unix::AsyncFd;
use tokio::net::{TcpStream, UnixStream};
use vedette_wire::client::{ClientId, ConnectionFacts, Ends};

use super::{ClientLetter, House};

use crate::log::os_words;
use crate::stream::Stream;
use crate::tls::{Acceptor, Secured};

use sockets::Listener;

const TOO_MANY: &[u8] = b"-ERR max number of clients reached\r\n";
/// Clients know the code; the text is for people (spec: interface 1.5).
const DENIED: &[u8] = b"-DENIED Protected mode is on and the default user has no password: only \
    connections from this host are served. Set requirepass, or 'protected-mode no' if the network \
    is trusted, and restart.\r\n";
/// Probes of a dead peer, as in the reference.
const KEEPALIVE_PROBES: u32 = 3;

/// All listeners, bound.
#[derive(Debug)]
pub(crate) struct Listeners {
    all: Vec<Listener>,
    /// To be removed at a clean exit.
    pub(crate) unix_path: Option<PathBuf>,
}

/// An accepted connection on its way to its thread.
#[derive(Debug)]
pub(crate) struct Newcomer {
    pub(super) id: ClientId,
    line: Line,
    ends: Ends,
}

/// Its socket.
#[derive(Debug)]
pub(super) enum Line {
    Plain(OwnedFd),
    Tls(Secured),
}

/// What is spoken at a listener.
#[derive(Clone, Debug)]
enum Door {
    Tcp,
    Tls(Arc<Acceptor>),
    /// A Unix socket and its path.
    Unix(String),
}

impl Newcomer {
    pub(super) fn new(id: ClientId, line: Line, ends: Ends) -> Self {
        Self { id, line, ends }
    }

    /// Makes it a socket of the present thread's runtime.
    pub(super) fn settle(self, house: &House) -> io::Result<(Stream, ConnectionFacts)> {
        let fd = match &self.line {
            Line::Plain(fd) => fd.as_raw_fd(),
            Line::Tls(secured) => secured.as_raw_fd(),
        };
        let stream = match (self.line, &self.ends) {
            (Line::Tls(secured), _) => Stream::Tls(secured.settle()?),
            (Line::Plain(fd), Ends::Tcp { .. }) => Stream::Tcp(TcpStream::from_std(fd.into())?),
            (Line::Plain(fd), Ends::Unix { .. }) => Stream::Unix(UnixStream::from_std(fd.into())?),
        };
        let facts = ConnectionFacts {
            ends: self.ends,
            fd,
            dialect: house.dialect,
            greets_as_redis: house.rules.greets_as_redis,
            told: house.rules.told,
            names: house.rules.names.clone(),
        };
        Ok((stream, facts))
    }
}

impl Listeners {
    /// Accepts on every listener, each in a task of the present runtime.
    pub(crate) fn accept_for_ever(self, house: &Arc<House>) -> io::Result<()> {
        for listener in self.all {
            #[expect(deprecated, reason = "sound here: an `OwnedFd` stays the same descriptor")]
            let socket = AsyncFd::new(listener.socket)?;
            tokio::spawn(accept(socket, listener.door, house.clone()));
        }
        Ok(())
    }
}

async fn accept(socket: AsyncFd<OwnedFd>, door: Door, house: Arc<House>) {
    // Readiness fails only when the runtime ends.
    while let Ok(mut ready) = socket.readable().await {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let accepted = ready.try_io(|socket| Ok(acceptfrom_with(socket.get_ref(), flags)?));
        match accepted {
            Ok(Ok((fd, peer))) => welcome(fd, peer, &door, &house),
            // Gone before it was accepted.
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Ok(Err(error)) => {
                // Out of descriptors or memory. What waits is accepted with the next arrival.
                house.log.warning(&format!("Accepting client connection: {error}"));
                ready.clear_ready();
            }
            Err(_would_block) => {}
        }
    }
}

fn welcome(fd: OwnedFd, peer: Option<SocketAddrAny>, door: &Door, house: &Arc<House>) {
    let Some(ends) = ends(&fd, peer, door) else { return };
    let Some(id) = house.roll.admit(house.rules.maxclients) else {
        return turn_away(door.line(fd), TOO_MANY, house);
    };
    match door {
        Door::Unix(_) => enter(id, Line::Plain(fd), ends, house),
        Door::Tcp => {
            set_options(&fd, house);
            enter(id, Line::Plain(fd), ends, house);
        }
        Door::Tls(acceptor) => {
            set_options(&fd, house);
            let house = house.clone();
            acceptor.accept(fd.into(), move |outcome| match outcome {
                Ok(secured) => enter(id, Line::Tls(secured), ends, &house),
                Err(error) => {
                    house.roll.leave();
                    let (error, peer, local) = (os_words(&error), ends.peer(), ends.local());
                    house.log.warning(&format!(
                        "Error accepting a client connection: {error} (addr={peer} laddr={local})"
                    ));
                }
            });
        }
    }
}

/// Lets a client in whose line is open.
fn enter(id: ClientId, line: Line, ends: Ends, house: &House) {
    if is_stranger(&ends)
        && house.rules.protected_mode
        && house.accounts.look().default_user().needs_no_password()
    {
        house.roll.leave();
        return turn_away(Some(line), DENIED, house);
    }
    house.counters.connections_received.fetch_add(1, Relaxed);
    house.log.verbose(&format!("Accepted {}", ends.peer()));
    let thread = usize::try_from(id.0).unwrap_or_default() % house.threads.len();
    house.threads[thread].letters.post(ClientLetter::Accepted(Newcomer::new(id, line, ends)));
}

/// Tells why, if that can be told at once, and closes.
fn turn_away(line: Option<Line>, why: &[u8], house: &House) {
    house.counters.rejected_connections.fetch_add(1, Relaxed);
    match line {
        Some(Line::Plain(fd)) => {
            // The close says the same.
            let _ = rustix::io::write(&fd, why);
        }
        Some(Line::Tls(secured)) => secured.turn_away(why),
        None => {}
    }
}

impl Door {
    /// The line on which something can be said at once: at a TLS door nothing before the hand-shake
    /// (spec: interface 1.5).
    fn line(&self, fd: OwnedFd) -> Option<Line> {
        match self {
            Self::Tcp | Self::Unix(_) => Some(Line::Plain(fd)),
            Self::Tls(_) => None,
        }
    }
}

fn ends(fd: &OwnedFd, peer: Option<SocketAddrAny>, door: &Door) -> Option<Ends> {
    if let Door::Unix(path) = door {
        return Some(Ends::Unix { path: path.clone() });
    }
    let local = rustix::net::getsockname(fd).ok()?;
    Some(Ends::Tcp { peer: peer?.try_into().ok()?, local: local.try_into().ok()? })
}

/// Not from this host (spec: interface 1.5).
fn is_stranger(ends: &Ends) -> bool {
    match ends {
        Ends::Tcp { peer, .. } => !peer.ip().to_canonical().is_loopback(),
        Ends::Unix { .. } => false,
    }
}

/// TCP_NODELAY and keep-alive (spec: interface 1.1). A socket without these options still serves.
fn set_options(fd: &OwnedFd, house: &House) {
    let _ = try_set_options(fd, house.rules.keepalive_secs);
}

fn try_set_options(fd: &OwnedFd, keepalive_secs: u32) -> rustix::io::Result<()> {
    use std::time::Duration;
    sockopt::set_tcp_nodelay(fd, true)?;
    if keepalive_secs > 0 {
        sockopt::set_socket_keepalive(fd, true)?;
        sockopt::set_tcp_keepidle(fd, Duration::from_secs(keepalive_secs.into()))?;
        let interval = (keepalive_secs / KEEPALIVE_PROBES).max(1);
        sockopt::set_tcp_keepintvl(fd, Duration::from_secs(interval.into()))?;
        sockopt::set_tcp_keepcnt(fd, KEEPALIVE_PROBES)?;
    }
    Ok(())
}
