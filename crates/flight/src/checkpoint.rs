//! A copy of the core, from which a replay begins.

use std::io::{self, Write};
use std::sync::Arc;

use vedette_core::Sentinel;

use crate::chunks::Chunks;

/// A copy of the core. Taking one is quick, and keeping it costs as much as the core itself; packed
/// it costs a tenth. Packing takes milliseconds, so somebody else than the core's thread does it.
#[derive(Clone, Debug)]
pub struct Checkpoint(Form);

#[derive(Clone, Debug)]
enum Form {
    Whole(Arc<Sentinel>),
    /// As it stands in a file, in packed chunks.
    Packed(Arc<Chunks>),
}

impl Checkpoint {
    /// A copy as it was taken.
    #[must_use]
    pub fn new(copy: Arc<Sentinel>) -> Self {
        Self(Form::Whole(copy))
    }

    /// The copy, if it was not packed yet.
    pub(crate) fn whole(&self) -> Option<&Arc<Sentinel>> {
        match &self.0 {
            Form::Whole(copy) => Some(copy),
            Form::Packed(_) => None,
        }
    }

    /// Packs a copy. Passwords are left out, as in a file.
    ///
    /// # Errors
    /// If the state cannot be written as JSON, which would be a bug.
    pub(crate) fn pack(copy: &Sentinel) -> io::Result<Self> {
        let mut chunks = Chunks::default();
        serde_json::to_writer(&mut chunks, copy)?;
        chunks.close();
        Ok(Self(Form::Packed(Arc::new(chunks))))
    }

    /// Writes the state as JSON.
    ///
    /// # Errors
    /// If `out` does not take it.
    pub(crate) fn write(&self, mut out: impl Write) -> io::Result<()> {
        match &self.0 {
            Form::Whole(copy) => Ok(serde_json::to_writer(out, copy)?),
            Form::Packed(chunks) => chunks.unpacked().try_for_each(|chunk| match chunk {
                Some(chunk) => out.write_all(&chunk),
                None => Err(io::Error::other("a checkpoint cannot be unpacked")),
            }),
        }
    }
}
