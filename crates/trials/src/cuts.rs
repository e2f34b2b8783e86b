//! How a stream of bytes arrives.

/// Cuts a stream into pieces, in a way that one byte tells.
#[derive(Clone, Copy, Debug)]
pub struct Cuts(u32);

impl Cuts {
    /// The longest piece in bytes.
    pub const PIECE_MAX: usize = 16;

    /// The cuts that this byte stands for: up to 15 pieces of that length, above pieces of many.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        Self(u32::from(seed))
    }

    /// The pieces, in order; together they are the stream.
    pub fn of(self, bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
        let (mut rest, mut state) = (bytes, self.0);
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let len = match self.0 {
                fixed @ 1..16 => fixed,
                _ => {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) % 16 + 1
                }
            };
            let len = usize::try_from(len).unwrap_or(1).min(rest.len());
            let (piece, after) = rest.split_at(len);
            rest = after;
            Some(piece)
        })
    }
}
