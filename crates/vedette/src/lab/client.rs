//! A small blocking RESP2 client with a bound on every wait.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use vedette_resp::{Frame, ReplyDecoder, ReplyLimits, encode_command};

/// How long an answer is awaited unless said otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    decoder: ReplyDecoder,
}

impl Client {
    /// Connects to a port of loopback.
    ///
    /// # Errors
    ///
    /// Refused, or no answer in time.
    pub fn connect(port: u16) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, decoder: ReplyDecoder::new(ReplyLimits::default()) })
    }

    /// Says AUTH if there is a password.
    ///
    /// # Errors
    ///
    /// The connection broke, or the password is refused.
    pub fn give(&mut self, password: Option<&str>) -> io::Result<()> {
        let Some(password) = password else { return Ok(()) };
        let answer = self.ask(&["AUTH", password])?;
        match answer.is_error() {
            true => Err(io::Error::new(io::ErrorKind::PermissionDenied, text(&answer))),
            false => Ok(()),
        }
    }

    /// Bounds the wait for each answer; `None` waits for ever.
    ///
    /// # Errors
    ///
    /// A bound of zero.
    pub fn set_patience(&self, patience: Option<Duration>) -> io::Result<()> {
        self.stream.set_read_timeout(patience)
    }

    /// Asks and waits for one answer; an error reply is an answer.
    ///
    /// # Errors
    ///
    /// The connection broke, or nothing came in time.
    pub fn ask(&mut self, words: &[&str]) -> io::Result<Frame> {
        self.send(words)?;
        self.receive()
    }

    /// Asks without waiting.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub fn send(&mut self, words: &[&str]) -> io::Result<()> {
        let mut bytes = BytesMut::new();
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        encode_command(&mut bytes, &words);
        self.stream.write_all(&bytes)
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next reply or push.
    ///
    /// # Errors
    ///
    /// The connection broke, nothing came in time, or it was not RESP.
    pub fn receive(&mut self) -> io::Result<Frame> {
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

/// The text of a string, an error or an integer; the empty text of anything else.
pub fn text(frame: &Frame) -> String {
    match frame {
        Frame::Integer(number) => number.to_string(),
        other => other
            .text()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .unwrap_or_default(),
    }
}

/// A flat array of names and values.
pub fn fields(frame: &Frame) -> BTreeMap<String, String> {
    let items = frame.items().unwrap_or_default();
    items.chunks_exact(2).map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

/// The value of `name:value` in the text of INFO.
pub fn info_field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}
