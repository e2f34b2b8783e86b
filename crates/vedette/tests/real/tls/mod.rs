//! TLS with real servers, `redis-cli` and reference Sentinels; certificates are made here.

mod certificates;
mod clients;
mod groups;
mod line;
mod refusals;
mod setting;
