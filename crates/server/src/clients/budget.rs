//! The budget that all query buffers share (spec: DESIGN 1, "The shell").

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use vedette_wire::client::ClientId;

/// Bytes that clients may leave waiting as unfinished requests, all together.
const MAX_QUERY_BYTES: usize = 64 << 20;
/// Buffers below this are counted together and never blamed: 64 MiB of them would be 65,536
/// clients.
const SMALL_BYTES: usize = 1024;

/// Who holds how much.
#[derive(Debug, Default)]
pub(crate) struct QueryBudget(Mutex<Ledger>);

#[derive(Debug, Default)]
struct Ledger {
    total: usize,
    large: HashMap<ClientId, Holding>,
}

/// What one client holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Holding {
    bytes: usize,
    thread: usize,
}

/// The client to close: the largest of too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offender {
    pub(super) client: ClientId,
    pub(super) thread: usize,
}

impl QueryBudget {
    /// Notes that a client of `thread` now holds `bytes`; small holdings are not noted at all.
    /// Returns whom to close if it is too much.
    pub(super) fn note(&self, client: ClientId, thread: usize, bytes: usize) -> Option<Offender> {
        let mut ledger = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match bytes >= SMALL_BYTES {
            true => ledger.large.insert(client, Holding { bytes, thread }),
            false => ledger.large.remove(&client),
        };
        let counted = if bytes >= SMALL_BYTES { bytes } else { 0 };
        ledger.total = ledger.total + counted - before.map_or(0, |holding| holding.bytes);
        if ledger.total <= MAX_QUERY_BYTES {
            return None;
        }
        let largest = ledger.large.iter().max_by_key(|(_, holding)| holding.bytes);
        largest.map(|(client, holding)| Offender { client: *client, thread: holding.thread })
    }
}

/// Whether a change of a client's holding has to be noted.
pub(super) fn matters(before: usize, after: usize) -> bool {
    before != after && (before >= SMALL_BYTES || after >= SMALL_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn the_largest_is_blamed_once_the_budget_is_exceeded() {
        let budget = QueryBudget::default();
        assert_eq!(budget.note(ClientId(1), 0, 40 * MIB), None);
        assert_eq!(budget.note(ClientId(2), 1, 20 * MIB), None);
        let blamed = budget.note(ClientId(3), 1, 10 * MIB);
        assert_eq!(blamed, Some(Offender { client: ClientId(1), thread: 0 }));
        assert_eq!(budget.note(ClientId(1), 0, 0), None, "it is gone");
        assert_eq!(budget.note(ClientId(2), 1, 50 * MIB), None);
    }

    #[test]
    fn small_buffers_are_not_noted() {
        assert!(!matters(0, 1023));
        assert!(matters(1023, 1024) && matters(1024, 0));
        assert!(!matters(4096, 4096));
    }
}
