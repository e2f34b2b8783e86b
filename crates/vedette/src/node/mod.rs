//! `vedette node`: model data nodes on real ports, any number in one process.
//!
//! The nodes are those of the simulator ([`vedette_node::Node`]); this folder gives them sockets,
//! a clock and a control port through which they fail on command.

mod layout;

mod host;

mod socket;

mod control;

use std::net::IpAddr;
use std::process::ExitCode;

use anyhow::Context;

/// Run model data nodes on real ports.
///
/// They answer like Redis 7.0 as far as a Sentinel and its clients can see, keep strings in
/// memory, replicate among themselves, and fail on command through the control port:
/// `redis-cli -p <control-port> help`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct NodeArgs {
    /// The first port; further nodes take the ports after it.
    #[arg(long, default_value_t = 7000, value_name = "PORT")]
    pub(crate) port: u16,
    /// How many nodes, each a master unless --replicaof is given.
    #[arg(long, default_value_t = 1, value_name = "N", conflicts_with_all = ["replicas", "masters"])]
    pub(crate) count: u16,
    /// Make every node a replica of this master.
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["replicas", "masters"])]
    pub(crate) replicaof: Option<String>,
    /// Replicas of each master; its ports follow that of the master.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) replicas: u16,
    /// Masters, each with its replicas.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) masters: u16,
    /// The address to listen on and to connect from.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(crate) bind: IpAddr,
    /// Take commands like `KILL 7000` on this port, as text lines or as a Redis client sends them.
    #[arg(long, value_name = "PORT")]
    pub(crate) control_port: Option<u16>,
    /// The password of every node, which replicas also use towards their master.
    #[arg(long, value_name = "PASSWORD")]
    pub(crate) requirepass: Option<String>,
    /// How long a full resynchronisation takes.
    #[arg(long, default_value_t = 100, value_name = "MS")]
    pub(crate) full_sync_ms: u64,
    /// The seed of run ids and replication ids; the time of day if not given.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// Runs the nodes until the process is told to end.
///
/// # Errors
///
/// A port that cannot be bound, or arguments that do not fit together.
pub(crate) fn run(args: NodeArgs) -> anyhow::Result<ExitCode> {
    let layout = layout::Layout::new(&args)?;
    layout::raise_open_files_limit();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        let mut host = host::Host::start(layout).await?;
        host.run().await;
        Ok(ExitCode::SUCCESS)
    })
}

#[cfg(test)]
mod tests;
