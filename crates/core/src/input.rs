//! Facts: what the shell tells the core.

use alloc::sync::Arc;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::ident::{ConnId, Generation, JobId, Ticket};
use crate::query::{Answer, Hello};
use crate::request::Request;

/// A fact, in the past tense. Inputs about closed connections are dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// The moment that `poll_deadline` named has come.
    DeadlineReached,
    /// A connection was established.
    Connected {
        /// Which.
        conn: ConnId,
        /// Its local address, for hellos (spec: behaviour 6.1).
        local_ip: IpAddr,
    },
    /// A connection could not be made.
    ConnectFailed {
        /// Which.
        conn: ConnId,
        /// The system's words.
        reason: Arc<str>,
    },
    /// A connection ended, by the other side or by a protocol error.
    Disconnected {
        /// Which.
        conn: ConnId,
    },
    /// The oldest query on a connection was answered.
    Answered {
        /// Which.
        conn: ConnId,
        /// With what.
        answer: Answer,
    },
    /// A message came on a subscription; none if it is no hello.
    MessageReceived {
        /// Which.
        conn: ConnId,
        /// The hello in it.
        hello: Option<Arc<Hello>>,
    },
    /// A name was resolved, or not.
    Resolved {
        /// The name.
        host: Arc<str>,
        /// Its first address.
        ip: Option<IpAddr>,
    },
    /// A save is on disk.
    Persisted {
        /// Which.
        generation: Generation,
    },
    /// A save failed; what is on disk is what was there before.
    PersistFailed {
        /// Which.
        generation: Generation,
    },
    /// A script runs.
    ScriptStarted {
        /// Which.
        job: JobId,
        /// Its process.
        pid: u32,
    },
    /// A script could not be started.
    ScriptFailedToStart {
        /// Which.
        job: JobId,
    },
    /// A script ended.
    ScriptEnded {
        /// Which.
        job: JobId,
        /// How.
        end: ScriptEnd,
    },
    /// A client wants something of the core.
    Requested {
        /// Names the answer.
        ticket: Ticket,
        /// What.
        request: Request,
    },
}

/// How a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScriptEnd {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}
