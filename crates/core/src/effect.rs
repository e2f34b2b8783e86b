//! Orders: what the core wants the shell to do.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::durable::DurableChange;
use crate::ident::{ConnId, Generation, JobId, Ticket};
use crate::note::Note;
use crate::query::{Purpose, Query};
use crate::request::Response;
use crate::scripts::ScriptCall;
use crate::settings::Renames;
use crate::view::Publication;

/// An order, in the imperative. Orders are carried out in the order in which they come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Connect. Queries may follow at once; they wait for the connection.
    Connect {
        /// Its number from now on.
        conn: ConnId,
        /// What it is for.
        purpose: Purpose,
        /// Where to.
        to: SocketAddr,
        /// The server's names for commands; empty towards fellow Sentinels.
        renames: Arc<Renames>,
    },
    /// Close a connection; nothing more is heard of it.
    Close {
        /// Which.
        conn: ConnId,
    },
    /// Send a query. All queries of one turn to one connection leave in one write.
    Send {
        /// On which.
        conn: ConnId,
        /// What.
        query: Query,
    },
    /// Use other names for commands on this connection from now on.
    Rename {
        /// Which.
        conn: ConnId,
        /// The new table.
        renames: Arc<Renames>,
    },
    /// Resolve a name in the background.
    Resolve {
        /// The name.
        host: Arc<str>,
    },
    /// Make these changes durable; one such order is outstanding at a time.
    Persist {
        /// Names the answer.
        generation: Generation,
        /// All of them or none.
        changes: Vec<DurableChange>,
    },
    /// Show this to clients.
    Publish(Arc<Publication>),
    /// Answer a request.
    Respond {
        /// Which.
        ticket: Ticket,
        /// With what.
        response: Response,
    },
    /// Run a script.
    RunScript {
        /// Its number.
        job: JobId,
        /// What to call.
        call: Arc<ScriptCall>,
    },
    /// Kill a script's process group.
    KillScript {
        /// Which.
        job: JobId,
    },
    /// Write a line to the log that is no event.
    Log(Note),
    /// End the process at once with exit code 99 (`SENTINEL SIMULATE-FAILURE`).
    Crash,
}
