//! The process beside the reference's: what it says, writes, leaves behind and ends with
//! (spec: interface 7, 10).

mod addresses;
mod background;
mod effects;
mod log_file;
mod pending;
mod run;
pub(crate) use run::{Ending, Make, Setting, alike, alike_as, both, code};

mod starting;
mod stopping;
mod supervision;
