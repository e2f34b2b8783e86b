//! The model node alone, in groups, and beside real servers.

mod network;

mod behaviour;

mod hostile;

mod servers;

mod conformance;
