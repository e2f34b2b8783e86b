//! Every fixed time and bound of the model, with its reason.

/// Between PINGs from a master to its replicas (`repl-ping-replica-period`).
pub(crate) const PING_PERIOD_MS: u64 = 10_000;
/// Between acknowledgements from a replica.
pub(crate) const ACK_PERIOD_MS: u64 = 1_000;
/// Between attempts of a replica to reach its master.
pub(crate) const RECONNECT_PERIOD_MS: u64 = 1_000;
/// Silence after which either end gives up a replication link (`repl-timeout`).
pub(crate) const REPLICATION_TIMEOUT_MS: u64 = 60_000;
/// Bytes a halted node holds of one connection, as the kernel's socket buffers would.
pub(crate) const HELD_BYTES_MAX: usize = 4 << 20;
/// Commands queued in one transaction.
pub(crate) const QUEUED_COMMANDS_MAX: usize = 1 << 16;
/// The largest snapshot a replica accepts.
pub(crate) const SNAPSHOT_BYTES_MAX: usize = 256 << 20;
/// The line in front of a snapshot: a dollar sign, a length, CR LF.
pub(crate) const SNAPSHOT_HEADER_MAX: usize = 32;
/// Bytes of a command name or argument that an error repeats (spec: interface 1.7).
pub(crate) const ECHOED_BYTES_MAX: usize = 128;
