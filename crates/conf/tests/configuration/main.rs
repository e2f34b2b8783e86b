//! Reading and writing `sentinel.conf`, through the public interface.

mod loading;
mod memory_files;
mod messages;
mod properties;
mod references;
mod rewriting;
