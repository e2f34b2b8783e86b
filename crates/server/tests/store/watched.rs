//! A store whose events are collected.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use vedette_conf::{Loaded, load};
use vedette_core::{
    DurableChange, Endpoint, Epoch, Generation, MasterSettings, SavedMaster, SentinelId, Tunables,
};
use vedette_server::store::{DiskFiles, Store, StoreEvent};

/// Generous; nothing waits that long when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Watched {
    pub(crate) store: Store,
    pub(crate) path: PathBuf,
    events: Receiver<StoreEvent>,
    generation: u64,
}

pub(crate) fn read(path: &Path) -> Loaded {
    load(path, &[], None, &DiskFiles).expect("a good configuration")
}

pub(crate) fn id() -> SentinelId {
    SentinelId::from_random([7; 20])
}

pub(crate) fn epoch(number: u64) -> Epoch {
    Epoch::new(number).expect("small")
}

pub(crate) fn master(name: &str, config_epoch: u64) -> DurableChange {
    DurableChange::Master(Arc::new(SavedMaster {
        name: name.into(),
        address: Endpoint::new("127.0.0.1", 6379),
        settings: MasterSettings::new(2, &Tunables::default()),
        config_epoch: epoch(config_epoch),
        leader_epoch: None,
        replicas: vec![Endpoint::new("127.0.0.1", 6380)],
        sentinels: Vec::new(),
        last_vote: None,
    }))
}

impl Watched {
    pub(crate) fn open(path: &Path) -> Self {
        let loaded = read(path);
        let (send, events) = channel();
        let notify = move |event| {
            let _ = send.send(event);
        };
        let state = loaded.state.durable(id());
        let store = Store::open(path, loaded.document, &state, notify).expect("it opens");
        Self { store, path: path.to_path_buf(), events, generation: 0 }
    }

    /// Saves and waits for the answer.
    pub(crate) fn save(&mut self, changes: Vec<DurableChange>) -> StoreEvent {
        self.generation += 1;
        self.store.save(Generation(self.generation), changes);
        self.event()
    }

    pub(crate) fn save_well(&mut self, changes: Vec<DurableChange>) {
        match self.save(changes) {
            StoreEvent::Saved { generation, .. } => assert_eq!(generation.0, self.generation),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn event(&self) -> StoreEvent {
        self.events.recv_timeout(PATIENCE).expect("an event")
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.path).expect("a file")
    }
}
