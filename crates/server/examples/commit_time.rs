//! How long a commit takes: `cargo run --release -p vedette-server --example commit_time [folder]`.
//! One vote is saved at a time, as in an election; beside it the classic save on the same disk.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use vedette_conf::load;
use vedette_core::{
    DurableChange, Endpoint, Epoch, Generation, MasterSettings, SavedMaster, SentinelId, Tunables,
};
use vedette_server::store::{DiskFiles, Store, StoreEvent};

const SAVES: u64 = 300;

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    for masters in [1, 10, 100, 1000] {
        let path = Path::new(&folder).join("commit_time.conf");
        fs::write(&path, "# measured\n").expect("written");
        let (burst, size) = measure(&path, masters, Duration::ZERO);
        let (calm, _) = measure(&path, masters, Duration::from_millis(1001));
        println!(
            "{masters:5} masters, {size:7} bytes: median {burst:?} in a burst, {calm:?} after a \
             pause; write, fsync, rename, fsync of the folder alone {:?}",
            classic(&path, size)
        );
        for suffix in ["", ".vedette-spare"] {
            let _ = fs::remove_file(format!("{}{suffix}", path.display()));
        }
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

fn measure(path: &Path, masters: usize, pause: Duration) -> (Duration, usize) {
    let loaded = load(path, &[], None, &DiskFiles).expect("good");
    let state = loaded.state.durable(SentinelId::from_random([1; 20]));
    let (send, events) = channel();
    let notify = move |event| {
        let _ = send.send(event);
    };
    let store = Store::open(path, loaded.document, &state, notify).expect("it opens");
    let mut times = Vec::new();
    let saves = if pause.is_zero() { SAVES } else { 5 };
    for number in 0..=saves {
        let changes = match number {
            0 => (0..masters).map(|index| master(index, 0)).collect(),
            _ => vec![master(0, number)],
        };
        std::thread::sleep(pause);
        let start = Instant::now();
        store.save(Generation(number), changes);
        while !matches!(events.recv().expect("an event"), StoreEvent::Saved { .. }) {}
        times.push(start.elapsed());
    }
    (median(times.split_off(1)), fs::read(path).expect("a file").len())
}

fn classic(path: &Path, size: usize) -> Duration {
    let temporary = path.with_extension("tmp");
    let folder = path.parent().expect("a folder");
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let bytes = vec![b'#'; size];
    let times = (0..SAVES).map(|_| {
        let start = Instant::now();
        let mut file = File::create(&temporary).expect("created");
        file.write_all(&bytes).expect("written");
        file.sync_all().expect("synced");
        fs::rename(&temporary, path).expect("renamed");
        File::open(folder).expect("opened").sync_all().expect("synced");
        start.elapsed()
    });
    median(times.collect())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
