//! `cargo xtask sim`: seeds through the simulator (docs/SIMULATION.md).

use std::collections::BTreeMap;
use std::process::{Command, ExitCode};

use clap::Args;
use vedette_sim::chart::chart;
use vedette_sim::minimise::minimise;
use vedette_sim::sometimes::too_seldom;
use vedette_sim::{Outcome, Plan, TraceLine, Witness, run_seed};

/// Seeds of `--ci`: the first are always the same, the others come from the commit.
const CI_SEEDS: (u64, u64) = (500, 250);
/// Seeds between two lines of progress.
const PROGRESS_SEEDS: u64 = 100;

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
    /// With --seed: what was decided, a column for each Sentinel.
    #[arg(long, requires = "seed")]
    chart: bool,
    /// With --seed: look for a shorter list of incidents that fails in the same way.
    #[arg(long, requires = "seed")]
    minimise: bool,
    /// With --trace or --chart: only lines that name this master.
    #[arg(long)]
    master: Option<String>,
    /// With --trace or --chart: only this Sentinel.
    #[arg(long)]
    sentinel: Option<usize>,
    /// Go on after a failure.
    #[arg(long)]
    keep_going: bool,
    /// What every commit must pass: fixed seeds, and some drawn from the commit.
    #[arg(long)]
    ci: bool,
    /// Print the hash of each seed.
    #[arg(long)]
    hashes: bool,
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

/// Runs; a failure if an invariant was violated or a place was reached too seldom.
pub(crate) fn run(args: &SimArgs) -> ExitCode {
    let fine = match args.seed {
        Some(seed) if args.minimise => shorten(seed, args),
        Some(seed) => show(seed, Plan::draw(seed), args),
        None if args.ci => {
            let from = commit_seed();
            println!("seeds 1 to {}, and {} from {from} on", CI_SEEDS.0, CI_SEEDS.1);
            batch((1..=CI_SEEDS.0).chain(from..from + CI_SEEDS.1), args)
        }
        None => batch(args.from..args.from + args.seeds, args),
    };
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(seed: u64, plan: Plan, args: &SimArgs) -> bool {
    println!("{plan}");
    let sentinels = plan.sentinels;
    let traced = args.trace || args.chart || args.minimise;
    let witness = if traced { Witness::tracing() } else { Witness::strict() };
    let outcome = vedette_sim::run(plan, witness);
    let wanted = |line: &TraceLine| {
        let mine = line.sentinel.is_none_or(|is| args.sentinel.is_none_or(|s| is.0 == s));
        let named = args.master.as_ref().is_none_or(|name| line.text.contains(name.as_str()));
        mine && (named || line.sentinel.is_none())
    };
    let lines = outcome.trace.as_ref().map_or(&[][..], |trace| trace.lines());
    if args.chart || args.minimise {
        print!("{}", chart(lines, sentinels, wanted));
    } else {
        for line in lines.iter().filter(|line| wanted(line)) {
            let who = line.sentinel.map_or("--".to_owned(), |is| format!("S{}", is.0));
            println!("{:>7} {who} {}", line.at_ms, line.text);
        }
    }
    println!(
        "hash {:016x}, {} failovers, {} writes, {} ms simulated, together after {} ms",
        outcome.hash, outcome.failovers, outcome.writes, outcome.simulated_ms, outcome.converged_ms
    );
    println!("reached: {:?}", outcome.places);
    tell(seed, &outcome)
}

fn shorten(seed: u64, args: &SimArgs) -> bool {
    let plan = Plan::draw(seed);
    let before = plan.incidents.len();
    let found = minimise(&plan, |left| println!("{left} of {before} incidents are left"));
    match found {
        Some((plan, _)) => show(seed, plan, args),
        None => {
            println!("seed {seed} does not fail");
            true
        }
    }
}

fn tell(seed: u64, outcome: &Outcome) -> bool {
    let Some(violation) = &outcome.violation else { return true };
    let (at_ms, invariant) = (violation.at_ms, violation.invariant);
    println!("seed {seed}, at {at_ms} ms: {invariant}: {}", violation.evidence);
    println!("replay: cargo xtask sim --seed {seed} --trace");
    false
}

fn batch(seeds: impl Iterator<Item = u64>, args: &SimArgs) -> bool {
    let started = cpu_seconds();
    let mut sum = Sum::default();
    announce_panics();
    for seed in seeds {
        RUNNING.store(seed, std::sync::atomic::Ordering::Relaxed);
        let outcome = run_seed(seed);
        if args.hashes {
            println!("{seed} {:016x}", outcome.hash);
        }
        if !tell(seed, &outcome) {
            sum.failed.push(seed);
        }
        sum.add(seed, &outcome);
        if sum.runs.is_multiple_of(PROGRESS_SEEDS) {
            sum.print(started);
        }
        if !sum.failed.is_empty() && !args.keep_going {
            break;
        }
    }
    sum.print(started);
    sum.judge()
}

/// The seed that is being run.
static RUNNING: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// A panic ends the process, and must not end without its seed.
fn announce_panics() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let seed = RUNNING.load(std::sync::atomic::Ordering::Relaxed);
        eprintln!("replay: cargo xtask sim --seed {seed} --trace");
        usual(panic);
    }));
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

    fn print(&self, started: f64) {
        let elapsed = cpu_seconds() - started;
        println!(
            "{} seeds, {} failed, {} failovers ({:.0} per second and core), {:.1} h simulated, \
             {} writes, slowest to come together {} ms (seed {}), {elapsed:.0} s on a processor",
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

    fn judge(&self) -> bool {
        for (place, runs) in &self.places {
            println!("{:>8} of 1000  {place}", runs * 1000 / self.runs.max(1));
        }
        let seldom = too_seldom(self.runs, &self.places);
        for (place, rate, wanted) in &seldom {
            println!("too seldom: {place}: {rate} of 1000 seeds, wanted {wanted}");
        }
        if !self.failed.is_empty() {
            println!("failed: {:?}", self.failed);
        }
        self.failed.is_empty() && seldom.is_empty()
    }
}

/// A seed that is another one for each commit.
fn commit_seed() -> u64 {
    let commit = Command::new("git").args(["rev-parse", "HEAD"]).output();
    let digits = commit.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let digits = digits.unwrap_or_default();
    u64::from_str_radix(digits.get(..12).unwrap_or("f0000"), 16).unwrap_or(1 << 20)
}

/// Processor time of this process: other work on the machine does not count.
fn cpu_seconds() -> f64 {
    // Nanoseconds on a processor come first. Elsewhere than on Linux throughput shows as 0.
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|word| word.parse::<u64>().ok());
    nanos.unwrap_or_default() as f64 / 1e9
}
