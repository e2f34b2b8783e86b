//! When each surviving replica is in sync with the new master.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use vedette::lab::{Client, info_field, text};

/// Pause between two looks at INFO.
const PAUSE: Duration = Duration::from_millis(4);

/// One thread per replica, from the fault until each follows another master than the old one, or
/// is itself the master.
pub(super) struct SyncWatch {
    is_ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Option<Instant>>>,
}

impl SyncWatch {
    pub(super) fn start(replicas: &[u16], old_master: u16) -> Self {
        let is_ending = Arc::new(AtomicBool::new(false));
        let threads = replicas.iter().map(|&port| {
            let is_ending = is_ending.clone();
            std::thread::spawn(move || watch(port, old_master, &is_ending))
        });
        Self { threads: threads.collect(), is_ending }
    }

    /// The moment at which the last one was in sync.
    pub(super) fn finish(mut self, bound: Duration) -> anyhow::Result<Instant> {
        let start = Instant::now();
        while !self.threads.iter().all(JoinHandle::is_finished) {
            if start.elapsed() > bound {
                bail!("a replica does not follow the new master");
            }
            std::thread::sleep(PAUSE);
        }
        let moments = self.threads.drain(..).map(|thread| thread.join().ok().flatten());
        let moments: Option<Vec<Instant>> = moments.collect();
        moments.and_then(|moments| moments.into_iter().max()).context("a watch ended early")
    }
}

impl Drop for SyncWatch {
    fn drop(&mut self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }
}

/// Looks until the replica has turned. A connection lives only until the Sentinels' transaction
/// closes it.
fn watch(port: u16, old_master: u16, is_ending: &AtomicBool) -> Option<Instant> {
    let mut client = None;
    while !is_ending.load(Ordering::Relaxed) {
        match look(&mut client, port) {
            Ok(info) if has_turned(&info, old_master) => return Some(Instant::now()),
            Ok(_) => {}
            Err(_) => client = None,
        }
        std::thread::sleep(PAUSE);
    }
    None
}

fn look(client: &mut Option<Client>, port: u16) -> std::io::Result<String> {
    let client = match client {
        Some(client) => client,
        None => client.insert(Client::connect(port)?),
    };
    Ok(text(&client.ask(&["INFO", "replication"])?))
}

fn has_turned(info: &str, old_master: u16) -> bool {
    let field = |name| info_field(info, name);
    let follows = field("master_link_status") == Some("up")
        && field("master_port") != Some(old_master.to_string().as_str());
    field("role") == Some("master") || follows
}
