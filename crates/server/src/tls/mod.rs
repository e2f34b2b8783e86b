//! TLS: what the configuration asks for, made ready before anything runs; and the hand-shakes, on
//! threads of their own (spec: interface 8.4, DESIGN 1 "The shell").
//!
//! ```text
//! ready        settings and files ─▶ a configuration for each direction, or a refusal
//! live         the configurations of this moment; their files read anew
//! handshakes   a socket and a configuration ─▶ a socket with a session
//! session      bytes through a socket with a session, on the thread that owns it
//! ```

mod ready;

mod authorities;
mod credentials;
mod names;
mod resumption;
mod verify;

mod handshakes;
mod live;
mod session;

#[cfg(test)]
mod tests;

pub use ready::{Tls, TlsError, prepare};

pub(crate) use handshakes::{Acceptor, Dialer};
pub(crate) use live::{Live, LiveTls};
pub(crate) use session::{Secured, TlsStream};
