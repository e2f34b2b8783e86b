//! Ports that no other lab takes, also of another process.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::bail;

/// Below the range from which systems take the ports of outgoing connections.
const FIRST: u16 = 10_000;
const LAST: u16 = 32_000;
/// Enough for two masters with their replicas, seven Sentinels and control ports.
const BLOCK: u16 = 32;

/// A block of ports belongs to whoever listens on its first one.
#[derive(Debug)]
pub struct PortBlock {
    guard: TcpListener,
    next: u16,
    end: u16,
}

impl PortBlock {
    /// Claims a free block.
    ///
    /// # Errors
    ///
    /// All blocks are taken.
    pub fn claim() -> anyhow::Result<Self> {
        let blocks = (LAST - FIRST) / BLOCK;
        // Processes start at different places, so that they rarely meet.
        let offset = (std::process::id() % u32::from(blocks)) as u16;
        for index in 0..blocks {
            let base = FIRST + (index + offset) % blocks * BLOCK;
            if let Ok(guard) = TcpListener::bind((Ipv4Addr::LOCALHOST, base)) {
                return Ok(Self { guard, next: base + 1, end: base + BLOCK });
            }
        }
        bail!("no free block of ports between {FIRST} and {LAST}");
    }

    /// The next free port of the block.
    ///
    /// # Errors
    ///
    /// The block is used up.
    pub fn take(&mut self) -> anyhow::Result<u16> {
        while self.next < self.end {
            let port = self.next;
            self.next += 1;
            if TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
                return Ok(port);
            }
        }
        bail!("the block of ports at {} is used up", self.guard.local_addr()?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_blocks_share_no_port() {
        let mut one = PortBlock::claim().unwrap();
        let mut two = PortBlock::claim().unwrap();
        let first: Vec<u16> = (0..20).map(|_| one.take().unwrap()).collect();
        assert!((0..20).all(|_| !first.contains(&two.take().unwrap())));
    }
}
