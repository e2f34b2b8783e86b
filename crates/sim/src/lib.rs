//! Deterministic simulator of whole groups, on virtual time.
//!
//! A [`World`] holds Sentinels (the real core, with the real wire code on every connection), model
//! data nodes, and the network between them. Bytes travel; nothing is handed over as a value.
//! One event queue orders everything, so one seed gives one run.
#![forbid(unsafe_code)]

mod agenda;
mod network;
mod node_host;
mod sentinel_host;
mod timeline;
mod world;

pub use node_host::NodeIndex;
pub use sentinel_host::SentinelIndex;
pub use timeline::{Moment, Timeline};
pub use world::{GroupPlan, World};
