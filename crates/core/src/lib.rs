//! The Sentinel.
#![no_std]
