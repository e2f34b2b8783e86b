//! What a client connection wants of its host.

use vedette_core::{LogLevel, Request, Span, Ticket, Time};

use super::filter::ClientFilter;

/// An order to the host of a connection, to be carried out in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Hand a request to the core, and its response to [`super::Client::respond`].
    Submit {
        /// Names the answer; minted by [`super::Surroundings::next_ticket`].
        ticket: Ticket,
        /// What is wanted.
        request: Request,
    },
    /// Collect [`super::Client::info_line`] of every client that matches, sorted by id, and hand
    /// them to [`super::Client::complete`].
    ListClients {
        /// Names the answer.
        ticket: Ticket,
        /// Which clients.
        filter: ClientFilter,
    },
    /// Call [`super::Client::kill`] on every client that matches, and hand their number to
    /// [`super::Client::complete`].
    KillClients {
        /// Names the answer.
        ticket: Ticket,
        /// Which clients; this one included if it matches.
        filter: ClientFilter,
    },
    /// Read or write the `aclfile`, and hand what came of it to
    /// [`super::Client::complete_acl_file`].
    AclFile {
        /// Names the answer.
        ticket: Ticket,
        /// Which.
        task: AclFileTask,
    },
    /// Hold commands of all clients; joins a pause that lasts already (see [`Pause::join`]).
    Pause(Pause),
    /// End the pause: [`super::Client::advance`] every client.
    Unpause,
    /// End the process with exit code 0.
    Shutdown,
    /// Somebody subscribed to something or left it: for the totals in INFO.
    SubscriptionChanged(SubscriptionChange),
    /// Write a line to the log.
    Log {
        /// How important it is.
        level: LogLevel,
        /// What it says.
        text: String,
    },
    /// Close the connection. Nothing follows.
    Close(Closing),
}

/// What is to be done with the `aclfile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclFileTask {
    /// Take its users ([`crate::accounts::Accounts::load`]).
    Load,
    /// Write the users into it ([`crate::accounts::Accounts::render`]).
    Save,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// At once; what is still in the output is lost.
    Now(CloseReason),
    /// When the output has been written.
    AfterFlush(CloseReason),
}

/// Why a connection ends; for the log and for the counters of INFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The client said `QUIT`.
    Quit,
    /// `CLIENT KILL`, or its user was deleted.
    Killed,
    /// A protocol error, which the output tells.
    ProtocolError,
    /// `POST` or `host:` (spec: interface 1.3).
    CrossProtocol,
    /// `client-query-buffer-limit`.
    QueryBufferFull,
    /// `client-output-buffer-limit`.
    OutputBufferFull,
    /// Idle longer than `timeout`.
    Idle,
}

/// A subscription that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionChange {
    /// A channel was subscribed to.
    ChannelAdded(bytes::Bytes),
    /// A channel was left.
    ChannelRemoved(bytes::Bytes),
    /// A pattern was subscribed to.
    PatternAdded(bytes::Bytes),
    /// A pattern was left.
    PatternRemoved(bytes::Bytes),
    /// `CLIENT TRACKING ON`
    TrackingStarted,
    /// `CLIENT TRACKING OFF`
    TrackingStopped,
    /// Keys with this beginning are tracked.
    PrefixAdded(bytes::Bytes),
    /// They are not any more.
    PrefixRemoved(bytes::Bytes),
}

/// `CLIENT PAUSE`: commands of all clients are held, not rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// When it ends.
    pub until: Time,
    /// Only commands that may write: `PUBLISH`.
    pub writes_only: bool,
}

impl Pause {
    /// A pause of this length from now on.
    #[must_use]
    pub fn new(now: Time, length: Span, writes_only: bool) -> Self {
        Self { until: now + length, writes_only }
    }

    /// Both pauses together: the later end and the stricter mode.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            until: self.until.max(other.until),
            writes_only: self.writes_only && other.writes_only,
        }
    }
}
