//! Many connections on one thread: non-blocking sockets under one `epoll`.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use super::scanner::{Scanned, Scanner};

/// Bytes of one read.
const CHUNK: usize = 256 << 10;
/// Events of one wait.
const EVENTS: usize = 1024;
/// Connections that are made before the first of them must have been answered: fewer than a
/// listener lets wait.
const CONNECTED_AT_ONCE: usize = 200;
/// How long an answer may take before the run is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// Stands for the pace among the numbers of connections.
const PACE: u64 = u64::MAX;

/// Connections to one port of loopback, by number.
pub(super) struct Lines {
    port: u16,
    epoll: OwnedFd,
    lines: Vec<Line>,
    chunk: Box<[u8]>,
    pace: Option<OwnedFd>,
}

struct Line {
    stream: TcpStream,
    scanner: Scanner,
}

/// Where something can be done.
pub(super) struct Ready {
    events: Vec<epoll::Event>,
    pub(super) lines: Vec<usize>,
}

impl Ready {
    pub(super) fn new() -> Self {
        Self { events: Vec::with_capacity(EVENTS), lines: Vec::new() }
    }
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// Nothing is there to read.
    Nothing,
    Replies(Scanned),
    /// The other side hung up.
    End,
}

impl Lines {
    /// No connections yet.
    pub(super) fn new(port: u16) -> anyhow::Result<Self> {
        Ok(Self {
            port,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            lines: Vec::new(),
            chunk: vec![0; CHUNK].into(),
            pace: None,
        })
    }

    /// This many, each of which has said `hello` and was answered without an error.
    pub(super) fn greeted(port: u16, count: usize, hello: &[u8]) -> anyhow::Result<Self> {
        let mut lines = Self::new(port)?;
        while lines.len() < count {
            let first = lines.len();
            for _ in first..count.min(first + CONNECTED_AT_ONCE) {
                let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
                stream.set_nonblocking(true)?;
                let line = lines.add(stream, epoll::EventFlags::IN)?;
                lines.send(line, hello)?;
            }
            lines.await_answers(lines.len() - first)?;
        }
        Ok(lines)
    }

    /// Begins to connect; the line is writable once that is done. `receive_buffer` bounds what the
    /// system takes for a client that does not read.
    pub(super) fn begin(&mut self, receive_buffer: Option<usize>) -> anyhow::Result<usize> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        if let Some(bytes) = receive_buffer {
            sockopt::set_socket_recv_buffer_size(&socket, bytes)?;
        }
        match connect(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.port)) {
            Ok(()) | Err(rustix::io::Errno::INPROGRESS) => {}
            Err(error) => return Err(error).context("a connection"),
        }
        self.add(socket.into(), epoll::EventFlags::OUT)
    }

    fn add(&mut self, stream: TcpStream, flags: epoll::EventFlags) -> anyhow::Result<usize> {
        stream.set_nodelay(true)?;
        let number = self.lines.len();
        epoll::add(&self.epoll, &stream, epoll::EventData::new_u64(number as u64), flags)?;
        self.lines.push(Line { stream, scanner: Scanner::default() });
        Ok(number)
    }

    /// From now on it is looked at when it can be read.
    pub(super) fn listen(&self, line: usize) -> io::Result<()> {
        let data = epoll::EventData::new_u64(line as u64);
        Ok(epoll::modify(&self.epoll, &self.lines[line].stream, data, epoll::EventFlags::IN)?)
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Wakes [`Lines::wait`] so often; an ordinary timeout is not fine enough.
    pub(super) fn set_pace(&mut self, period: Duration) -> anyhow::Result<()> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let period = Timespec::try_from(period)?;
        let times = Itimerspec { it_interval: period, it_value: period };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &times)?;
        let data = epoll::EventData::new_u64(PACE);
        epoll::add(&self.epoll, &timer, data, epoll::EventFlags::IN)?;
        self.pace = Some(timer);
        Ok(())
    }

    /// Waits until something can be done, at most so long, and notes where.
    pub(super) fn wait(&self, timeout: Duration, ready: &mut Ready) -> anyhow::Result<()> {
        ready.lines.clear();
        ready.events.clear();
        let timeout = Timespec::try_from(timeout)?;
        match epoll::wait(&self.epoll, spare_capacity(&mut ready.events), Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &ready.events {
            match (event.data.u64(), &self.pace) {
                // Its next expiry counts from this look.
                (PACE, Some(timer)) => drop(rustix::io::read(timer, &mut [0; 8])),
                (number, _) => ready.lines.push(number as usize),
            }
        }
        Ok(())
    }

    /// Reads once.
    pub(super) fn read(&mut self, line: usize) -> anyhow::Result<Received> {
        let Line { stream, scanner } = &mut self.lines[line];
        match stream.read(&mut self.chunk) {
            Ok(0) => Ok(Received::End),
            Ok(len) => Ok(Received::Replies(scanner.take(&self.chunk[..len]))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Received::Nothing),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Received::End),
            Err(error) => Err(error.into()),
        }
    }

    /// Sends a whole request; it is short, and nothing waits before it.
    pub(super) fn send(&mut self, line: usize, request: &[u8]) -> anyhow::Result<()> {
        let sent = self.lines[line].stream.write(request)?;
        ensure!(sent == request.len(), "a request was not taken whole");
        Ok(())
    }

    /// Whether the other side ended it, whatever it wrote before.
    pub(super) fn has_ended(&mut self, line: usize) -> anyhow::Result<bool> {
        loop {
            match self.read(line)? {
                Received::End => return Ok(true),
                Received::Nothing => return Ok(false),
                Received::Replies(_) => {}
            }
        }
    }

    /// Waits for one answer from each of so many connections.
    pub(super) fn await_answers(&mut self, mut missing: usize) -> anyhow::Result<()> {
        let (begin, mut ready) = (Instant::now(), Ready::new());
        while missing > 0 {
            ensure!(begin.elapsed() < PATIENCE, "{missing} connections were never answered");
            self.wait(Duration::from_millis(100), &mut ready)?;
            for &line in &ready.lines {
                match self.read(line)? {
                    Received::Nothing => {}
                    Received::End => anyhow::bail!("the Sentinel hung up"),
                    Received::Replies(Scanned { replies, errors }) => {
                        ensure!(errors == 0, "the Sentinel refused");
                        missing -= usize::try_from(replies)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// A command as clients send it.
pub(super) fn command(words: &[&str]) -> Vec<u8> {
    let bulk = |word: &&str| format!("${}\r\n{word}\r\n", word.len());
    let bulks: String = words.iter().map(bulk).collect();
    format!("*{}\r\n{bulks}", words.len()).into_bytes()
}
