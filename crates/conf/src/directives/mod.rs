//! Every directive there is: the general ones and those of `sentinel`.

mod sentinel;

pub(crate) use sentinel::{Group, SentinelDirective};
