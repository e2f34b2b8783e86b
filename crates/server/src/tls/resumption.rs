//! Sessions that clients may resume, for as long as `tls-session-cache-timeout` says.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};

/// A store of sessions that grow old.
#[derive(Debug)]
pub(super) struct Sessions {
    store: Arc<ServerSessionMemoryCache>,
    started: Instant,
    lifetime: Duration,
}

impl Sessions {
    /// A store of at most `size` sessions; the oldest gives way.
    pub(super) fn new(size: usize, lifetime: Duration) -> Self {
        Self { store: ServerSessionMemoryCache::new(size), started: Instant::now(), lifetime }
    }

    /// The session itself, if it is young enough: its moment stands before it.
    fn young(&self, stamped: Vec<u8>) -> Option<Vec<u8>> {
        let (stamp, session) = stamped.split_first_chunk()?;
        let age = self.started.elapsed().as_millis().saturating_sub(u128::from_be_bytes(*stamp));
        (age < self.lifetime.as_millis()).then(|| session.to_vec())
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, session: Vec<u8>) -> bool {
        let stamp = self.started.elapsed().as_millis().to_be_bytes();
        self.store.put(key, [&stamp, session.as_slice()].concat())
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.store.get(key).and_then(|stamped| self.young(stamped))
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.store.take(key).and_then(|stamped| self.young(stamped))
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_end_with_their_lifetime() {
        let young = Sessions::new(8, Duration::from_secs(3600));
        assert!(young.put(b"key".into(), b"session".into()));
        assert_eq!(young.get(b"key"), Some(b"session".to_vec()));
        assert_eq!(young.take(b"key"), Some(b"session".to_vec()));
        assert_eq!(young.take(b"key"), None);
        let old = Sessions::new(8, Duration::ZERO);
        old.put(b"key".into(), b"session".into());
        assert_eq!(old.get(b"key"), None);
        assert_eq!(old.take(b"key"), None);
    }
}
