//! A process around a client's connection: a small group, and a core that answers at once.

use std::path::Path;
use std::sync::OnceLock;

use vedette_conf::load;
use vedette_core::{
    Config, Effect, Epoch, LogLevel, Now, Refusal, Request, Response, Secret, Sentinel, SentinelId,
    Span, Ticket, Time, WallTime,
};
use vedette_wire::accounts::{Accounts, AclLog};
use vedette_wire::client::{
    Action, ClientLimits, ClientsAnswer, Closing, Ends, Pause, ServerFacts, Told,
};
use vedette_wire::{
    Client, ClientId, ConnectionFacts, Dialect, HelloMemory, Snapshot, Surroundings,
};

use crate::memory_files::MemoryFiles;

/// The `requirepass` of a host that has one.
pub(crate) const PASSWORD: &str = "Pw-of-this-Sentinel-4711";
/// The `auth-pass` of the monitored master.
pub(crate) const AUTH_PASS: &str = "Pw-of-the-Master-0815";

/// When it began.
const START: Now = Now { mono: Time(1_000_000), wall: WallTime(1_795_415_445_594) };

/// What the process monitors.
const GROUP: &str = "\
sentinel monitor mymaster 10.0.0.1 6379 2
sentinel auth-pass mymaster Pw-of-the-Master-0815
sentinel known-replica mymaster 10.0.0.2 6379
sentinel known-sentinel mymaster 10.0.0.5 26379 53de6bcccfa17c872bbb2dc0038e96b74dd067da
sentinel monitor other ::1 6379 1
";

/// What came of some bytes.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What the client was sent.
    pub(crate) written: Vec<u8>,
    /// Lines for the log.
    pub(crate) warnings: Vec<String>,
    /// Whether the connection or the process ended.
    pub(crate) ended: bool,
}

/// The process.
pub(crate) struct Host {
    pub(crate) now: Now,
    snapshot: Snapshot,
    accounts: Accounts,
    acl_log: AclLog,
    pause: Option<Pause>,
    hellos: HelloMemory,
    tickets: u64,
}

impl Host {
    pub(crate) fn new(has_password: bool) -> Self {
        static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
        Self {
            now: START,
            snapshot: SNAPSHOT.get_or_init(|| snapshot(START)).clone(),
            accounts: Accounts::new(has_password.then(|| Secret::new(PASSWORD))),
            acl_log: AclLog::new(128),
            pause: None,
            hellos: HelloMemory::default(),
            tickets: 0,
        }
    }

    pub(crate) fn client(&self) -> Client {
        let ends = Ends::Tcp {
            peer: ([127, 0, 0, 1], 40_000).into(),
            local: ([127, 0, 0, 1], 26_379).into(),
        };
        let facts = ConnectionFacts {
            ends,
            fd: 9,
            dialect: Dialect::Redis,
            greets_as_redis: false,
            told: Told::Names,
            names: std::sync::Arc::default(),
        };
        Client::new(ClientId(7), facts, ClientLimits::default(), self)
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, span: Span) {
        self.now.mono = self.now.mono + span;
        self.now.wall = WallTime(self.now.wall.0 + span.0);
    }

    /// Takes bytes, lets the client work and answers what it asks, until nothing is left to do.
    /// Pauses end when everybody waits for them.
    pub(crate) fn run(&mut self, client: &mut Client, bytes: &[u8]) -> Outcome {
        let mut outcome = Outcome::default();
        client.receive(bytes, self.now);
        loop {
            client.advance(self);
            let mut is_idle = true;
            while let Some(action) = client.poll_action() {
                assert!(!outcome.ended, "{action:?} after the end");
                is_idle = false;
                self.carry_out(client, action, &mut outcome);
            }
            outcome.written.extend_from_slice(&client.output().split());
            if is_idle && self.pause.take().is_none() {
                assert!(!client.is_held(), "held without a pause");
                return outcome;
            }
        }
    }

    fn carry_out(&mut self, client: &mut Client, action: Action, outcome: &mut Outcome) {
        match action {
            Action::Submit { ticket, request } => client.respond(ticket, &response(&request)),
            Action::ListClients { ticket, filter } => {
                let line = client.matches(&filter, self.now).then(|| client.info_line(self.now));
                client.complete(ticket, &ClientsAnswer::Lines(line.into_iter().collect()));
            }
            Action::KillClients { ticket, filter } => {
                let matches = client.matches(&filter, self.now);
                if matches {
                    client.kill();
                }
                client.complete(ticket, &ClientsAnswer::Killed(u64::from(matches)));
            }
            Action::AclFile { ticket, .. } => client.complete_acl_file(ticket, &Ok(())),
            Action::Pause(pause) => {
                self.pause = Some(self.pause.map_or(pause, |old| old.join(pause)));
            }
            Action::Unpause => self.pause = None,
            Action::Shutdown | Action::Close(Closing::Now(_) | Closing::AfterFlush(_)) => {
                outcome.ended = true;
            }
            Action::SubscriptionChanged(_) => {}
            Action::Log { level, text } => {
                if level == LogLevel::Warning {
                    outcome.warnings.push(text);
                }
            }
        }
    }
}

/// What a core could say.
fn response(request: &Request) -> Response {
    match request {
        Request::IsMasterDown { .. } => Response::Opinion {
            down: true,
            leader: Some(SentinelId::from_random([7; 20])),
            leader_epoch: Epoch::MAX,
        },
        Request::Reset(names) => Response::Count(names.len() as u64),
        Request::Hello(_) => Response::HelloTaken,
        Request::Remove(_) => Response::Refused(Refusal::NoSuchMaster),
        Request::Failover(..) => Response::Refused(Refusal::NoGoodReplica),
        Request::Monitor { .. }
        | Request::Set { .. }
        | Request::ConfigSet(_)
        | Request::Tune(_)
        | Request::FlushConfig
        | Request::SimulateFailure(_) => Response::Done,
    }
}

/// What a core that just started shows.
fn snapshot(now: Now) -> Snapshot {
    let files = MemoryFiles::default().with("main", GROUP.as_bytes());
    let loaded = load(Path::new("main"), &[], None, &files).expect("a good configuration");
    let config = Config::new(26_379, None);
    let state = loaded.state.durable(SentinelId::from_random([9; 20]));
    let mut core = Sentinel::start(config, state, 1, now);
    let mut snapshot = Snapshot::empty();
    while let Some(effect) = core.poll_effect() {
        if let Effect::Publish(publication) = effect {
            snapshot = snapshot.apply(&publication);
        }
    }
    assert_eq!(snapshot.masters().len(), 2);
    snapshot
}

impl Surroundings for Host {
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
        self.pause
    }

    fn is_executable(&self, path: &str) -> bool {
        path.ends_with(".sh")
    }

    fn hellos(&mut self) -> &mut HelloMemory {
        &mut self.hellos
    }

    fn next_ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn fill_random(&mut self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}
