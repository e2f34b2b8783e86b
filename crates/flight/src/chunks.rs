//! Bytes that are kept packed, a chunk at a time.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

/// Bytes of a chunk before it is packed. Full chunks are shared with whoever writes the file, so a
/// hand-over copies less than one of them.
pub(crate) const CHUNK_BYTES: usize = 64 * 1024;

/// Bytes that only grow: full chunks are packed, the last one is open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chunks {
    packed: Vec<Arc<[u8]>>,
    open: Vec<u8>,
    /// Bytes of the packed chunks before they were packed.
    full_bytes: usize,
}

impl Chunks {
    /// Appends what `write` writes: whole, or not at all if that fails. It is never cut in two.
    pub(crate) fn append<T, E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<T, E>,
    ) -> Result<T, E> {
        let before = self.open.len();
        let written = write(&mut self.open);
        if written.is_err() {
            self.open.truncate(before);
        }
        if self.open.len() >= CHUNK_BYTES {
            self.pack();
        }
        written
    }

    /// Packs what is open, though it may be little: nothing more will come.
    pub(crate) fn close(&mut self) {
        self.pack();
        self.open = Vec::new();
        self.packed.shrink_to_fit();
    }

    fn pack(&mut self) {
        self.full_bytes += self.open.len();
        self.packed.push(lz4_flex::compress_prepend_size(&self.open).into());
        self.open.clear();
    }

    /// Bytes before packing.
    pub(crate) fn bytes(&self) -> usize {
        self.full_bytes + self.open.len()
    }

    /// Bytes in memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.packed.iter().map(|packed| packed.len()).sum::<usize>() + self.open.capacity()
    }

    /// The chunks as they were before packing, in order. None for one that cannot be unpacked,
    /// which would be a bug.
    pub(crate) fn unpacked(&self) -> impl Iterator<Item = Option<Cow<'_, [u8]>>> {
        let unpack = |packed: &Arc<[u8]>| lz4_flex::decompress_size_prepended(packed).ok();
        let packed = self.packed.iter().map(move |packed| unpack(packed).map(Cow::Owned));
        packed.chain([Some(Cow::Borrowed(&self.open[..]))])
    }

    #[cfg(test)]
    pub(crate) fn push_packed(&mut self, packed: &[u8]) {
        self.packed.push(packed.into());
    }
}

/// Takes any bytes, in pieces as they come.
impl io::Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(|open| {
            open.extend_from_slice(bytes);
            Ok(bytes.len())
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
