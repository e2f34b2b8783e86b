//! TLS with real servers, `redis-cli` and reference Sentinels; certificates are made here.

pub(crate) mod certificates;
mod clients;
mod folders;
mod groups;
pub(crate) mod line;
mod refusals;
pub(crate) mod setting;
