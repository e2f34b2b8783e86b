//! Who lives where: addresses tell what they belong to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use vedette_core::{Endpoint, SentinelId};

use crate::random::Random;
use crate::sentinel_host::SentinelIndex;

/// The port of data nodes.
const NODE_PORT: u16 = 6379;
/// The port of Sentinels.
pub(crate) const SENTINEL_PORT: u16 = 26379;

fn small(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// The second byte of nodes, for each 256 groups; 10.2 is where clients live.
const NODE_NETS: [u8; 2] = [1, 16];

/// The n-th node of a group. There is room for 61,000 groups.
pub(crate) fn of_node(group: usize, number: usize) -> SocketAddr {
    let [first, others] = NODE_NETS;
    let net = if group < 256 { first } else { others.saturating_add(small(group / 256 - 1)) };
    let ip = Ipv4Addr::new(10, net, small(group % 256), small(number + 1));
    SocketAddr::new(IpAddr::V4(ip), NODE_PORT)
}

/// A Sentinel.
pub(crate) fn of_sentinel(index: usize) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, small(index + 1))), SENTINEL_PORT)
}

/// Where a Sentinel listens after its host moved once more: the third byte counts.
pub(crate) fn moved_sentinel(address: SocketAddr) -> SocketAddr {
    let IpAddr::V4(ip) = address.ip() else { return address };
    let [a, b, moves, number] = ip.octets();
    let ip = Ipv4Addr::new(a, b, moves.wrapping_add(1), number);
    SocketAddr::new(IpAddr::V4(ip), address.port())
}

/// A client.
pub(crate) fn of_app(index: usize) -> SocketAddr {
    let ip = Ipv4Addr::new(10, 2, small(index / 200), small(index % 200 + 1));
    SocketAddr::new(IpAddr::V4(ip), 40_000)
}

/// The group that a node's address belongs to.
pub(crate) fn group_of(endpoint: &Endpoint) -> Option<usize> {
    let ip = endpoint.host.parse().ok()?;
    group_of_socket(SocketAddr::new(IpAddr::V4(ip), endpoint.port))
}

/// The group that a node's socket belongs to.
pub(crate) fn group_of_socket(socket: SocketAddr) -> Option<usize> {
    let [first, others] = NODE_NETS;
    match socket.ip() {
        IpAddr::V4(ip) if socket.port() == NODE_PORT => match ip.octets() {
            [10, net, group, _] if net == first => Some(usize::from(group)),
            [10, net, group, _] if net >= others => {
                Some((usize::from(net - others) + 1) * 256 + usize::from(group))
            }
            _ => None,
        },
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

/// The Sentinel at an address, or that was there.
pub(crate) fn sentinel_at(address: SocketAddr) -> Option<SentinelIndex> {
    match address.ip() {
        IpAddr::V4(ip) if address.port() == SENTINEL_PORT => match ip.octets() {
            [10, 0, _, number] => Some(SentinelIndex(usize::from(number) - 1)),
            _ => None,
        },
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

/// The id of a Sentinel in the run of a seed. The first byte shows its number.
pub(crate) fn sentinel_id(seed: u64, index: usize) -> SentinelId {
    let mut bytes = [0; 20];
    let drawn = Random::stream(seed, &format!("id {index}")).next();
    bytes[..8].copy_from_slice(&drawn.to_be_bytes());
    bytes[19] = small(index);
    SentinelId::from_random(bytes)
}
