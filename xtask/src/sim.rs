//! `cargo xtask sim`: seeds through the simulator, and recorded incidents (docs/SIMULATION.md).

mod fleet;
mod flight;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::Args;
use vedette_sim::chart::chart;
use vedette_sim::minimise::minimise;
use vedette_sim::sometimes::too_seldom;
use vedette_sim::{Outcome, PINNED_HASHES, Plan, Switch, TraceLine, Witness};

use crate::say::say;

/// Seeds of `--ci`: the first are always the same, the others come from the commit.
const CI_SEEDS: (u64, u64) = (400, 100);
/// Seeds between two lines of progress.
const PROGRESS_SEEDS: u64 = 100;

/// What to run.
#[derive(Args, Clone, Debug)]
pub(crate) struct SimArgs {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..),
          conflicts_with = "one run")]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 1, conflicts_with = "one run")]
    from: u64,
    /// Only this one, with its plan.
    #[arg(long, group = "one run")]
    seed: Option<u64>,
    /// Replay what a daemon's flight recorder wrote instead.
    #[arg(long, value_name = "FILE", group = "one run")]
    flight: Option<PathBuf>,
    /// A quiet fleet of so many masters instead: what a Sentinel sends and hears in a second.
    #[arg(long, value_name = "MASTERS", group = "one run",
          value_parser = clap::value_parser!(u16).range(1..=60_000))]
    fleet: Option<u16>,
    /// With --seed or --flight: everything that happened.
    #[arg(long, requires = "one run", conflicts_with = "fleet", group = "looking")]
    trace: bool,
    /// With --seed and --trace: one moment at a time; Enter goes on, q ends.
    #[arg(long, requires = "trace", conflicts_with_all = ["flight", "fleet"])]
    step: bool,
    /// With --seed: what was decided, a column for each Sentinel.
    #[arg(long, requires = "seed", group = "looking")]
    chart: bool,
    /// With --seed: look for a shorter list of incidents that fails in the same way, and its chart.
    #[arg(long, requires = "seed", group = "looking")]
    minimise: bool,
    /// With --seed: only the incidents of these numbers, as --minimise found them.
    #[arg(long, requires = "seed", value_delimiter = ',', num_args = 0..)]
    only: Option<Vec<usize>>,
    /// With --seed: end the safety phase after so many milliseconds, as --minimise found it.
    #[arg(long, requires = "seed", value_name = "MS")]
    until: Option<u64>,
    /// With --trace or --chart: only lines that name this master or an address of its group.
    #[arg(long, requires = "looking")]
    master: Option<String>,
    /// With --seed, and --trace or --chart: only this Sentinel.
    #[arg(long, requires = "looking", conflicts_with_all = ["flight", "fleet"])]
    sentinel: Option<usize>,
    /// As if every Sentinel watched a fleet: the regular messages of a master leave together.
    #[arg(long, conflicts_with_all = ["flight", "fleet", "ci"])]
    gathered: bool,
    /// Of these seeds only those with Sentinels at the reference's pace; rates are not judged.
    #[arg(long, conflicts_with_all = ["one run", "ci"])]
    mixed: bool,
    /// Go on after a failure.
    #[arg(long, conflicts_with = "one run")]
    keep_going: bool,
    /// What every commit must pass: fixed seeds, and some drawn from the commit.
    #[arg(long, conflicts_with_all = ["one run", "seeds", "from"])]
    ci: bool,
    /// Runs at the same time.
    #[arg(long, default_value_t = 1, conflicts_with = "one run")]
    jobs: usize,
    /// Print how long the switches of each seed's outage took.
    #[arg(long, conflicts_with = "one run")]
    switches: bool,
    /// Print the hash of each seed.
    #[arg(long, conflicts_with = "one run")]
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
    /// The switch of an outage that came closest to what is allowed, and its seed.
    slowest_switch: Option<(Switch, u64)>,
    switches: u64,
    /// In how many runs each place was reached.
    places: BTreeMap<&'static str, u64>,
}

