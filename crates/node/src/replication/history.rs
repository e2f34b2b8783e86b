//! Replication ids, offsets and the backlog: which histories a node can continue.

use std::collections::VecDeque;

/// What INFO shows for "no second id".
pub(crate) const NO_ID: &str = "0000000000000000000000000000000000000000";

/// The position of a node in the history of its data.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) id: String,
    /// Bytes of the stream since the history began.
    pub(crate) offset: u64,
    /// The history before the last promotion, and the first offset that is no longer in it.
    pub(crate) previous: Option<(String, u64)>,
    /// The last bytes of the stream; only once there was a replica.
    pub(crate) backlog: Option<Backlog>,
    /// Whether the stream has said `SELECT 0` to all replicas there are.
    pub(crate) selected: bool,
}

/// The most recent bytes of the stream.
#[derive(Debug)]
pub(crate) struct Backlog {
    /// The offset of its first byte, counted from 1.
    pub(crate) first: u64,
    pub(crate) bytes: VecDeque<u8>,
    size: usize,
}

impl History {
    pub(crate) fn new(id: String) -> Self {
        Self { id, offset: 0, previous: None, backlog: None, selected: false }
    }

    /// A replica becomes a master: the old history can be continued up to here, a new one begins.
    pub(crate) fn fork(&mut self, new_id: String) {
        let old_id = std::mem::replace(&mut self.id, new_id);
        self.previous = Some((old_id, self.offset + 1));
    }

    /// The master has given the history a new id while we stay in it.
    pub(crate) fn rename(&mut self, new_id: String) {
        if self.id != new_id {
            self.fork(new_id);
        }
    }

    /// Starts to keep the stream. A history nobody has seen gets a new id.
    pub(crate) fn start_backlog(&mut self, size: usize) {
        if self.backlog.is_none() {
            self.backlog = Some(Backlog { first: self.offset + 1, bytes: VecDeque::new(), size });
        }
    }

    /// Appends to the stream.
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        if let Some(backlog) = &mut self.backlog {
            backlog.bytes.extend(bytes);
            let surplus = backlog.bytes.len().saturating_sub(backlog.size);
            backlog.bytes.drain(..surplus);
            backlog.first += surplus as u64;
        }
    }

    /// The bytes that continue a copy of history `id` whose next byte is `from`, if we have them.
    pub(crate) fn continuation(&self, id: &str, from: u64) -> Option<Vec<u8>> {
        let is_previous = |(previous, end): &(String, u64)| previous == id && from <= *end;
        if self.id != id && !self.previous.as_ref().is_some_and(is_previous) {
            return None;
        }
        let backlog = self.backlog.as_ref()?;
        let skipped = usize::try_from(from.checked_sub(backlog.first)?).ok()?;
        (skipped <= backlog.bytes.len())
            .then(|| backlog.bytes.iter().skip(skipped).copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::History;

    fn history() -> History {
        let mut history = History::new("a".to_owned());
        history.start_backlog(8);
        history.append(b"0123456789");
        history
    }

    #[test]
    fn the_backlog_bounds_what_can_be_continued() {
        let history = history();
        assert_eq!(history.offset, 10);
        assert_eq!(history.continuation("a", 2), None, "byte 2 is overwritten");
        assert_eq!(history.continuation("a", 3).as_deref(), Some(&b"23456789"[..]));
        assert_eq!(history.continuation("a", 11).as_deref(), Some(&b""[..]));
        assert_eq!(history.continuation("a", 12), None, "byte 12 is not written");
        assert_eq!(history.continuation("b", 5), None);
    }

    #[test]
    fn after_a_promotion_the_old_history_ends_there() {
        let mut history = history();
        history.fork("b".to_owned());
        history.append(b"x");
        assert_eq!(history.continuation("a", 11).as_deref(), Some(&b"x"[..]));
        assert_eq!(history.continuation("a", 12), None, "the other branch of the old history");
        assert_eq!(history.continuation("b", 12).as_deref(), Some(&b""[..]));
    }
}
