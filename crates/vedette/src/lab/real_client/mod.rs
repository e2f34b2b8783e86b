//! Clients of other makers, which increment a counter through three Sentinels.
//!
//! Each is a small program in `tests/real/clients/programs`; the README there has the contract.

mod make;
pub use make::Make;

mod tally;
pub use tally::Tally;

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::{BOUND, Lab, until, warden};

/// The key that they increment.
pub const COUNTER: &str = "vedette:counter";

/// What a client needs to know.
#[derive(Clone, Debug)]
pub struct Order {
    /// Ports of Sentinels on loopback.
    pub sentinels: Vec<u16>,
    /// The master's name.
    pub master: String,
    /// The data nodes' password.
    pub password: Option<String>,
    /// The Sentinels' password.
    pub sentinel_password: Option<String>,
    /// Its files, if everything speaks TLS.
    pub tls: Option<TlsFiles>,
    /// Only subscribe to `+switch-master` of the first Sentinel.
    pub listen: bool,
}

/// Authority, certificate and key.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Whom to trust.
    pub ca: PathBuf,
    /// What to show.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Order {
    /// To increment the counter of the lab's first master.
    pub fn of(lab: &Lab) -> Self {
        Self {
            sentinels: lab.sentinels.iter().map(super::Sentinel::port).collect(),
            master: lab.name().to_owned(),
            password: lab.spec().password.clone(),
            sentinel_password: lab.spec().sentinel_password.clone(),
            tls: None,
            listen: false,
        }
    }

    /// To listen to one of the lab's Sentinels.
    pub fn listening(lab: &Lab, sentinel: usize) -> Self {
        let sentinels = vec![lab.sentinels[sentinel].port()];
        Self { sentinels, listen: true, ..Self::of(lab) }
    }

    fn text(&self) -> String {
        let addresses: Vec<_> =
            self.sentinels.iter().map(|port| json!(["127.0.0.1", port])).collect();
        let tls = self.tls.as_ref();
        let tls = tls.map(|files| json!({"ca": files.ca, "cert": files.cert, "key": files.key}));
        json!({
            "sentinels": addresses,
            "master": self.master,
            "password": self.password,
            "sentinel_password": self.sentinel_password,
            "tls": tls,
            "counter": COUNTER,
            "listen": self.listen,
        })
        .to_string()
    }
}

/// A line of a client, and when it came.
#[derive(Clone, Debug)]
struct Line {
    at: Instant,
    text: String,
}

/// A running client. It is ended on drop.
#[derive(Debug)]
pub struct RealClient {
    make: Make,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Arc<Mutex<Vec<Line>>>,
    reader: Option<JoinHandle<()>>,
}

impl RealClient {
    /// Starts it. None if it is not installed.
    ///
    /// # Errors
    ///
    /// It is installed, but cannot be started.
    pub fn start(make: Make, order: &Order) -> anyhow::Result<Option<Self>> {
        let Some(mut command) = make.command() else { return Ok(None) };
        let mut child = command
            .arg(order.text())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", make.name()))?;
        warden::add(child.id());
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let reader = stdout.map(|stdout| {
            let lines = lines.clone();
            std::thread::spawn(move || read(stdout, &lines))
        });
        Ok(Some(Self { make, child, stdin, lines, reader }))
    }

    /// Whose it is.
    pub fn make(&self) -> Make {
        self.make
    }

    /// Acknowledged increments: when the answer was read, and the counter's value.
    pub fn acknowledged(&self) -> Vec<(Instant, u64)> {
        let lines = self.lines();
        let ok = |line: &Line| Some((line.at, line.text.strip_prefix("ok ")?.parse().ok()?));
        lines.iter().filter_map(ok).collect()
    }

    /// From `moment` to the end of the longest silence after it, if it wrote again.
    pub fn silence_since(&self, moment: Instant) -> Option<Duration> {
        let acknowledged = self.acknowledged();
        let gaps = acknowledged.windows(2).map(|pair| (pair[0].0, pair[1].0));
        let longest = gaps.filter(|gap| gap.1 > moment).max_by_key(|gap| gap.1 - gap.0)?;
        Some(longest.1 - moment)
    }

    /// What `+switch-master` said to it.
    pub fn switches(&self) -> Vec<String> {
        self.all_after("switch ")
    }

    /// The errors that it met.
    pub fn errors(&self) -> Vec<String> {
        self.all_after("err ")
    }

    /// Waits until its subscription is confirmed.
    ///
    /// # Errors
    ///
    /// It is not, in time.
    pub fn wait_until_listening(&self) -> anyhow::Result<()> {
        let is_ready = || self.lines().iter().any(|line| line.text.trim() == "ready").then_some(());
        until(&format!("{} to listen", self.make.name()), BOUND, is_ready)
            .with_context(|| self.describe())
    }

    /// Waits until so many more increments have been acknowledged.
    ///
    /// # Errors
    ///
    /// They are not, in time; with its last lines.
    pub fn wait_for_more(&self, count: usize) -> anyhow::Result<()> {
        let goal = self.acknowledged().len() + count;
        let what = format!("{count} increments of {}", self.make.name());
        until(&what, BOUND, || (self.acknowledged().len() >= goal).then_some(()))
            .with_context(|| self.describe())
    }

    /// Closes its standard input, waits for its end, and counts.
    ///
    /// # Errors
    ///
    /// It goes on for longer than the bound, or ended before or badly.
    pub fn finish(mut self) -> anyhow::Result<Tally> {
        drop(self.stdin.take());
        let status = until("a client's end", BOUND, || self.child.try_wait().ok().flatten())
            .with_context(|| self.describe())?;
        self.join();
        let ended = self.lines().last().is_some_and(|line| line.text.trim() == "end");
        ensure!(status.success() && ended, "{status}: {}", self.describe());
        Ok(self.tally())
    }

    /// What became of its increments so far.
    pub fn tally(&self) -> Tally {
        Tally::new(self.acknowledged().iter().map(|ok| ok.1), self.errors())
    }

    /// Its last lines, for the message of a failed test.
    pub fn describe(&self) -> String {
        let lines = self.lines();
        let last = &lines[lines.len().saturating_sub(20)..];
        let texts: Vec<&str> = last.iter().map(|line| line.text.as_str()).collect();
        format!("{} said at last: {}", self.make.name(), texts.join(" | "))
    }

    fn all_after(&self, verb: &str) -> Vec<String> {
        let lines = self.lines();
        lines.iter().filter_map(|line| line.text.strip_prefix(verb).map(str::to_owned)).collect()
    }

    fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The child has ended, so its output ends too.
    fn join(&mut self) {
        warden::forget(self.child.id());
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for RealClient {
    fn drop(&mut self) {
        if self.reader.is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
            self.join();
        }
    }
}

fn read(stdout: ChildStdout, lines: &Mutex<Vec<Line>>) {
    for text in BufReader::new(stdout).lines().map_while(Result::ok) {
        let line = Line { at: Instant::now(), text };
        lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}
