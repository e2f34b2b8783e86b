//! Which nodes the arguments ask for.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use rustix::process::{Resource, getrlimit, setrlimit};
use vedette_node::NodeConfig;

use super::NodeArgs;

/// All nodes to start.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) bind: IpAddr,
    pub(super) control_port: Option<u16>,
    pub(super) seed: u64,
    pub(super) nodes: Vec<Arc<NodeConfig>>,
}

impl Layout {
    pub(super) fn new(args: &NodeArgs) -> anyhow::Result<Self> {
        let wall_clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let mut nodes = Vec::new();
        for (port, replica_of) in addresses(args)? {
            nodes.push(Arc::new(NodeConfig {
                port,
                config_file: Some(format!("/model/{port}.conf")),
                replica_of,
                parameters: parameters(args, port),
                full_sync_ms: args.full_sync_ms,
                wall_clock_ms: u64::try_from(wall_clock.as_millis()).unwrap_or(0),
                ..NodeConfig::default()
            }));
        }
        Ok(Self {
            bind: args.bind,
            control_port: args.control_port,
            seed: args.seed.unwrap_or(wall_clock.as_nanos() as u64),
            nodes,
        })
    }
}

fn parameters(args: &NodeArgs, port: u16) -> Vec<(String, String)> {
    let mut parameters = vec![("port".to_owned(), port.to_string())];
    for name in ["requirepass", "masterauth"] {
        if let Some(password) = &args.requirepass {
            parameters.push((name.to_owned(), password.clone()));
        }
    }
    parameters
}

/// Each port with the master of its node.
type Address = (u16, Option<(String, u16)>);

fn addresses(args: &NodeArgs) -> anyhow::Result<Vec<Address>> {
    let is_grouped = args.replicas > 0 || args.masters > 1;
    let (groups, size) =
        if is_grouped { (args.masters, args.replicas + 1) } else { (args.count, 1) };
    let total = u32::from(groups) * u32::from(size);
    if total == 0 || u32::from(args.port) + total > 65_536 {
        bail!("cannot place {total} nodes on the ports from {} on", args.port);
    }
    let outside = args.replicaof.as_deref().map(host_and_port).transpose()?;
    let mut addresses = Vec::new();
    for group in 0..groups {
        let master = args.port + group * size;
        for member in 0..size {
            let replica_of = match member {
                0 => outside.clone(),
                _ => Some((args.bind.to_string(), master)),
            };
            addresses.push((master + member, replica_of));
        }
    }
    Ok(addresses)
}

fn host_and_port(text: &str) -> anyhow::Result<(String, u16)> {
    let (host, port) = text.rsplit_once(':').context("--replicaof takes HOST:PORT")?;
    let port = port.parse().with_context(|| format!("{port} is not a port"))?;
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}

/// A fleet needs many sockets; the soft limit is often 1024.
pub(super) fn raise_open_files_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Without it a large fleet fails with a clear error at the first socket too many.
    let _ = setrlimit(Resource::Nofile, limit);
}