/// Runs; a failure if an invariant was violated, a place was reached too seldom, or a replay is not
/// as recorded.
pub(crate) fn run(args: &SimArgs) -> ExitCode {
    if let Some(path) = &args.flight {
        return flight::run(path, args);
    }
    if let Some(masters) = args.fleet {
        return fleet::run(usize::from(masters));
    }
    let fine = match args.seed {
        Some(seed) if args.minimise => shorten(seed, args),
        Some(seed) => show(seed, args.plan(seed), args),
        None if args.ci => {
            let from = commit_seed();
            say!("seeds 1 to {}, and {} from {from} on", CI_SEEDS.0, CI_SEEDS.1);
            let args = SimArgs { jobs: args.jobs.max(2), ..args.clone() };
            batch((1..=CI_SEEDS.0).chain(from..from + CI_SEEDS.1), &args)
        }
        None => match args.from.checked_add(args.seeds) {
            Some(end) => batch(args.from..end, args),
            None => {
                eprintln!("there are not so many seeds from {} on", args.from);
                false
            }
        },
    };
    if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(seed: u64, plan: Plan, args: &SimArgs) -> bool {
    say!("{plan}");
    if let Err(missing) = args.is_there(&plan) {
        eprintln!("{missing}");
        return false;
    }
    let replay = args.replay(&plan);
    let sentinels = plan.sentinels;
    let names = args.master.as_ref().map(|name| plan.names_of(name));
    let traced = args.trace || args.chart || args.minimise;
    let witness = if traced { Witness::tracing() } else { Witness::strict() };
    let outcome = vedette_sim::run(plan, witness);
    let wanted = |line: &TraceLine| {
        let mine = line.sentinel.is_none_or(|is| args.sentinel.is_none_or(|s| is.0 == s));
        let named = names.as_ref().is_none_or(|names| line.names(names));
        mine && (named || line.sentinel.is_none())
    };
    let lines = outcome.trace.as_ref().map_or(&[][..], |trace| trace.lines());
    if args.chart || args.minimise {
        say!("{}", chart(lines, sentinels, wanted).trim_end());
    } else {
        let wanted: Vec<&TraceLine> = lines.iter().filter(|line| wanted(line)).collect();
        for moment in wanted.chunk_by(|one, next| one.at_ms == next.at_ms) {
            for line in moment {
                let who = line.sentinel.map_or("--".to_owned(), |is| format!("S{}", is.0));
                say!("{:>7} {who} {}", line.at_ms, line.text);
            }
            if args.step && !goes_on() {
                break;
            }
        }
    }
    say!(
        "hash {:016x}, {} failovers, {} writes, {} ms simulated, together after {} ms",
        outcome.hash,
        outcome.failovers,
        outcome.writes,
        outcome.simulated_ms,
        outcome.converged_ms
    );
    if let Some(switch) = outcome.switch {
        say!("outage: {} ms of {} ms allowed", switch.took_ms, switch.allowed_ms);
    }
    say!("reached: {:?}", outcome.places);
    tell(seed, &outcome, &replay)
}

impl SimArgs {
    /// The plan of a seed, made as short as was asked for.
    fn plan(&self, seed: u64) -> Plan {
        let mut plan = self.whole_plan(seed);
        if let Some(only) = &self.only {
            plan.incidents.retain(|incident| only.contains(&incident.number));
        }
        plan.safety_ms = self.until.unwrap_or(plan.safety_ms);
        plan
    }

    /// The plan of a seed.
    fn whole_plan(&self, seed: u64) -> Plan {
        let mut plan = Plan::draw(seed);
        if self.gathered {
            plan.gathers_from = 1;
        }
        plan
    }

    /// Whether the plan has whom only is to be looked at.
    fn is_there(&self, plan: &Plan) -> Result<(), String> {
        let (sentinels, masters) = (plan.sentinels, plan.masters.len());
        if let Some(master) = &self.master
            && plan.masters.iter().all(|other| other.name != *master)
        {
            return Err(format!("no master is called {master}: there are m0 to m{}", masters - 1));
        }
        match self.sentinel.filter(|sentinel| *sentinel >= sentinels) {
            Some(other) => Err(format!("no Sentinel {other}: there are 0 to {}", sentinels - 1)),
            None => Ok(()),
        }
    }

    /// The command that runs this plan again.
    fn replay(&self, plan: &Plan) -> String {
        let mut command = format!("cargo xtask sim --seed {}", plan.seed);
        let whole = self.whole_plan(plan.seed);
        if self.gathered {
            command.push_str(" --gathered");
        }
        if plan.incidents.len() < whole.incidents.len() {
            let kept: Vec<String> =
                plan.incidents.iter().map(|one| one.number.to_string()).collect();
            command.push_str(" --only ");
            command.push_str(&kept.join(","));
        }
        if plan.safety_ms != whole.safety_ms {
            command.push_str(&format!(" --until {}", plan.safety_ms));
        }
        command
    }
}

/// Waits for Enter; false at `q` or the end of the input.
fn goes_on() -> bool {
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line).unwrap_or(0);
    read > 0 && line.trim() != "q"
}

fn shorten(seed: u64, args: &SimArgs) -> bool {
    let plan = args.plan(seed);
    let before = plan.incidents.len();
    let found = minimise(&plan, |left| say!("{left} of {before} incidents are left"));
    match found {
        Some((plan, _)) => show(seed, plan, args),
        None => {
            say!("seed {seed} does not fail");
            true
        }
    }
}

fn tell(seed: u64, outcome: &Outcome, replay: &str) -> bool {
    let Some(violation) = &outcome.violation else { return true };
    let (at_ms, invariant) = (violation.at_ms, violation.invariant);
    say!("seed {seed}, at {at_ms} ms: {invariant}: {}", violation.evidence);
    say!("replay: {replay} --trace");
    false
}

fn batch(seeds: impl Iterator<Item = u64>, args: &SimArgs) -> bool {
    let started = cpu_seconds();
    announce_panics(args.gathered);
    let wanted = |seed: &u64| !args.mixed || !Plan::draw(*seed).old.is_empty();
    let seeds: Vec<u64> = seeds.filter(wanted).collect();
    if seeds.is_empty() {
        eprintln!("none of these seeds has Sentinels at the reference's pace");
        return false;
    }
    let (next, sum) = (AtomicUsize::new(0), Mutex::new(Sum::default()));
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.max(1) {
            scope.spawn(|| work(&seeds, &next, &sum, args, started));
        }
    });
    let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.print(started);
    if args.mixed { sum.failed.is_empty() } else { sum.judge() }
}

