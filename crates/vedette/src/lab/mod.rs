//! Real groups on loopback: data nodes, Sentinels of any make, clients and observers.
//!
//! A [`Lab`] starts ordinary processes in a temporary folder on ports of its own, and ends every
//! one of them when it is dropped; should this process die first, a [`warden`] ends them instead.
//! Only processes that the lab itself started are ever signalled.
//!
//! ```text
//! GroupSpec ──► Lab ──┬─ Shard (one per master) ── DataNode ── Process
//!                     ├─ Sentinel ── Process
//!                     └─ EventLog (a subscriber per Sentinel, monotonic stamps)
//! ```

mod group;
pub use group::{FRESH_VIEW, GroupSpec, Lab, Shard};

mod data_node;
pub use data_node::{DataNode, DataServer, writers};

mod sentinel;
pub use sentinel::{Sentinel, Template};

mod events;
pub use events::{Event, EventLog, Saying};

mod writer;
pub use writer::{FollowingWriter, WriteProbe, Writes};

mod real_client;
pub use real_client::{COUNTER, Make, Order, RealClient, Tally, TlsFiles};

mod watch;
pub use watch::Watch;

mod rolling;
pub use rolling::{Pace, Rolling};

mod remembered;

mod swap;
pub use swap::Swap;

mod client;
pub use client::{Client, fields, info_field, text};

mod votes;
pub use votes::{check_votes, saved_leader_epoch};

mod fault;
pub use fault::Fault;

pub mod programs;

mod wait;
pub use wait::{BOUND, until};

mod process;
pub use process::Process;

mod folder;
pub use folder::Folder;

mod ports;
pub use ports::PortBlock;

pub mod warden;
