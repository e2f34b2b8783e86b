//! Events to many subscribers.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::lines::{Lines, Ready, Received, command};
use super::{ClientsArgs, Findings, Stage, median};
use crate::bench::usage::cpu_time;

/// Events of one SENTINEL SET: it tells of each option.
const BURST: usize = 20;
/// How long an event may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everybody listens to everything while settings change.
pub(super) fn fan_out(args: &ClientsArgs, stage: &Stage<'_>) -> anyhow::Result<Findings> {
    let mut fleet = stage.fleet(args, 1)?;
    let (port, pid) = stage.sentinel(&mut fleet);
    let mut subscribers = Lines::greeted(port, args.subscribers, &command(&["PSUBSCRIBE", "*"]))?;
    let mut operator = Lines::greeted(port, 1, &command(&["PING"]))?;
    let used = cpu_time(pid)?;
    let mut rounds = |events: usize| -> anyhow::Result<Vec<f64>> {
        let round = |_| Ok(round(&mut operator, &mut subscribers, events)?.as_secs_f64());
        (0..args.rounds).map(round).collect()
    };
    let (single, burst) = (rounds(1)?, rounds(BURST)?);
    let delivered = (args.rounds * (1 + BURST) * args.subscribers) as f64;
    let used = (cpu_time(pid)? - used).as_secs_f64();
    let mut found = Findings::default();
    found.add("one event: last subscriber after, ms", median(single) * 1e3);
    let deliveries = (BURST * args.subscribers) as f64;
    found.add("a burst: deliveries per second", deliveries / median(burst));
    found.add("  server CPU per delivery, us", used * 1e6 / delivered);
    Ok(found)
}

/// Causes so many events and waits until everybody has all of them.
fn round(operator: &mut Lines, subscribers: &mut Lines, events: usize) -> anyhow::Result<Duration> {
    let mut words = vec!["SENTINEL", "SET", "m0"];
    words.extend(["quorum", "1"].repeat(events));
    let (mut missing, mut ready) = (subscribers.len() * events, Ready::new());
    let begin = Instant::now();
    operator.send(0, &command(&words))?;
    while missing > 0 {
        ensure!(begin.elapsed() < PATIENCE, "{missing} events were never heard");
        subscribers.wait(Duration::from_millis(100), &mut ready)?;
        for &line in &ready.lines {
            match subscribers.read(line)? {
                Received::Nothing => {}
                Received::End => anyhow::bail!("a subscriber was dropped"),
                Received::Replies(scanned) => {
                    let heard = usize::try_from(scanned.replies)?;
                    ensure!(heard <= missing, "more events than settings");
                    missing -= heard;
                }
            }
        }
    }
    let elapsed = begin.elapsed();
    operator.await_answers(1)?;
    Ok(elapsed)
}
