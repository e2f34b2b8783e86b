//! Addresses: the host as it was given, the IP it stands for, and the form that is shown.

use alloc::string::ToString;
use alloc::sync::Arc;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// A host and a port as they stand on the wire and in the file, not interpreted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// An IP address or a host name.
    pub host: Arc<str>,
    /// 0 means "never connected".
    pub port: u16,
}

impl Endpoint {
    /// An endpoint from its two parts.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.into(), port }
    }
}

/// `host:port`, an IPv6 host in brackets: how replicas are named (spec: behaviour 3.1).
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The IP that a text stands for without a resolver, as the system reads it: an IPv4 address may
/// have fewer than four numbers, the last of which fills the rest, each also octal after a `0` or
/// hexadecimal after `0x`. The scope of an IPv6 address is dropped.
#[must_use]
pub fn read_ip(text: &str) -> Option<IpAddr> {
    if let Some((address, scope)) = text.split_once('%') {
        return address.parse().ok().filter(|_| !scope.is_empty()).map(IpAddr::V6);
    }
    text.parse().ok().or_else(|| read_ipv4(text).map(IpAddr::V4))
}

fn read_ipv4(text: &str) -> Option<Ipv4Addr> {
    const NUMBERS: u32 = 4;
    let mut address = 0;
    let mut numbers = text.split('.').map(read_number).peekable();
    for place in 1..=NUMBERS {
        let number = numbers.next()??;
        let is_last = numbers.peek().is_none();
        let bits = if is_last { 8 * (NUMBERS + 1 - place) } else { 8 };
        if u64::from(number) >> bits != 0 {
            return None;
        }
        address |= if is_last { number } else { number << (8 * (NUMBERS - place)) };
        if is_last {
            return Some(Ipv4Addr::from_bits(address));
        }
    }
    None
}

fn read_number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    // `from_str_radix` takes a sign.
    let is_number = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_number.then(|| u32::from_str_radix(digits, radix).ok()).flatten()
}

/// An address that the core works with: the host as given and, once known, its IP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    host: Arc<str>,
    ip: Option<IpAddr>,
    port: u16,
    /// Known from the beginning: hosts are shown far more often than they are given.
    is_name: bool,
}

impl Address {
    /// An address from its text. A numeric host is its own IP, a name has none until resolved.
    #[must_use]
    pub fn new(endpoint: &Endpoint) -> Self {
        let ip = endpoint.host.parse().ok();
        Self { host: endpoint.host.clone(), ip, port: endpoint.port, is_name: ip.is_none() }
    }

    /// The host as it was given.
    #[must_use]
    pub fn host(&self) -> &Arc<str> {
        &self.host
    }

    /// The IP, unless the name did not resolve yet.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }

    /// The port; 0 means "never connected".
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the host is a name, not a number.
    #[must_use]
    pub fn is_name(&self) -> bool {
        self.is_name
    }

    /// Notes what the name stands for now.
    pub fn resolve_to(&mut self, ip: IpAddr) {
        self.ip = Some(ip);
    }

    /// Where to connect to, if that is known and possible.
    #[must_use]
    pub fn socket(&self) -> Option<SocketAddr> {
        (self.port != 0).then_some(())?;
        self.ip.map(|ip| SocketAddr::new(ip, self.port))
    }

    /// Equality of addresses (spec: behaviour 14.3): same port, and same IP or same host.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let same_ip = self.ip.is_some() && self.ip == other.ip;
        self.port == other.port && (same_ip || self.host.eq_ignore_ascii_case(&other.host))
    }

    /// As [`Self::same`], for an address as it was told: its host is read only if it must be.
    #[must_use]
    pub fn is(&self, told: &Endpoint) -> bool {
        // Whole texts compare faster than letters, and almost always they are the same.
        let same_host = || self.host == told.host || self.host.eq_ignore_ascii_case(&told.host);
        let same_ip = || self.ip.is_some() && self.ip == told.host.parse().ok();
        self.port == told.port && (same_host() || same_ip())
    }

    /// The announce form (spec: behaviour 14.1): the name as given, or the IP. A name that did not
    /// resolve yet is shown as given rather than as nothing (spec: holes H25).
    #[must_use]
    pub fn announce(&self, as_name: bool) -> Endpoint {
        let host = match self.ip {
            Some(ip) if !as_name && self.is_name() => ip.to_string().into(),
            Some(_) | None => self.host.clone(),
        };
        Endpoint { host, port: self.port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_by_the_system() {
        for (text, wanted) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("127.2.3", "127.2.0.3"),
            ("127.65535", "127.0.255.255"),
            ("2130706433", "127.0.0.1"),
            ("0", "0.0.0.0"),
            ("4294967295", "255.255.255.255"),
            ("0x7F.1", "127.0.0.1"),
            ("0177.0.0.01", "127.0.0.1"),
            ("0:0::1", "::1"),
            ("fe80::1%lo", "fe80::1"),
        ] {
            assert_eq!(read_ip(text), wanted.parse().ok(), "{text}");
        }
        for text in [
            "",
            ".",
            "127.",
            "127.1.",
            "1..2",
            "1.2.3.4.5",
            "1.2.3.256",
            "256.1",
            "1.16777216",
            "4294967296",
            "08.1.1.1",
            "0x",
            "+1",
            "1.-1",
            "127.1 ",
            "127.0.0.1%lo",
            "fe80::1%",
            "127.1x",
            "m",
            "::ffff:127.1",
        ] {
            assert_eq!(read_ip(text), None, "{text}");
        }
    }
}
