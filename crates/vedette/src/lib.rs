//! The library half of Vedette's program: real groups for trying things.
//!
//! `vedette demo`, the real-process tests and the benchmarks stand on [`lab`].

pub mod lab;
