//! The agreement, explored exhaustively: elections and configurations of three Sentinels over every
//! order of events, with questions lost, delayed and repeated, answers lost, and crashes before and
//! after each save.
//!
//! Who may open which epoch, which vote may be given, what an answer is worth, who is elected and
//! which configuration wins are the core's own functions ([`vedette_core::Epochs`],
//! [`vedette_core::Told`], [`vedette_core::Count`]); this crate only says what can happen when.
//! Time does not exist here: whatever may happen after a wait may happen at once, so the rules of
//! pace (head starts, back-offs, deferrals) only take behaviours away from those explored.
#![forbid(unsafe_code)]

mod explore;
mod group;
mod moves;
mod sentinel;

use vedette_core::Rule;

/// The rules of agreement that the model reads, and that can be turned off in it.
pub const RULES: &[Rule] = &[Rule::S4, Rule::S5, Rule::V1, Rule::V3, Rule::V6, Rule::V7];

pub use explore::Report;
pub use group::{Bounds, Crashes, Group, ONE_ADDRESS, World};
pub use moves::Move;
