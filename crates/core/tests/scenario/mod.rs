//! What a scenario is made of: its text, a world around the core, and the trace of what it did.

pub(crate) mod parse;

pub(crate) mod command;
pub(crate) mod world;

mod check;
mod names;
mod network;
mod node;
mod peer;
pub(crate) mod random;
mod setup;
mod store;
mod trace;
