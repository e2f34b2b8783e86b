//! Hand-shakes cost milliseconds of CPU and wait for strangers, so they have threads of their own:
//! one pool for whoever comes in, one thread for links, so that neither delays the other, nor the
//! control thread, nor the clients that are already in.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Live;
use super::session::{Secured, shake_hands};
use crate::log::{Log, os_words};

/// From the accepted connection to the end of its hand-shake: ten thousand clients that come at
/// once are through long before.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Hand-shakes with clients that have begun and not ended: each may hold 64 KiB. Whoever has not
/// sent a byte holds none, and is counted by `maxclients`.
const HANDSHAKES_MAX: usize = 1024;
/// Most threads for them.
const THREADS_MAX: usize = 4;
/// Addresses whose trouble is remembered, so that it is logged once.
const TROUBLES_MAX: usize = 1024;

/// Shakes hands with clients.
#[derive(Debug)]
pub(crate) struct Acceptor {
    config: Live<ServerConfig>,
    places: Arc<Semaphore>,
    pool: Pool,
}

impl Acceptor {
    /// Starts its threads.
    pub(crate) fn start(config: Live<ServerConfig>) -> io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let pool = Pool::start("tls-clients", cores.min(THREADS_MAX))?;
        Ok(Self { config, places: Arc::new(Semaphore::new(HANDSHAKES_MAX)), pool })
    }

    /// Shakes hands on an accepted socket; `then` is called with the outcome on one of its threads.
    pub(crate) fn accept(
        &self,
        socket: std::net::TcpStream,
        then: impl FnOnce(io::Result<Secured>) + Send + 'static,
    ) {
        let shake = accepted(socket, self.config.load_full(), self.places.clone());
        self.pool.handle.spawn(async move {
            let outcome = timeout(HANDSHAKE_MAX, shake).await;
            then(outcome.unwrap_or_else(|_| Err(too_late())));
        });
    }
}

async fn accepted(
    socket: std::net::TcpStream,
    config: Arc<ServerConfig>,
    places: Arc<Semaphore>,
) -> io::Result<Secured> {
    let socket = TcpStream::from_std(socket)?;
    socket.readable().await?;
    let _place = places.acquire().await.map_err(io::Error::other)?;
    let session = ServerConnection::new(config).map_err(io::Error::other)?;
    shake_hands(socket, session).await
}

fn too_late() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no TLS hand-shake in time")
}

/// Shakes hands with nodes and peers. The core bounds how many and for how long: it closes a
/// connect that takes too long.
#[derive(Debug)]
pub(crate) struct Dialer {
    config: Live<ClientConfig>,
    pool: Pool,
    log: Log,
    troubles: Mutex<HashMap<SocketAddr, String>>,
}

impl Dialer {
    /// Starts its thread.
    pub(crate) fn start(config: Live<ClientConfig>, log: Log) -> io::Result<Self> {
        let pool = Pool::start("tls-links", 1)?;
        Ok(Self { config, pool, log, troubles: Mutex::default() })
    }

    /// Shakes hands on a connected socket. To drop this is to give up.
    pub(crate) async fn dial(
        &self,
        socket: std::net::TcpStream,
        to: SocketAddr,
    ) -> io::Result<Secured> {
        let config = self.config.load_full();
        let shake = async move {
            let name = ServerName::from(to.ip());
            let session = ClientConnection::new(config, name).map_err(io::Error::other)?;
            shake_hands(TcpStream::from_std(socket)?, session).await
        };
        let outcome = UntilDropped(self.pool.handle.spawn(shake)).await.unwrap_or_else(|error| {
            // The process ends.
            Err(io::Error::other(error))
        });
        outcome.inspect_err(|error| self.complain(to, error))
    }

    /// Logs what went wrong with TLS, once while it stays the same.
    pub(crate) fn complain(&self, to: SocketAddr, error: &io::Error) {
        let why = os_words(error);
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if troubles.get(&to) == Some(&why) {
            return;
        }
        if troubles.len() >= TROUBLES_MAX {
            troubles.clear();
        }
        self.log.warning(&format!("No TLS connection with {to}: {why}"));
        troubles.insert(to, why);
    }

    /// It works: the next trouble is news.
    pub(crate) fn is_well(&self, with: SocketAddr) {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).remove(&with);
    }
}

/// A task that ends when nobody waits for it any more.
struct UntilDropped<T>(JoinHandle<T>);

impl<T> Future for UntilDropped<T> {
    type Output = Result<T, tokio::task::JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for UntilDropped<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Threads for hand-shakes.
#[derive(Debug)]
struct Pool {
    handle: Handle,
    /// None once it is dropped: a runtime must not be dropped within another one.
    runtime: Option<Runtime>,
}

impl Pool {
    fn start(name: &str, threads: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name(name)
            .enable_io()
            .enable_time()
            .build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use tokio::task::yield_now;

    use super::super::tests::accepting;
    use super::*;

    /// The head of a record that never comes.
    const HEAD: &[u8] = b"\x16\x03\x01\x02\x00\x01";

    /// Somebody who has sent the beginning of a hand-shake; our end, and a look at it.
    fn begun() -> (TcpStream, std::net::TcpStream, std::net::TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (near, _) = listener.accept().unwrap();
        far.write_all(HEAD).unwrap();
        while near.peek(&mut [0; HEAD.len()]).unwrap() < HEAD.len() {}
        near.set_nonblocking(true).unwrap();
        let look = near.try_clone().unwrap();
        (far, near, look)
    }

    #[tokio::test]
    async fn nothing_is_read_of_a_hand_shake_without_a_place() {
        let (far, near, look) = begun();
        // Whoever reads it finds the end too.
        far.shutdown(std::net::Shutdown::Write).unwrap();
        let places = Arc::new(Semaphore::new(0));
        // Whoever waits for a place is told that there will be none.
        places.close();
        accepted(near, accepting(), places).await.unwrap_err();
        assert_eq!(look.peek(&mut [0; HEAD.len()]).unwrap(), HEAD.len());
    }

    #[tokio::test]
    async fn a_hand_shake_has_its_place_until_it_ends() {
        let (far, near, look) = begun();
        let places = Arc::new(Semaphore::new(1));
        let shake = tokio::spawn(accepted(near, accepting(), places.clone()));
        while look.peek(&mut [0; HEAD.len()]).is_ok() {
            yield_now().await;
        }
        assert_eq!(places.available_permits(), 0);
        drop(far);
        shake.await.unwrap().unwrap_err();
        assert_eq!(places.available_permits(), 1);
    }

    #[test]
    fn there_are_as_many_places_as_the_limit_says() {
        let acceptor = Acceptor::start(Arc::new(accepting().into())).unwrap();
        assert_eq!(acceptor.places.available_permits(), HANDSHAKES_MAX);
    }
}
