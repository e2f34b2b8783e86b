//! A Sentinel in a world: the core with the wire code around it, and a disk.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use vedette_core::{
    Census, ConnId, Effect, Endpoint, Epoch, Input, JobId, Now, Publication, Request, Rules,
    Sentinel, SentinelId, Ticket, Time, WallTime,
};
use vedette_flight::{Bounds, Recorded, Tape};
use vedette_wire::accounts::{Accounts, AclLog};
use vedette_wire::client::{ClientLimits, Ends, Pause, ServerFacts, Told};
use vedette_wire::{
    Client, ClientId, ConnectionFacts, Dialect, HelloMemory, NodeLink, Snapshot, Surroundings,
};

use crate::agenda::Happening;
use crate::alarm::Alarm;
use crate::disk::Disk;
use crate::network::{End, Parcel, WireId};

/// Wall-clock time at the beginning of a run.
const WALL_START_MS: i64 = 1_767_225_600_000;

/// A Sentinel of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SentinelIndex(pub usize);

/// The machine of a Sentinel.
pub(crate) struct SentinelHost {
    pub(crate) address: SocketAddr,
    pub(crate) id: SentinelId,
    /// The rules that it keeps.
    pub(crate) rules: Rules,
    pub(crate) disk: Disk,
    /// None while it is down.
    pub(crate) process: Option<Process>,
    /// Counts processes.
    pub(crate) life: u64,
    /// Whether the machine answers at all.
    pub(crate) powered: bool,
    pub(crate) wall_offset_ms: i64,
    /// The process stands still until then.
    pub(crate) stalled_until: Option<u64>,
    /// Saves and scripts that ended meanwhile: it hears of them when it goes on.
    pub(crate) held: Vec<Happening>,
    /// What came meanwhile, oldest first.
    pub(crate) backlog: VecDeque<(WireId, End, Parcel)>,
    /// It must not come back: it stays broken.
    pub(crate) given_up: bool,
}

/// A running Sentinel.
pub(crate) struct Process {
    pub(crate) core: Core,
    pub(crate) links: BTreeMap<ConnId, LinkEnd>,
    pub(crate) hellos: HelloMemory,
    /// Links that ended while what came on them before is still to be fed to the core.
    pub(crate) ended: BTreeMap<ConnId, LinkEnd>,
    pub(crate) clients: BTreeMap<ClientId, (Client, WireId)>,
    /// Which client a request came from, and what it was.
    pub(crate) tickets: BTreeMap<Ticket, (ClientId, Request)>,
    /// Scripts that run.
    pub(crate) scripts: BTreeSet<JobId>,
    pub(crate) shared: Shared,
    next_client: u64,
    /// When the core's deadline is looked at.
    pub(crate) alarm: Alarm,
}

/// The core, with a flight recorder if the run is to test it.
pub(crate) enum Core {
    Plain(Box<Sentinel>),
    Recorded(Box<Recorded>),
}

impl Core {
    pub(crate) fn plain(core: Sentinel) -> Self {
        Self::Plain(Box::new(core))
    }

    pub(crate) fn recorded(core: Sentinel, now: Now, bounds: Bounds) -> Self {
        Self::Recorded(Box::new(Recorded::new(core, now, bounds, drop)))
    }

    pub(crate) fn handle_input(&mut self, now: Now, input: Input) {
        match self {
            Self::Plain(core) => core.handle_input(now, input),
            Self::Recorded(core) => core.handle_input(now, input),
        }
    }

    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        match self {
            Self::Plain(core) => core.poll_effect(),
            Self::Recorded(core) => core.poll_effect(),
        }
    }

    pub(crate) fn poll_deadline(&self) -> Option<Time> {
        match self {
            Self::Plain(core) => core.poll_deadline(),
            Self::Recorded(core) => core.poll_deadline(),
        }
    }

    pub(crate) fn census(&self) -> Census {
        match self {
            Self::Plain(core) => core.census(),
            Self::Recorded(core) => core.core().census(),
        }
    }

    /// What was recorded.
    pub(crate) fn tape(&self) -> Option<Tape> {
        match self {
            Self::Plain(_) => None,
            Self::Recorded(core) => Some(core.tape()),
        }
    }
}

