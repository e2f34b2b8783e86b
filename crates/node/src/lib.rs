//! A pure model of a Redis or Valkey data node.
//!
//! [`Node`] is a state machine without sockets, clock or randomness of its own. The simulator
//! runs it on virtual time, `vedette node` on real ports. A host does, for ever:
//!
//! 1. `node.handle_input(now_ms, input)` with a fact: bytes, a connection, a deadline, a fault;
//! 2. carry out each `node.poll_output()`;
//! 3. wait for the next fact, or until `node.poll_deadline()`.
//!
//! What a Sentinel, its clients and other nodes can see follows Redis 7.0: texts, INFO,
//! replication ids and offsets, partial resynchronisation. What they cannot see is left out:
//! there are strings only, no expiry, no disk, and the snapshot of a full resynchronisation is a
//! list of SET commands instead of an RDB file.
//!
//! Between inputs a node costs nothing: everything that happens by itself has a deadline.

mod io;
pub use io::{CloseKind, ConnId, Fault, Input, LinkId, Output, Revival};

mod config;
pub use config::{NodeConfig, User};

mod node;
pub use node::{Node, Role};

mod connection;
mod dispatch;
mod fault;
mod table;

mod command;

mod replication;

mod glob;
mod limits;
mod parameters;
mod pubsub;
mod random;
mod reply;
