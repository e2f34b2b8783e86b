//! The store on a real file system.

mod crash;
mod full_disk;
mod pinned;
mod saving;
mod watched;
