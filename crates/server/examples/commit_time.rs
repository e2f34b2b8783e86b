//! How long a commit takes: `cargo run --release -p vedette-server --example commit_time [folder]`.
//! One vote is saved at a time, as in an election; in turn with a classic save on the same disk.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use vedette_conf::load;
use vedette_core::{
    DurableChange, Endpoint, Epoch, Generation, MasterSettings, SavedMaster, SentinelId, Tunables,
};
use vedette_server::store::{DiskFiles, Store, StoreEvent};

/// Saves in a row: the spare rests, each save is a new file and a rename.
const BURST: Round = Round { saves: 200, pause: Duration::ZERO };
/// Saves with time between them, like the first vote after a quiet time: the spare is swapped in.
const CALM: Round = Round { saves: 15, pause: Duration::from_millis(1001) };

#[derive(Clone, Copy)]
struct Round {
    saves: u64,
    pause: Duration,
}

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    let path = Path::new(&folder).join("commit_time.conf");
    for masters in [1, 100, 1000] {
        for (name, round) in [("in a burst", BURST), ("after a pause", CALM)] {
            fs::write(&path, "# measured\n").expect("written");
            let (ours, classic, size) = measure(&path, masters, round);
            println!(
                "{masters:5} masters, {size:7} bytes, {name:13}: median {ours:?}; classic {classic:?}"
            );
        }
    }
    for suffix in ["", ".vedette-spare", ".classic"] {
        let _ = fs::remove_file(format!("{}{suffix}", path.display()));
    }
}

fn master(index: usize, number: u64) -> DurableChange {
    let name = format!("master-{index}");
    DurableChange::Master(Arc::new(SavedMaster {
        name: name.as_str().into(),
        address: Endpoint::new("10.0.0.1", 6379),
        settings: MasterSettings::new(2, &Tunables::default()),
        config_epoch: Epoch::ZERO,
        leader_epoch: Epoch::new(1_000_000 + number),
        replicas: vec![Endpoint::new("10.0.0.2", 6379), Endpoint::new("10.0.0.3", 6379)],
        sentinels: Vec::new(),
        last_vote: None,
    }))
}

/// Our saves and classic ones of the same size in turn, since disks have moods.
fn measure(path: &Path, masters: usize, round: Round) -> (Duration, Duration, usize) {
    let loaded = load(path, &[], None, &DiskFiles).expect("good");
    let state = loaded.state.durable(SentinelId::from_random([1; 20]));
    let (send, events) = channel();
    let notify = move |event| {
        let _ = send.send(event);
    };
    let store = Store::open(path, loaded.document, &state, notify).expect("it opens");
    let save = |number, changes| {
        let start = Instant::now();
        store.save(Generation(number), changes);
        while !matches!(events.recv().expect("an event"), StoreEvent::Saved { .. }) {}
        start.elapsed()
    };
    save(0, (0..masters).map(|index| master(index, 0)).collect());
    let size = fs::read(path).expect("a file").len();
    let (mut ours, mut classics) = (Vec::new(), Vec::new());
    for number in 1..=round.saves {
        thread::sleep(round.pause);
        ours.push(save(number, vec![master(0, number)]));
        thread::sleep(round.pause);
        classics.push(classic(path, size));
    }
    (median(ours), median(classics), size)
}

/// A new file, fsync, rename, fsync of the folder.
fn classic(path: &Path, size: usize) -> Duration {
    let (new, old) = (path.with_extension("tmp"), path.with_extension("conf.classic"));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let bytes = vec![b'#'; size];
    let start = Instant::now();
    let mut file = File::create(&new).expect("created");
    file.write_all(&bytes).expect("written");
    file.sync_all().expect("synced");
    fs::rename(&new, &old).expect("renamed");
    File::open(folder.unwrap_or(Path::new("."))).expect("opened").sync_all().expect("synced");
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
