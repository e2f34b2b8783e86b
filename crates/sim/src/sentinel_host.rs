//! A Sentinel in a world: the core with the wire code around it, and a disk.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use vedette_core::{ConnId, Now, Sentinel, Time, WallTime};
use vedette_core::{Publication, Ticket};
use vedette_wire::accounts::Accounts;
use vedette_wire::client::{ClientLimits, Ends, Pause, ServerFacts};
use vedette_wire::{Client, ClientId, ConnectionFacts, NodeLink, Snapshot, Surroundings};

use crate::network::WireId;

/// Wall-clock time at the beginning of a run.
const WALL_START_MS: u64 = 1_767_225_600_000;

/// A Sentinel of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SentinelIndex(pub usize);

/// A Sentinel process.
pub(crate) struct SentinelHost {
    pub(crate) core: Sentinel,
    pub(crate) address: SocketAddr,
    pub(crate) links: BTreeMap<ConnId, (NodeLink, WireId)>,
    pub(crate) clients: BTreeMap<ClientId, (Client, WireId)>,
    /// Which client a request came from.
    pub(crate) tickets: BTreeMap<Ticket, ClientId>,
    pub(crate) shared: Shared,
    /// How long a save takes.
    pub(crate) commit_ms: u64,
    next_client: u64,
    pub(crate) next_deadline: Option<u64>,
}

/// What all clients of a Sentinel see.
pub(crate) struct Shared {
    pub(crate) now_ms: u64,
    snapshot: Snapshot,
    accounts: Accounts,
    next_ticket: u64,
}

/// The present as the core gets it.
pub(crate) fn now_at(ms: u64) -> Now {
    Now { mono: Time(ms), wall: WallTime(WALL_START_MS + ms) }
}

impl Surroundings for Shared {
    fn now(&self) -> Now {
        now_at(self.now_ms)
    }

    fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    fn server_facts(&self) -> ServerFacts {
        ServerFacts::default()
    }

    fn pause(&self) -> Option<Pause> {
        None
    }

    fn is_executable(&self, _path: &str) -> bool {
        true
    }

    fn next_ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        Ticket(self.next_ticket)
    }

    fn fill_random(&mut self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

impl Shared {
    pub(crate) fn apply(&mut self, publication: &Arc<Publication>) {
        self.snapshot = self.snapshot.apply(publication);
    }
}

impl SentinelHost {
    pub(crate) fn new(core: Sentinel, address: SocketAddr, commit_ms: u64) -> Self {
        let shared = Shared {
            now_ms: 0,
            snapshot: Snapshot::empty(),
            accounts: Accounts::new(None),
            next_ticket: 0,
        };
        Self {
            core,
            address,
            links: BTreeMap::new(),
            clients: BTreeMap::new(),
            tickets: BTreeMap::new(),
            shared,
            commit_ms,
            next_client: 0,
            next_deadline: None,
        }
    }

    pub(crate) fn accept(&mut self, wire: WireId, peer: SocketAddr) -> ClientId {
        self.next_client += 1;
        let id = ClientId(self.next_client);
        let ends = Ends::Tcp { peer, local: self.address };
        let facts = ConnectionFacts { ends, fd: -1 };
        let client = Client::new(id, facts, ClientLimits::default(), &self.shared);
        self.clients.insert(id, (client, wire));
        id
    }

    pub(crate) fn snapshot(&self) -> &Snapshot {
        self.shared.snapshot()
    }
}
