//! `cargo xtask sim`: seeds through the simulator (docs/SIMULATION.md).

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use vedette_sim::{Outcome, Plan, Witness, run_seed};

/// What to run.
#[derive(Args, Clone, Debug)]
pub(crate) struct SimArgs {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Only this one, with its plan.
    #[arg(long)]
    seed: Option<u64>,
    /// With --seed: everything that happened.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// With --trace: only lines that name this master.
    #[arg(long)]
    master: Option<String>,
    /// With --trace: only this Sentinel.
    #[arg(long)]
    sentinel: Option<usize>,
    /// Go on after a failure.
    #[arg(long)]
    keep_going: bool,
}

/// What a batch adds up to.
#[derive(Debug, Default)]
struct Sum {
    runs: u64,
    failed: Vec<u64>,
    failovers: u64,
    writes: u64,
    simulated_ms: u64,
    slowest_ms: (u64, u64),
    /// In how many runs each place was reached.
    places: BTreeMap<&'static str, u64>,
}

/// Runs; a failure if an invariant was violated.
pub(crate) fn run(args: &SimArgs) -> ExitCode {
    let fine = match args.seed {
        Some(seed) => show(seed, args),
        None => batch(args),
    };
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(seed: u64, args: &SimArgs) -> bool {
    let plan = Plan::draw(seed);
    println!("{plan}");
    let witness = if args.trace { Witness::tracing() } else { Witness::strict() };
    let outcome = vedette_sim::run(plan, witness);
    if let Some(trace) = &outcome.trace {
        for line in trace.lines() {
            let wanted = args.sentinel.is_none_or(|s| line.sentinel.is_none_or(|is| is.0 == s))
                && args.master.as_ref().is_none_or(|name| {
                    line.sentinel.is_none() || line.text.contains(name.as_str())
                });
            if wanted {
                let who = line.sentinel.map_or("--".to_owned(), |is| format!("S{}", is.0));
                println!("{:>7} {who} {}", line.at_ms, line.text);
            }
        }
    }
    println!(
        "hash {:016x}, {} failovers, {} writes, {} ms simulated, together after {} ms",
        outcome.hash, outcome.failovers, outcome.writes, outcome.simulated_ms, outcome.converged_ms
    );
    println!("reached: {:?}", outcome.places);
    tell(seed, &outcome)
}

fn tell(seed: u64, outcome: &Outcome) -> bool {
    let Some(violation) = &outcome.violation else { return true };
    println!(
        "seed {seed}, at {} ms: {} — {}",
        violation.at_ms, violation.invariant, violation.evidence
    );
    println!("replay: cargo xtask sim --seed {seed} --trace");
    false
}

fn batch(args: &SimArgs) -> bool {
    let started = Instant::now();
    let mut sum = Sum::default();
    for seed in args.from..args.from + args.seeds {
        let outcome = run_seed(seed);
        if !tell(seed, &outcome) {
            sum.failed.push(seed);
        }
        sum.add(seed, &outcome);
        if sum.runs.is_multiple_of(100) {
            sum.print(started);
        }
        if !sum.failed.is_empty() && !args.keep_going {
            break;
        }
    }
    sum.print(started);
    for (place, runs) in &sum.places {
        println!("{:>8} of 1000  {place}", runs * 1000 / sum.runs.max(1));
    }
    if !sum.failed.is_empty() {
        println!("failed: {:?}", sum.failed);
    }
    sum.failed.is_empty()
}

impl Sum {
    fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.runs += 1;
        self.failovers += outcome.failovers;
        self.writes += outcome.writes;
        self.simulated_ms += outcome.simulated_ms;
        self.slowest_ms = self.slowest_ms.max((outcome.converged_ms, seed));
        for place in outcome.places.keys() {
            *self.places.entry(place).or_default() += 1;
        }
    }

    fn print(&self, started: Instant) {
        let elapsed = started.elapsed().as_secs_f64();
        println!(
            "{} seeds, {} failed, {} failovers ({:.0} per second and core), {:.1} h simulated, \
             {} writes, slowest to come together {} ms (seed {}), {elapsed:.0} s",
            self.runs,
            self.failed.len(),
            self.failovers,
            self.failovers as f64 / elapsed,
            self.simulated_ms as f64 / 3_600_000.0,
            self.writes,
            self.slowest_ms.0,
            self.slowest_ms.1,
        );
    }
}
