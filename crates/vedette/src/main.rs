//! The program.

#[allow(dead_code, reason = "called once there are subcommands")]
mod check;

fn main() {}
