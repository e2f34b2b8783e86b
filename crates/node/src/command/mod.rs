//! The commands, by subject. Each takes the node and the words, and gives the answer.

pub(crate) mod connection;

pub(crate) mod client;
pub(crate) mod client_kill;

pub(crate) mod pubsub;

pub(crate) mod transaction;

pub(crate) mod keyspace;

pub(crate) mod replication;

pub(crate) mod failover;

pub(crate) mod config;

pub(crate) mod info;

pub(crate) mod server;
