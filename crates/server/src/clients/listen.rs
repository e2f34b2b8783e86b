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

use super::connection::Stream;
use super::{ClientLetter, House};

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
    fd: OwnedFd,
    ends: Ends,
}

impl Newcomer {
    pub(super) fn new(id: ClientId, fd: OwnedFd, ends: Ends) -> Self {
        Self { id, fd, ends }
    }

    /// Makes it a socket of the present thread's runtime.
    pub(super) fn settle(self) -> io::Result<(Stream, ConnectionFacts)> {
        let facts = ConnectionFacts { ends: self.ends.clone(), fd: self.fd.as_raw_fd() };
        let stream = match self.ends {
            Ends::Tcp { .. } => Stream::Tcp(TcpStream::from_std(self.fd.into())?),
            Ends::Unix { .. } => Stream::Unix(UnixStream::from_std(self.fd.into())?),
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
            tokio::spawn(accept(socket, listener.unix_path, house.clone()));
        }
        Ok(())
    }
}

async fn accept(socket: AsyncFd<OwnedFd>, unix_path: Option<String>, house: Arc<House>) {
    // Readiness fails only when the runtime ends.
    while let Ok(mut ready) = socket.readable().await {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let accepted = ready.try_io(|socket| Ok(acceptfrom_with(socket.get_ref(), flags)?));
        match accepted {
            Ok(Ok((fd, peer))) => welcome(fd, peer, unix_path.as_deref(), &house),
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

fn welcome(fd: OwnedFd, peer: Option<SocketAddrAny>, unix_path: Option<&str>, house: &House) {
    let Some(ends) = ends(&fd, peer, unix_path) else { return };
    let Some(id) = house.roll.admit(house.rules.maxclients) else {
        return turn_away(&fd, TOO_MANY, house);
    };
    if is_stranger(&ends)
        && house.rules.protected_mode
        && house.accounts.look().default_user().needs_no_password()
    {
        house.roll.leave();
        return turn_away(&fd, DENIED, house);
    }
    if unix_path.is_none() {
        // A socket without these options still serves.
        let _ = set_options(&fd, house.rules.keepalive_secs);
    }
    house.counters.connections_received.fetch_add(1, Relaxed);
    house.log.verbose(&format!("Accepted {}", ends.peer()));
    let thread = usize::try_from(id.0).unwrap_or_default() % house.threads.len();
    house.threads[thread].letters.post(ClientLetter::Accepted(Newcomer::new(id, fd, ends)));
}

/// Tells why, if that can be told at once, and closes.
fn turn_away(fd: &OwnedFd, why: &[u8], house: &House) {
    house.counters.rejected_connections.fetch_add(1, Relaxed);
    let _ = rustix::io::write(fd, why);
}

fn ends(fd: &OwnedFd, peer: Option<SocketAddrAny>, unix_path: Option<&str>) -> Option<Ends> {
    if let Some(path) = unix_path {
        return Some(Ends::Unix { path: path.to_owned() });
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

/// TCP_NODELAY and keep-alive (spec: interface 1.1).
fn set_options(fd: &OwnedFd, keepalive_secs: u32) -> rustix::io::Result<()> {
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
