//! What must hold for any bytes, whoever thought of them.
//!
//! A *trial* is a function from bytes that panics when a property does not hold. The fuzz targets
//! in `fuzz/` call it with what the fuzzer thinks of, the property tests of this crate with what
//! looks like the real thing, and with the whole corpus. Not part of the product.
//!
//! A trial that needs values rather than text reads them from a [`Tape`].
#![forbid(unsafe_code)]

mod cuts;
mod tape;
pub use cuts::Cuts;
pub use tape::Tape;

macro_rules! trials {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        $($(#[$doc])* pub mod $name;)*

        /// All trials, in reading order.
        pub const TRIALS: &[Trial] =
            &[$(Trial { name: stringify!($name), run: $name::run },)*];
    };
}

/// A trial by its name.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// Also the name of its fuzz target, its property test and its corpus.
    pub name: &'static str,
    /// Panics if a property does not hold.
    pub run: fn(&[u8]),
}

trials! {
    resp_request,
    resp_reply,
    resp_frame,
    conf_text,
    conf_words,
    conf_votes,
    acl,
    info,
    hello,
    link,
    client_bytes,
    client_commands,
    choice,
}

mod frames;
mod host;
mod memory_files;

/// The input of a trial as it stands in messages.
fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
