//! Real processes: Sentinels of ours and of the reference guard real data nodes.
//!
//! Each test starts a group of its own. Nothing waits for a length of time and nothing asserts one.
//! Tests that need a program that is not installed say so and end; with
//! `VEDETTE_REQUIRE_SERVERS` set, as in continuous integration, they fail instead.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod acl;
mod bad_configuration;
mod bad_input;
mod bad_options;
mod clients;
mod coordinated;
mod demo;
mod differential;
mod events;
mod exchange;
mod failover;
mod flight;
mod ghosts;
mod group;
mod limits;
mod listings;
mod log_lines;
mod master_names;
mod masters;
mod members;
mod mixed;
mod names;
mod nodes;
mod process;
mod renamed_commands;
mod restart;
mod rewriting;
mod rotation;
mod scripts;
mod sources;
mod strangers;
mod tls;
mod tools;
mod tracking;
mod unresolved;
mod unwritable;
