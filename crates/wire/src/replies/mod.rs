//! Read-only replies: pure functions of a snapshot and the time.
//!
//! * [`entry`]: the field lists of masters, replicas and Sentinels (spec: interface 3).
//! * [`masters`]: the SENTINEL listings made of them, addresses and ROLE.
//! * [`ckquorum`], [`caches`], [`scripts`], [`settings`]: the rest of SENTINEL.
//! * [`info`]: INFO. [`help`]: the HELP texts.

pub mod entry;
pub mod masters;

pub mod caches;
pub mod ckquorum;
pub mod scripts;
pub mod settings;

pub mod help;
pub mod info;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
