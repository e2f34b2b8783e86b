//! A client that speaks RESP2 over TLS.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;

use bytes::BytesMut;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use vedette::lab::BOUND;
use vedette_resp::{Frame, ReplyDecoder, ReplyLimits, encode_command};

use super::certificates::{Identity, NAME};

/// One connection.
pub(crate) struct Line {
    stream: StreamOwned<ClientConnection, TcpStream>,
    decoder: ReplyDecoder,
}

impl Line {
    /// Connects to a port of loopback and shows the identity's certificate.
    pub(crate) fn connect(port: u16, identity: &Identity) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_file(&identity.authority).unwrap();
        roots.add(authority).map_err(io::Error::other)?;
        let certificate = CertificateDer::from_pem_file(&identity.certificate).unwrap();
        let key = PrivateKeyDer::from_pem_file(&identity.key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate], key)
            .map_err(io::Error::other)?;
        let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
        let session = ClientConnection::new(config.into(), name).map_err(io::Error::other)?;
        let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(BOUND))?;
        let decoder = ReplyDecoder::new(ReplyLimits::default());
        Ok(Self { stream: StreamOwned::new(session, socket), decoder })
    }

    /// Asks and waits for one answer.
    pub(crate) fn ask(&mut self, words: &[&str]) -> io::Result<Frame> {
        let mut bytes = BytesMut::new();
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        encode_command(&mut bytes, &words);
        self.stream.write_all(&bytes)?;
        self.receive()
    }

    /// Sends bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next reply.
    pub(crate) fn receive(&mut self) -> io::Result<Frame> {
        let mut chunk = [0; 16 * 1024];
        loop {
            match self.decoder.next() {
                Ok(Some(frame)) => return Ok(frame),
                Ok(None) => {}
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
            match self.stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => self.decoder.feed(&chunk[..len]),
            }
        }
    }
}

/// One question on a connection of its own.
pub(crate) fn ask(port: u16, identity: &Identity, words: &[&str]) -> io::Result<Frame> {
    Line::connect(port, identity)?.ask(words)
}
