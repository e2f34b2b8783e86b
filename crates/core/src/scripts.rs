//! Scripts: the queue, its limits and its retries (spec: behaviour 11).

use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::Endpoint;
use crate::event::Event;
use crate::ident::MasterName;

/// A script and what it is called with; `wire` spells the arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptCall {
    /// The program, as configured; also its argument 0.
    pub path: Arc<str>,
    /// The rest.
    pub arguments: ScriptArguments,
}

/// The two kinds of scripts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScriptArguments {
    /// `notification-script`: `<event type> <event text>`.
    Notification(Event),
    /// `client-reconfig-script`: `<name> <leader|observer> start <from> <to>`.
    ClientReconfig {
        /// Of which master.
        master: MasterName,
        /// Whether this Sentinel led the failover.
        leader: bool,
        /// The address before.
        from: Endpoint,
        /// The address now.
        to: Endpoint,
    },
}
