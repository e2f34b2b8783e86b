//! Between bytes and meaning: frames to requests, queries, answers, hellos and events, and the
//! words that Redis spells them with. Pure: no socket, no clock.
//!
//! * Towards data nodes and fellow Sentinels: [`NodeLink`], with [`hello`] and [`info`].
//! * What happened, in words: [`events`], [`notes`].
//! * Towards clients: [`Client`], the connection as a state machine. It finds each command in
//!   [`commands`], answers reads from a [`Snapshot`] with the functions in [`replies`], turns
//!   administrative commands into requests in [`requests`], and spells the core's refusals in
//!   [`refusal`].
#![forbid(unsafe_code)]

pub mod link;
pub use link::{HelloMemory, LinkError, NodeLink, SpareRoom};

pub mod hello;
pub mod info;

pub mod events;
pub mod notes;

pub mod snapshot;
pub use snapshot::Snapshot;

pub mod reply;

pub mod dialect;
pub use dialect::Dialect;

pub mod commands;

pub mod client;
pub use client::{Action, Client, ClientId, ConnectionFacts, Surroundings};

pub mod accounts;
pub mod refusal;
pub mod replies;
pub mod requests;

pub mod glob;
mod host;
mod lenient;
