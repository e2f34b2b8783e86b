//! Binding, with the reference's words for what goes wrong (spec: interface 10.1).

use std::fmt;
use std::fs::{self, Permissions};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::sync::Arc;

use nix::unistd::Group;
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};
use vedette_conf::{BindAddress, ServerSettings};

use super::{Door, Listeners};
use crate::log::{Log, os_words};
use crate::tls::Acceptor;

/// A bound listener.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) socket: OwnedFd,
    pub(super) door: Door,
}

/// Why no service can be offered. Fatal at start; the display is the log line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    #[error("Failed listening on port {0} (tcp), aborting.")]
    Tcp(u16),
    #[error("Failed listening on port {0} (TLS), aborting.")]
    Tls(u16),
    #[error("Failed opening Unix socket: bind: {}", os_words(.0))]
    Unix(#[from] io::Error),
    #[error("Failed opening Unix socket: {call} error for group '{group}': {}", os_words(.error))]
    Group { call: &'static str, group: String, error: io::Error },
    #[error("Configured to not listen anywhere, exiting.")]
    Nowhere,
}

impl Listeners {
    /// Binds everything that the settings name. At `tls-port` the acceptor shakes hands.
    ///
    /// # Errors
    /// [`ListenError`]; the log has the details.
    pub(crate) fn bind(
        settings: &ServerSettings,
        acceptor: Option<Acceptor>,
        log: &Log,
    ) -> Result<Self, ListenError> {
        let mut all = Vec::new();
        let plain = (settings.port != 0).then_some((settings.port, Door::Tcp));
        let tls = acceptor.map(|acceptor| (settings.tls.port, Door::Tls(Arc::new(acceptor))));
        for (port, door) in plain.into_iter().chain(tls) {
            for bind in &settings.bind {
                all.extend(bind_tcp(bind, (port, &door), settings, log)?);
            }
        }
        if let Some(path) = &settings.unix_socket {
            all.push(bind_unix(path, settings)?);
        }
        if all.is_empty() {
            return Err(ListenError::Nowhere);
        }
        Ok(Self { all, unix_path: settings.unix_socket.clone() })
    }
}

/// Binds one address; none if it is optional and not available.
fn bind_tcp(
    bind: &BindAddress,
    (port, door): (u16, &Door),
    settings: &ServerSettings,
    log: &Log,
) -> Result<Option<Listener>, ListenError> {
    match resolve(&bind.address, port).and_then(|address| listen_on(address, settings)) {
        Ok(socket) => Ok(Some(Listener { socket: socket.into(), door: door.clone() })),
        Err(failure) => {
            let optional = bind.optional && failure.is_unavailable();
            // The reference is silent about a host without IPv6 in the default `-::*`.
            if !(optional && bind.address == "::*") {
                log.warning(&format!(
                    "Warning: Could not create server TCP listening socket {}:{port}: {failure}",
                    bind.address
                ));
            }
            match door {
                _ if optional => Ok(None),
                Door::Tcp | Door::Unix(_) => Err(ListenError::Tcp(port)),
                Door::Tls(_) => Err(ListenError::Tls(port)),
            }
        }
    }
}

/// What the system refused.
#[derive(Debug)]
enum Failure {
    Resolve(io::Error),
    Call { call: &'static str, error: io::Error },
}

impl Failure {
    fn in_call(call: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Call { call, error }
    }

    /// Whether this host has no such address or no such protocol.
    fn is_unavailable(&self) -> bool {
        let unavailable = [
            Errno::ADDRNOTAVAIL,
            Errno::NOPROTOOPT,
            Errno::PROTONOSUPPORT,
            Errno::SOCKTNOSUPPORT,
            Errno::PFNOSUPPORT,
            Errno::AFNOSUPPORT,
        ];
        match self {
            Self::Resolve(_) => false,
            Self::Call { error, .. } => {
                Errno::from_io_error(error).is_some_and(|errno| unavailable.contains(&errno))
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve(error) => f.write_str(&os_words(error)),
            Self::Call { call, error } => write!(f, "{call}: {}", os_words(error)),
        }
    }
}

fn resolve(address: &str, port: u16) -> Result<SocketAddr, Failure> {
    let any: Option<IpAddr> = match address {
        "*" => Some(Ipv4Addr::UNSPECIFIED.into()),
        "::*" => Some(Ipv6Addr::UNSPECIFIED.into()),
        _ => address.parse().ok(),
    };
    if let Some(ip) = any {
        return Ok(SocketAddr::new(ip, port));
    }
    let mut all = (address, port).to_socket_addrs().map_err(Failure::Resolve)?;
    all.next().ok_or_else(|| Failure::Resolve(io::ErrorKind::NotFound.into()))
}

fn listen_on(address: SocketAddr, settings: &ServerSettings) -> Result<Socket, Failure> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), None)
        .map_err(Failure::in_call("socket"))?;
    if address.is_ipv6() {
        socket.set_only_v6(true).map_err(Failure::in_call("setsockopt"))?;
    }
    socket.set_reuse_address(true).map_err(Failure::in_call("setsockopt SO_REUSEADDR"))?;
    socket.bind(&address.into()).map_err(Failure::in_call("bind"))?;
    socket.listen(backlog(settings)).map_err(Failure::in_call("listen"))?;
    Ok(socket)
}

fn bind_unix(path: &Path, settings: &ServerSettings) -> Result<Listener, ListenError> {
    // What a process that crashed left behind; a missing file is the normal case.
    let _ = fs::remove_file(path);
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    if settings.unix_socket_perm != 0 {
        fs::set_permissions(path, Permissions::from_mode(settings.unix_socket_perm))?;
    }
    if let Some(group) = &settings.unix_socket_group {
        give_to_group(path, group)?;
    }
    socket.listen(backlog(settings))?;
    let door = Door::Unix(path.to_string_lossy().into_owned());
    Ok(Listener { socket: socket.into(), door })
}

/// Valkey's `unixsocketgroup`, which takes names only.
fn give_to_group(path: &Path, name: &str) -> Result<(), ListenError> {
    let failed = |call| move |error| ListenError::Group { call, group: name.to_owned(), error };
    // The reference calls a group that is not there a success of the system.
    let found = Group::from_name(name).map_err(io::Error::from).map_err(failed("getgrnam"))?;
    let found = found.ok_or_else(|| failed("getgrnam")(io::Error::from_raw_os_error(0)))?;
    chown(path, None, Some(found.gid.as_raw())).map_err(failed("chown"))
}

fn backlog(settings: &ServerSettings) -> i32 {
    i32::try_from(settings.tcp_backlog).unwrap_or(i32::MAX)
}
