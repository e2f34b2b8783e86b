//! Deterministic simulator of whole groups, on virtual time (docs/SIMULATION.md).
//!
//! A seed gives a [`Plan`]: who is there, and what goes wrong. A [`World`] carries it out:
//! Sentinels (the real core, with the real wire code on every connection and the real configuration
//! code on their disks), model data nodes, clients, and the network between them. Bytes travel;
//! nothing is handed over as a value. A [`Witness`] sees everything and shows it to the invariants.
#![forbid(unsafe_code)]

// What a run is made from.
mod fault;
mod group_plan;
mod plan;
mod random;

// The world.
mod address;
mod agenda;
mod alarm;
mod client;
mod disk;
mod network;
mod node_host;
mod sentinel_host;
mod world;

// Those who watch.
mod invariant;
mod places;
mod speech;
mod timeline;
mod trace;
mod traffic;
mod witness;

// Runs.
pub mod chart;
pub mod flight;
pub mod minimise;
mod pinned;
mod run;
pub mod sometimes;

pub use fault::{
    Fault, Incident, Kind, Moment as TrapMoment, NetworkHarm, NodeHarm, NodePick, Order, Place,
    SentinelHarm, Trap, Typed, Way,
};
pub use group_plan::GroupPlan;
pub use invariant::Invariant;
pub use node_host::NodeIndex;
pub use pinned::PINNED_HASHES;
pub use plan::{Fate, Loss, MasterPlan, NetworkPlan, Outage, Plan};
pub use run::{Outcome, run, run_seed};
pub use sentinel_host::{Question, SentinelIndex};
pub use timeline::{Moment, Timeline};
pub use trace::{Trace, TraceLine, has_name};
pub use traffic::Traffic;
#[cfg(feature = "mutants")]
pub use vedette_core::Mutant;
pub use vedette_core::Rule;
pub use witness::{Scale, Scene, Seen, Violation, Witness};
pub use world::{Switch, World};
