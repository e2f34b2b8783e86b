//! Clients that write all the time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Client;
use super::client::text;
use super::data_node::connect;

/// Pause between two writes: fine beside what is measured, little work.
const PAUSE: Duration = Duration::from_millis(2);
/// How long a client waits for the answer to a write.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a writer has achieved.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// The moments at which writes were acknowledged, with the port of the node.
    pub accepted: Vec<(Instant, u16)>,
    /// Writes that were refused or lost.
    pub failed: usize,
}

impl Writes {
    /// The first write acknowledged by `port`.
    pub fn first_on(&self, port: u16) -> Option<Instant> {
        self.accepted.iter().find(|write| write.1 == port).map(|write| write.0)
    }

    /// The last write acknowledged by `port`.
    pub fn last_on(&self, port: u16) -> Option<Instant> {
        self.accepted.iter().rfind(|write| write.1 == port).map(|write| write.0)
    }

    /// The longest time without an acknowledged write since `moment`: its begin and its end.
    pub fn longest_gap_since(&self, moment: Instant) -> Option<(Instant, Instant)> {
        let moments: Vec<Instant> = self.accepted.iter().map(|write| write.0).collect();
        let gaps = moments.windows(2).map(|pair| (pair[0], pair[1]));
        gaps.filter(|gap| gap.1 > moment).max_by_key(|gap| gap.1 - gap.0)
    }
}

#[derive(Debug, Default)]
struct Shared {
    writes: Mutex<Writes>,
    is_ending: AtomicBool,
}

impl Shared {
    fn note(&self, outcome: Option<u16>) {
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Some(port) => writes.accepted.push((Instant::now(), port)),
            None => writes.failed += 1,
        }
    }

    fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }

    fn snapshot(&self) -> Writes {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Tries to write to each of some data nodes, whoever the Sentinels call the master.
#[derive(Debug)]
pub struct WriteProbe {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl WriteProbe {
    /// Starts with one thread per node.
    pub fn start(ports: &[u16], password: Option<&str>) -> Self {
        let shared = Arc::new(Shared::default());
        let threads = ports.iter().map(|&port| {
            let (shared, password) = (shared.clone(), password.map(str::to_owned));
            std::thread::spawn(move || probe(&shared, port, password.as_deref()))
        });
        Self { threads: threads.collect(), shared }
    }

    /// What has been accepted so far.
    pub fn writes(&self) -> Writes {
        self.shared.snapshot()
    }
}

impl Drop for WriteProbe {
    fn drop(&mut self) {
        end(&self.shared, &mut self.threads);
    }
}

fn probe(shared: &Shared, port: u16, password: Option<&str>) {
    let mut client = None;
    while !shared.is_ending() {
        let outcome = write(&mut client, port, password);
        if outcome.is_some() {
            shared.note(outcome);
        }
        std::thread::sleep(PAUSE);
    }
}

/// One write; the port if it was acknowledged. A broken connection is made anew next time.
fn write(client: &mut Option<Client>, port: u16, password: Option<&str>) -> Option<u16> {
    if client.is_none() {
        *client = connect(port, password).ok();
        client.as_ref()?.set_patience(Some(PATIENCE)).ok()?;
    }
    match client.as_mut()?.ask(&["INCR", "vedette:writes"]) {
        Ok(answer) => (!answer.is_error()).then_some(port),
        Err(_) => {
            *client = None;
            None
        }
    }
}

/// A client as applications have it: it asks the Sentinels where the master is, writes there, asks
/// again when that fails, and listens for `+switch-master`.
#[derive(Debug)]
pub struct FollowingWriter {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl FollowingWriter {
    /// Starts to write.
    pub fn start(sentinels: Vec<u16>, name: &str, password: Option<&str>) -> Self {
        let shared = Arc::new(Shared::default());
        let moved = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for &port in &sentinels {
            let (shared, moved, name) = (shared.clone(), moved.clone(), name.to_owned());
            threads.push(std::thread::spawn(move || listen(&shared, &moved, port, &name)));
        }
        let (follower, name) = (shared.clone(), name.to_owned());
        let password = password.map(str::to_owned);
        threads.push(std::thread::spawn(move || {
            follow(&follower, &moved, &sentinels, &name, password.as_deref());
        }));
        Self { shared, threads }
    }

    /// What has been accepted so far.
    pub fn writes(&self) -> Writes {
        self.shared.snapshot()
    }
}

impl Drop for FollowingWriter {
    fn drop(&mut self) {
        end(&self.shared, &mut self.threads);
    }
}

fn end(shared: &Shared, threads: &mut Vec<JoinHandle<()>>) {
    shared.is_ending.store(true, Ordering::Relaxed);
    for thread in threads.drain(..) {
        let _ = thread.join();
    }
}

/// Sets `moved` at every switch that a Sentinel announces.
fn listen(shared: &Shared, moved: &AtomicBool, port: u16, name: &str) {
    while !shared.is_ending() {
        let _ = listen_once(shared, moved, port, name);
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn listen_once(shared: &Shared, moved: &AtomicBool, port: u16, name: &str) -> std::io::Result<()> {
    let mut client = Client::connect(port)?;
    client.set_patience(Some(PATIENCE))?;
    client.send(&["SUBSCRIBE", "+switch-master"])?;
    while !shared.is_ending() {
        match client.receive() {
            Ok(frame) => {
                let payload = frame.items().and_then(|items| items.get(2)).map(text);
                if payload.is_some_and(|payload| payload.split(' ').next() == Some(name)) {
                    moved.store(true, Ordering::Relaxed);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn follow(
    shared: &Shared,
    moved: &AtomicBool,
    sentinels: &[u16],
    name: &str,
    password: Option<&str>,
) {
    let mut client = None;
    let mut master = None;
    for turn in 0.. {
        if shared.is_ending() {
            return;
        }
        if moved.swap(false, Ordering::Relaxed) || master.is_none() {
            client = None;
            master = ask_for_master(sentinels[turn % sentinels.len()], name);
        }
        let outcome = master.and_then(|port| write(&mut client, port, password));
        shared.note(outcome);
        if outcome.is_none() {
            (client, master) = (None, None);
        }
        std::thread::sleep(PAUSE);
    }
}

fn ask_for_master(sentinel: u16, name: &str) -> Option<u16> {
    let mut client = Client::connect(sentinel).ok()?;
    client.set_patience(Some(PATIENCE)).ok()?;
    let answer = client.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name]).ok()?;
    text(answer.items()?.get(1)?).parse().ok()
}
