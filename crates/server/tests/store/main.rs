//! The store on a real file system.

mod crash;
mod saving;
mod watched;
