//! Every directive there is: the general ones and those of `sentinel`.

mod general;
mod ignored;
mod sentinel;
mod syntax;

pub use general::TlsDirective;
pub(crate) use general::{General, Special, general};
pub(crate) use sentinel::{Group, SentinelDirective};
pub(crate) use syntax::{INT_MAX, memory, out_of_range, spread, yes_no};
