//! The program.

#[allow(dead_code, reason = "the command line does not offer it yet")]
mod node;

fn main() {}