/// An outgoing connection.
pub(crate) struct LinkEnd {
    pub(crate) link: NodeLink,
    pub(crate) wire: WireId,
    pub(crate) to: SocketAddr,
    pub(crate) established: bool,
    /// What each outstanding query was, as far as checks want to know.
    pub(crate) asked: VecDeque<Option<Question>>,
}

/// A question to a fellow Sentinel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// About which address.
    pub address: Endpoint,
    /// With which epoch.
    pub epoch: Epoch,
    /// For whom a vote was asked.
    pub vote_for: Option<SentinelId>,
}

/// What all clients of a Sentinel see.
pub(crate) struct Shared {
    pub(crate) now: Now,
    snapshot: Snapshot,
    accounts: Accounts,
    acl_log: AclLog,
    hellos: HelloMemory,
    next_ticket: u64,
}

impl Surroundings for Shared {
    fn now(&self) -> Now {
        self.now
    }

    fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    fn change_accounts(&mut self, change: &mut dyn FnMut(&Accounts) -> Option<Accounts>) {
        if let Some(changed) = change(&self.accounts) {
            self.accounts = changed;
        }
    }

    fn with_acl_log(&mut self, look: &mut dyn FnMut(&mut AclLog)) {
        look(&mut self.acl_log);
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

    fn hellos(&mut self) -> &mut HelloMemory {
        &mut self.hellos
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
    pub(crate) fn new(address: SocketAddr, id: SentinelId, rules: Rules, disk: Disk) -> Self {
        Self {
            address,
            id,
            rules,
            disk,
            process: None,
            life: 0,
            powered: true,
            wall_offset_ms: 0,
            stalled_until: None,
            held: Vec::new(),
            backlog: VecDeque::new(),
            given_up: false,
        }
    }

    /// The present as this machine sees it.
    pub(crate) fn now(&self, mono_ms: u64) -> Now {
        let wall = WALL_START_MS + i64::try_from(mono_ms).unwrap_or(0) + self.wall_offset_ms;
        Now { mono: Time(mono_ms), wall: WallTime(u64::try_from(wall).unwrap_or(0)) }
    }

    pub(crate) fn snapshot(&self) -> Option<&Snapshot> {
        self.process.as_ref().map(|process| process.shared.snapshot())
    }
}

impl Process {
    pub(crate) fn new(core: Core, now: Now) -> Self {
        let shared = Shared {
            now,
            snapshot: Snapshot::empty(),
            accounts: Accounts::new(None),
            acl_log: AclLog::new(128),
            hellos: HelloMemory::default(),
            next_ticket: 0,
        };
        Self {
            core,
            links: BTreeMap::new(),
            hellos: HelloMemory::default(),
            ended: BTreeMap::new(),
            clients: BTreeMap::new(),
            tickets: BTreeMap::new(),
            scripts: BTreeSet::new(),
            shared,
            next_client: 0,
            alarm: Alarm::default(),
        }
    }

    /// A link ends; what it was asked is remembered until its answers were fed.
    pub(crate) fn end_link(&mut self, conn: ConnId) -> Option<WireId> {
        let end = self.links.remove(&conn)?;
        let wire = end.wire;
        self.ended.insert(conn, end);
        Some(wire)
    }

    pub(crate) fn accept(&mut self, wire: WireId, peer: SocketAddr, local: SocketAddr) -> ClientId {
        self.next_client += 1;
        let id = ClientId(self.next_client);
        let facts = ConnectionFacts {
            ends: Ends::Tcp { peer, local },
            fd: -1,
            dialect: Dialect::Redis,
            greets_as_redis: false,
            told: Told::Names,
            names: std::sync::Arc::default(),
        };
        let client = Client::new(id, facts, ClientLimits::default(), &self.shared);
        self.clients.insert(id, (client, wire));
        id
    }
}