/// Takes seeds until none is left, or one has failed.
fn work(seeds: &[u64], next: &AtomicUsize, sum: &Mutex<Sum>, args: &SimArgs, started: f64) {
    while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)).copied() {
        RUNNING.set(seed);
        let plan = args.whole_plan(seed);
        let replay = args.replay(&plan);
        let outcome = vedette_sim::run(plan, Witness::strict());
        let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
        if args.hashes {
            say!("{seed} {:016x}", outcome.hash);
        }
        if let Some(Switch { took_ms, allowed_ms }) = outcome.switch.filter(|_| args.switches) {
            let loss = Plan::draw(seed).outage.map(|outage| outage.loss);
            say!("{seed}: {took_ms} ms of {allowed_ms} ms, {loss:?}");
        }
        let told = tell(seed, &outcome, &replay);
        if !told || (args.ci && !is_as_pinned(seed, outcome.hash)) {
            sum.failed.push(seed);
        }
        sum.add(seed, &outcome);
        if sum.runs.is_multiple_of(PROGRESS_SEEDS) {
            sum.print(started);
        }
        if !sum.failed.is_empty() && !args.keep_going {
            next.store(seeds.len(), Ordering::Relaxed);
        }
    }
}

/// Whether a seed whose hash is pinned has that hash: a release build does what a debug build does.
fn is_as_pinned(seed: u64, hash: u64) -> bool {
    let pinned = PINNED_HASHES.iter().find(|(pinned, _)| *pinned == seed);
    let Some((_, pinned)) = pinned.filter(|(_, pinned)| *pinned != hash) else { return true };
    println!("seed {seed}: hash {hash:#018x}, pinned is {pinned:#018x}");
    false
}

thread_local! {
    /// The seed that this thread is running.
    static RUNNING: Cell<u64> = const { Cell::new(0) };
}

/// A build that aborts on panics must not end without the seed; the profile `sim` goes on.
fn announce_panics(gathered: bool) {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let seed = RUNNING.get();
        let how = if gathered { " --gathered" } else { "" };
        eprintln!("replay: cargo xtask sim --seed {seed}{how} --trace");
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
        if let Some(switch) = outcome.switch {
            self.switches += 1;
            let share = |one: Switch| one.took_ms as f64 / one.allowed_ms.max(1) as f64;
            if self.slowest_switch.is_none_or(|(most, _)| share(most) < share(switch)) {
                self.slowest_switch = Some((switch, seed));
            }
        }
        for place in outcome.places.keys() {
            *self.places.entry(place).or_default() += 1;
        }
    }

    fn print(&self, started: f64) {
        let elapsed = cpu_seconds() - started;
        say!(
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
        if let Some((switch, seed)) = self.slowest_switch {
            say!(
                "{} outages, slowest switch {} ms of {} ms allowed (seed {seed})",
                self.switches,
                switch.took_ms,
                switch.allowed_ms,
            );
        }
    }

    fn judge(&self) -> bool {
        for (place, runs) in &self.places {
            say!("{:>8} of 1000  {place}", runs * 1000 / self.runs.max(1));
        }
        let seldom = too_seldom(self.runs, &self.places);
        for (place, rate, wanted) in &seldom {
            say!("too seldom: {place}: {rate} of 1000 seeds, wanted {wanted}");
        }
        if !self.failed.is_empty() {
            say!("failed: {:?}", self.failed);
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

/// Processor time of this process: other work on the machine does not count. Elsewhere than on
/// Linux throughput shows as 0.
fn cpu_seconds() -> f64 {
    /// Ticks of the kernel's clock in a second, as it reports them to programs.
    const TICKS: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in brackets, may hold blanks; user and system time are fields 14 and 15.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        args: SimArgs,
    }

    fn is_taken(options: &[&str]) -> bool {
        Cli::try_parse_from([&["sim"], options].concat()).is_ok()
    }

    #[test]
    fn options_of_a_batch_are_refused_with_one_run() {
        let batch: [&[&str]; 7] = [
            &["--seeds", "3"],
            &["--from", "2"],
            &["--jobs", "2"],
            &["--keep-going"],
            &["--switches"],
            &["--hashes"],
            &["--ci"],
        ];
        for options in batch {
            assert!(is_taken(options), "{options:?}");
            for one in [["--seed", "7"], ["--flight", "file"], ["--fleet", "9"]] {
                assert!(is_taken(&one), "{one:?}");
                assert!(!is_taken(&[options, &one].concat()), "{options:?} {one:?}");
            }
        }
        assert!(is_taken(&["--ci", "--jobs", "2", "--keep-going", "--switches", "--hashes"]));
        assert!(!is_taken(&["--ci", "--seeds", "3"]) && !is_taken(&["--ci", "--from", "2"]));
    }
}
