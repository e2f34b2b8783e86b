//! Two kinds of load: each client asks again once it is answered, or questions fall due at a fixed
//! pace whatever the answers do.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::bail;

use super::lines::{Lines, Ready, Received};
use crate::bench::usage::{cpu_time, own_time};

/// How long answers are awaited after the last question.
const DRAIN: Duration = Duration::from_secs(10);

/// What came of a load.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Sorted.
    latencies: Vec<Duration>,
    /// Questions that were never answered.
    pub(super) lost: usize,
    pub(super) refused: u64,
    wall: Duration,
    server: Duration,
    /// The share of the time that this thread slept because there was nothing to do. Near zero, the
    /// load is what was measured.
    pub(super) idle: f64,
}

impl Load {
    pub(super) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.wall.as_secs_f64()
    }

    /// In milliseconds.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        let place = (self.latencies.len() as f64 * share) as usize;
        let last = self.latencies.len().saturating_sub(1);
        let latency = self.latencies.get(place.min(last));
        latency.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    }

    /// What the server used for each answer beyond what it uses anyway, in microseconds.
    pub(super) fn cost(&self, quiet_share: f64) -> f64 {
        let quiet = self.wall.as_secs_f64() * quiet_share;
        (self.server.as_secs_f64() - quiet) * 1e6 / self.latencies.len() as f64
    }
}

/// What the server and this thread used since it began.
struct Meter {
    pid: u32,
    begin: Instant,
    server: Duration,
    own: (Duration, Duration),
}

impl Meter {
    fn start(pid: u32) -> anyhow::Result<Self> {
        let (server, own) = (cpu_time(pid)?, own_time()?);
        Ok(Self { pid, begin: Instant::now(), server, own })
    }

    fn stop(&self, load: &mut Load) -> anyhow::Result<()> {
        load.wall = self.begin.elapsed();
        load.server = cpu_time(self.pid)? - self.server;
        let (used, waited) = own_time()?;
        let busy = (used - self.own.0) + (waited - self.own.1);
        load.idle = 1.0 - busy.as_secs_f64() / load.wall.as_secs_f64();
        Ok(())
    }
}

/// Who asks whom what.
pub(super) struct Asking<'a> {
    pub(super) lines: &'a mut Lines,
    /// Asked in turn.
    pub(super) questions: &'a [Vec<u8>],
    /// The server's process.
    pub(super) pid: u32,
}

impl Asking<'_> {
    /// Every client asks again at once when it is answered.
    pub(super) fn closed(&mut self, span: Duration) -> anyhow::Result<Load> {
        let (mut load, mut ready) = (Load::default(), Ready::new());
        let meter = Meter::start(self.pid)?;
        let mut sent = vec![meter.begin; self.lines.len()];
        for line in 0..sent.len() {
            self.lines.send(line, &self.questions[line % self.questions.len()])?;
        }
        while meter.begin.elapsed() < span {
            self.lines.wait(Duration::from_millis(100), &mut ready)?;
            for &line in &ready.lines {
                let now = Instant::now();
                if self.is_answered(line, &mut load)? {
                    load.latencies.push(now - sent[line]);
                    let next = load.latencies.len() % self.questions.len();
                    sent[line] = now;
                    self.lines.send(line, &self.questions[next])?;
                }
            }
        }
        meter.stop(&mut load)?;
        self.lines.await_answers(sent.len())?;
        load.latencies.sort_unstable();
        Ok(load)
    }

    /// Questions fall due `rate` times a second for as long as `goes_on`; one that finds no client
    /// free waits, and its latency counts from when it was due.
    pub(super) fn open(
        &mut self,
        rate: u32,
        goes_on: impl Fn(Duration) -> bool,
    ) -> anyhow::Result<Load> {
        let (mut load, mut ready) = (Load::default(), Ready::new());
        let period = Duration::from_secs(1) / rate;
        self.lines.set_pace(period)?;
        let mut free: VecDeque<usize> = (0..self.lines.len()).collect();
        let mut due_of = vec![Instant::now(); self.lines.len()];
        let meter = Meter::start(self.pid)?;
        let (mut asked, mut end) = (0_u32, None);
        loop {
            let now = Instant::now();
            if end.is_none() && !goes_on(now - meter.begin) {
                meter.stop(&mut load)?;
                end = Some(now);
            }
            // What was due before the end is still asked.
            let until = end.unwrap_or(now);
            let mut due = meter.begin + period * asked;
            while due <= until
                && let Some(line) = free.pop_front()
            {
                self.lines.send(line, &self.questions[asked as usize % self.questions.len()])?;
                due_of[line] = due;
                asked += 1;
                due = meter.begin + period * asked;
            }
            let is_done = due > until && free.len() == due_of.len();
            if end.is_some_and(|end| is_done || end.elapsed() > DRAIN) {
                break;
            }
            self.lines.wait(Duration::from_millis(100), &mut ready)?;
            for &line in &ready.lines {
                if self.is_answered(line, &mut load)? {
                    load.latencies.push(due_of[line].elapsed());
                    free.push_back(line);
                }
            }
        }
        load.lost = due_of.len() - free.len();
        load.latencies.sort_unstable();
        Ok(load)
    }

    fn is_answered(&mut self, line: usize, load: &mut Load) -> anyhow::Result<bool> {
        match self.lines.read(line)? {
            Received::Nothing => Ok(false),
            Received::End => bail!("the Sentinel hung up"),
            Received::Replies(scanned) => {
                load.refused += scanned.errors;
                Ok(scanned.replies > 0)
            }
        }
    }
}
