//! Room for output: links are many, and few of them write at a time.

use bytes::BytesMut;

/// Bytes of room for the first command of a turn: a hello and a PING fit.
pub(super) const FIRST: usize = 512;
/// Larger room goes back to the system.
const LARGEST: usize = 4096;
/// What is kept; the rest goes back to the system.
const KEPT: usize = 64;

/// Room that no link uses just now, for the next ones that write. Bounded.
#[derive(Debug, Default)]
pub struct SpareRoom(Vec<BytesMut>);

impl SpareRoom {
    pub(super) fn take(&mut self) -> BytesMut {
        self.0.pop().unwrap_or_else(|| BytesMut::with_capacity(FIRST))
    }

    pub(super) fn give(&mut self, mut room: BytesMut) {
        room.clear();
        // Moves its beginning back to where it was: its capacity is the whole of it again.
        room.reserve(FIRST);
        if self.0.len() < KEPT && room.capacity() <= LARGEST {
            self.0.push(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Buf as _;

    use super::*;

    #[test]
    fn room_is_used_again() {
        let mut spare = SpareRoom::default();
        let mut room = spare.take();
        let place = room.as_ptr();
        for _ in 0..100 {
            room.extend_from_slice(&[b'x'; 400]);
            room.advance(400);
            spare.give(room);
            room = spare.take();
            assert_eq!((room.as_ptr(), room.len()), (place, 0));
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut spare = SpareRoom::default();
        let mut large = BytesMut::from_iter([b'x'; LARGEST + 1]);
        large.advance(LARGEST);
        spare.give(large);
        assert_eq!(spare.0.len(), 0);
        (0..2 * KEPT).for_each(|_| spare.give(BytesMut::with_capacity(FIRST)));
        assert_eq!(spare.0.len(), KEPT);
    }
}
