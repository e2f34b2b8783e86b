//! Who lives where: addresses tell what they belong to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use vedette_core::{Endpoint, SentinelId};

use crate::fault::NewHome;
use crate::random::Random;
use crate::sentinel_host::SentinelIndex;

/// The port of data nodes that have not changed theirs.
const NODE_PORT: u16 = 6379;
/// Data nodes take no port from this on.
const NODE_PORTS_END: u16 = NODE_PORT + 256;
/// Data nodes of a group: the next one lives so much further, on the first host of each.
const HOSTS_APART: u8 = 16;
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

/// Where a data node listens after it was given another host, or another port. None when there are
/// no more of them; no address is ever given twice.
pub(crate) fn moved_node(address: SocketAddr, to: NewHome) -> Option<SocketAddr> {
    let IpAddr::V4(ip) = address.ip() else { return None };
    let [a, b, group, number] = ip.octets();
    let (number, port) = match to {
        NewHome::Host => (number.checked_add(HOSTS_APART)?, address.port()),
        NewHome::Port => (number, address.port() + 1),
    };
    let new = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(a, b, group, number)), port);
    (port < NODE_PORTS_END).then_some(new)
}

/// Whether a data node moved to this address.
pub(crate) fn is_moved_node(endpoint: &Endpoint) -> bool {
    let ip = endpoint.host.parse::<Ipv4Addr>();
    let moved = ip.is_ok_and(|ip| ip.octets()[3] > HOSTS_APART);
    group_of(endpoint).is_some() && (moved || endpoint.port != NODE_PORT)
}

/// All hosts on which a data node may ever live.
pub(crate) fn hosts_of_node(group: usize, number: usize) -> impl Iterator<Item = IpAddr> {
    let at_home = |address: &SocketAddr| moved_node(*address, NewHome::Host);
    std::iter::successors(Some(of_node(group, number)), at_home).map(|address| address.ip())
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
    let ports = NODE_PORT..NODE_PORTS_END;
    match socket.ip() {
        IpAddr::V4(ip) if ports.contains(&socket.port()) => match ip.octets() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_moves_stays_in_its_group_and_never_returns() {
        let mut address = of_node(300, 5);
        let mut seen = vec![address];
        for to in [NewHome::Host, NewHome::Port, NewHome::Host, NewHome::Port] {
            address = moved_node(address, to).unwrap_or_else(|| unreachable!("there is room"));
            assert!(!seen.contains(&address), "{address}");
            assert_eq!(group_of_socket(address), Some(300));
            assert!(is_moved_node(&Endpoint::new(&address.ip().to_string(), address.port())));
            seen.push(address);
        }
        assert!(!is_moved_node(&Endpoint::new(&seen[0].ip().to_string(), seen[0].port())));
        assert_eq!(hosts_of_node(300, 5).count(), 16);
        let homes = std::iter::successors(Some(address), |at| moved_node(*at, NewHome::Port));
        assert_eq!(homes.count(), 254);
    }
}
