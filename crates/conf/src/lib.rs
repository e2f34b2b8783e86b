//! `sentinel.conf`: read with the reference's grammar and messages, kept line by line, and written
//! back so that the user's file stays the user's and the reference can start from it at any moment.
//!
//! ```text
//! main file, includes, stdin, options ──load──▶ Loaded ┬▶ ServerSettings   what the shell needs
//!                                                      ├▶ SavedState       what the core needs
//!                                                      └▶ Document         the lines themselves
//! SentinelFile(Document, DurableState) ── apply(change)… render() ──▶ bytes of the new file
//! ```
//!
//! Nothing here touches a disk: the caller lends its eyes as [`Files`] and writes the bytes.
#![forbid(unsafe_code)]

pub mod words;

mod directives;
mod document;
mod error;
mod files;
mod load;
mod nul;
mod rewrite;
mod settings;
mod votes;

pub use directives::TlsDirective;
pub use document::{Document, Line, Origin};
pub use error::{BadLine, ConfigError, Product, Warning};
pub use files::Files;
pub use load::{Inspection, Loaded, SavedState, inspect, judge_words, load};
pub use rewrite::{SentinelFile, ShellChange};
pub use settings::{
    BindAddress, BufferLimit, ChannelDefault, LogFormat, LogTimestamps, ServerSettings,
    Supervision, Syslog, TlsClientAuth, TlsSettings, UserLine,
};
pub use votes::{parse_votes, render_votes};
