#[path = "../../../xtask/src/sim.rs"]
mod sim;
use clap::Parser;
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: sim::SimArgs,
}
fn main() -> std::process::ExitCode {
    sim::run(&Cli::parse().args)
}
