//! Values out of bytes.

use vedette_core::{Epoch, SentinelId};

/// Bytes that are read as values, front to back. Past the end everything is zero or empty, so that
/// every input has a meaning.
#[derive(Clone, Debug)]
pub struct Tape<'a>(&'a [u8]);

impl<'a> Tape<'a> {
    /// A tape of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// A coin.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number below a bound of at most 256.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A number: a small one, one near a power of two, or any.
    pub fn number(&mut self) -> u64 {
        match self.byte() {
            small @ ..200 => u64::from(small),
            200..220 => u64::MAX >> self.below(64),
            220..240 => 1 << self.below(64),
            240.. => self.bytes(8).iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        }
    }

    /// An epoch.
    pub fn epoch(&mut self) -> Epoch {
        Epoch::new(self.number()).unwrap_or(Epoch::MAX)
    }

    /// The id of a Sentinel.
    pub fn id(&mut self) -> SentinelId {
        SentinelId::from_random([self.byte(); 20])
    }

    /// Up to 255 bytes; the first one tells how many.
    pub fn chunk(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte());
        self.bytes(len)
    }

    /// A text; what is no UTF-8 is replaced.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(self.chunk()).into_owned()
    }

    fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        bytes
    }
}
