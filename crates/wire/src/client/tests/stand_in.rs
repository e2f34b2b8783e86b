//! A stand-in for the process around a connection.

use vedette_core::{Now, Refusal, Request, Response, Secret, Ticket};

use crate::Dialect;
use crate::accounts::{Accounts, AclLog};
use crate::client::{
    Action, Client, ClientId, ClientLimits, ClientsAnswer, Closing, ConnectionFacts, Ends, Pause,
    ServerFacts, Surroundings, Told,
};
use crate::link::HelloMemory;
use crate::replies::samples;
use crate::snapshot::Snapshot;

/// The recorded group, with a core that answers at once.
pub(super) struct Host {
    pub(super) now: Now,
    pub(super) snapshot: Snapshot,
    pub(super) accounts: Accounts,
    pub(super) acl_log: AclLog,
    pub(super) pause: Option<Pause>,
    hellos: HelloMemory,
    tickets: u64,
}

impl Host {
    pub(super) fn new(requirepass: Option<&str>) -> Self {
        Self {
            now: samples::NOW,
            snapshot: samples::snapshot(2),
            accounts: Accounts::new(requirepass.map(Secret::new)),
            acl_log: AclLog::new(128),
            pause: None,
            hellos: HelloMemory::default(),
            tickets: 0,
        }
    }

    pub(super) fn client(&self) -> Client {
        self.limited_client(ClientLimits::default())
    }

    pub(super) fn client_speaking(&self, dialect: Dialect) -> Client {
        self.any_client(ClientLimits::default(), dialect)
    }

    pub(super) fn limited_client(&self, limits: ClientLimits) -> Client {
        self.any_client(limits, Dialect::Redis)
    }

    fn any_client(&self, limits: ClientLimits, dialect: Dialect) -> Client {
        let ends = Ends::Tcp {
            peer: ([127, 0, 0, 1], 40_000).into(),
            local: ([127, 0, 0, 1], 26_379).into(),
        };
        Client::new(
            ClientId(7),
            ConnectionFacts {
                ends,
                fd: 9,
                dialect,
                greets_as_redis: false,
                told: Told::Names,
                names: std::sync::Arc::default(),
            },
            limits,
            self,
        )
    }

    /// Lets the client work and answers what it asks, until nothing is left to do. The bytes it
    /// wrote; [`CLOSED`] at the end if it was closed.
    pub(super) fn run(&mut self, client: &mut Client, bytes: &[u8]) -> Vec<u8> {
        client.receive(bytes, self.now);
        let mut written = Vec::new();
        loop {
            client.advance(self);
            written.extend_from_slice(&client.output().split());
            let Some(action) = client.poll_action() else { return written };
            match action {
                Action::Submit { ticket, request } => {
                    client.respond(ticket, &answer(&request));
                }
                Action::ListClients { ticket, filter } => {
                    let matches = client.matches(&filter, self.now);
                    let lines = matches.then(|| client.info_line(self.now)).into_iter();
                    client.complete(ticket, &ClientsAnswer::Lines(lines.collect()));
                }
                Action::KillClients { ticket, filter } => {
                    let matches = client.matches(&filter, self.now);
                    if matches {
                        client.kill();
                    }
                    client.complete(ticket, &ClientsAnswer::Killed(u64::from(matches)));
                }
                Action::AclFile { ticket, .. } => client.complete_acl_file(ticket, &Ok(())),
                Action::Close(Closing::Now(_) | Closing::AfterFlush(_)) | Action::Shutdown => {
                    written.extend_from_slice(CLOSED);
                }
                Action::Pause(_)
                | Action::Unpause
                | Action::SubscriptionChanged(_)
                | Action::Log { .. } => {}
            }
        }
    }
}

/// Stands in the transcripts for the end of a connection.
pub(super) const CLOSED: &[u8] = b"<CLOSED>";

/// What the recorded Sentinel would do.
fn answer(request: &Request) -> Response {
    let known = |name: &str| name == "mymaster" || name == "other";
    match request {
        Request::Failover(name, _) | Request::Remove(name) if !known(name) => {
            Response::Refused(Refusal::NoSuchMaster)
        }
        Request::Failover(name, _) if **name == *"other" => {
            Response::Refused(Refusal::NoGoodReplica)
        }
        Request::Monitor { name, .. } if known(name) => Response::Refused(Refusal::DuplicateMaster),
        Request::IsMasterDown { address, .. } => Response::Opinion {
            down: address.port == 51009 && *address.host == *"127.0.0.1",
            leader: None,
            leader_epoch: vedette_core::Epoch::ZERO,
        },
        Request::Reset(names) => Response::Count(names.len() as u64),
        Request::Hello(_) => Response::HelloTaken,
        Request::Failover(..)
        | Request::Monitor { .. }
        | Request::Remove(_)
        | Request::Set { .. }
        | Request::ConfigSet(_)
        | Request::Tune(_)
        | Request::FlushConfig
        | Request::SimulateFailure(_) => Response::Done,
    }
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
        self.pause.filter(|pause| pause.until > self.now.mono)
    }

    fn is_executable(&self, path: &str) -> bool {
        path == "/bin/true"
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
