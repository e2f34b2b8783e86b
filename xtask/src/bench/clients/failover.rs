//! Ten thousand clients of one Sentinel while all masters fail over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::lines::{Lines, Ready, Received, command};
use super::load::{Asking, Load};
use super::{ClientsArgs, Findings, Stage};
use crate::bench::fleet::{Size, Spread, Switches};

/// Subscribers that never read. Each listens so often to everything that what it is sent exceeds
/// what the system keeps for it.
const DEAF: usize = 4;
const DEAF_PATTERNS: [&str; 9] =
    ["PSUBSCRIBE", "*", "**", "***", "+*", "+**", "+***", "[+]*", "[+-]*"];
const DEAF_BUFFER: usize = 4096;
/// Before the masters die, and after all have agreed.
const MARGIN: Duration = Duration::from_secs(2);

/// What became of the subscribers.
#[derive(Debug)]
struct Heard {
    /// Messages that each heard.
    messages: Vec<u64>,
    dropped: usize,
}

/// All masters die at once under subscribers and questions.
pub(super) fn under_failover(args: &ClientsArgs, stage: &Stage<'_>) -> anyhow::Result<Findings> {
    let more_lines = vec![
        format!("maxclients {}", args.clients + 1000),
        "client-output-buffer-limit pubsub 256kb 0 0".to_owned(),
    ];
    let size = Size {
        masters: args.masters,
        replicas: 1,
        sentinels: 3,
        down_after_ms: args.down_after,
        failover_timeout_ms: 60_000,
        first_port: args.first_port,
        more_lines,
    };
    let mut fleet = stage.start(size)?;
    let (port, pid) = stage.sentinel(&mut fleet);
    let ready = fleet.wait_until_ready(stage.patience);
    eprintln!("    ready after {ready:.1?}, now the clients...");
    let subscribers = args.subscribers.min(args.clients);
    let subscription = command(&["SUBSCRIBE", "+switch-master"]);
    let mut listening = Lines::greeted(port, subscribers, &subscription)?;
    let mut asking_lines = Lines::greeted(port, args.clients - subscribers, &command(&["PING"]))?;
    let mut deaf = Lines::new(port)?;
    for _ in 0..DEAF {
        let line = deaf.begin(Some(DEAF_BUFFER))?;
        std::thread::sleep(Duration::from_millis(100));
        deaf.send(line, &command(&DEAF_PATTERNS))?;
    }
    let question = |index| command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &Size::name(index)]);
    let questions: Vec<Vec<u8>> = (0..args.masters).map(question).collect();
    let switches = Switches::watch(&fleet.sentinels)?;
    fleet.longest_ping_gap()?;
    let is_over = AtomicBool::new(false);
    let (load, heard, spread) = std::thread::scope(|scope| {
        let hearing = scope.spawn(|| hear(&mut listening, &is_over));
        let mut asking = Asking { lines: &mut asking_lines, questions: &questions, pid };
        let goes_on = |_| !is_over.load(Ordering::Acquire);
        let load = scope.spawn(move || asking.open(args.rate, goes_on));
        let spread = kill_all(args, stage, &mut fleet, &switches);
        is_over.store(true, Ordering::Release);
        (load.join(), hearing.join(), spread)
    });
    let load = load.ok().context("the load panicked")??;
    let heard = heard.ok().context("the subscribers panicked")??;
    let dropped = drop_count(&mut deaf)?;
    let gap = fleet.longest_ping_gap()?.as_secs_f64() * 1e3;
    Ok(findings(args, &load, &heard, &spread?, (dropped, gap)))
}

fn kill_all(
    args: &ClientsArgs,
    stage: &Stage<'_>,
    fleet: &mut crate::bench::fleet::Fleet,
    switches: &Switches,
) -> anyhow::Result<Spread> {
    std::thread::sleep(MARGIN);
    let from = fleet.kill(0..args.masters)?;
    let spread = switches.wait((args.masters, fleet.sentinels.len()), from, stage.patience);
    std::thread::sleep(MARGIN);
    Ok(spread)
}

fn hear(lines: &mut Lines, is_over: &AtomicBool) -> anyhow::Result<Heard> {
    let mut heard = Heard { messages: vec![0; lines.len()], dropped: 0 };
    let mut has_ended = vec![false; lines.len()];
    let (mut ready, mut quiet_since) = (Ready::new(), Instant::now());
    // What was sent before the end is still read.
    while !is_over.load(Ordering::Acquire) || quiet_since.elapsed() < MARGIN {
        lines.wait(Duration::from_millis(100), &mut ready)?;
        for &line in &ready.lines {
            match lines.read(line)? {
                Received::Replies(scanned) => {
                    heard.messages[line] += scanned.replies;
                    quiet_since = Instant::now();
                }
                Received::Nothing => {}
                Received::End if has_ended[line] => {}
                Received::End => {
                    has_ended[line] = true;
                    heard.dropped += 1;
                }
            }
        }
    }
    Ok(heard)
}

/// What was sent before the end has to be read first, and the system may take its time with it.
fn drop_count(deaf: &mut Lines) -> anyhow::Result<usize> {
    let (mut dropped, mut ready) = (vec![false; deaf.len()], Ready::new());
    (0..deaf.len()).try_for_each(|line| deaf.listen(line))?;
    let begin = Instant::now();
    while dropped.contains(&false) && begin.elapsed() < MARGIN {
        deaf.wait(Duration::from_millis(100), &mut ready)?;
        for &line in &ready.lines {
            dropped[line] = dropped[line] || deaf.has_ended(line)?;
        }
    }
    Ok(dropped.into_iter().filter(|dropped| *dropped).count())
}

fn findings(
    args: &ClientsArgs,
    load: &Load,
    heard: &Heard,
    spread: &Spread,
    (deaf_dropped, gap): (usize, f64),
) -> Findings {
    let seconds = |time: Option<Duration>| {
        let beyond = |time: Duration| time.as_secs_f64() - args.down_after as f64 / 1e3;
        time.map_or(f64::INFINITY, beyond)
    };
    let fewest = heard.messages.iter().min().copied().unwrap_or(0);
    let mut found = Findings::default();
    found.add("mass failover: last Sentinel agrees, s", seconds(spread.agreed));
    found.add("  masters still dead", spread.dead as f64);
    found.add("  queries per second meanwhile", load.per_second());
    found.add("  replies lost", load.lost as f64);
    found.add("  error replies", load.refused as f64);
    found.add("  p50 since due, ms (failover)", load.percentile(0.5));
    found.add("  p99 since due, ms (failover)", load.percentile(0.99));
    found.add("  p99.9 since due, ms (failover)", load.percentile(0.999));
    found.add("  slowest, ms", load.percentile(1.0));
    found.add("  switches that every subscriber heard", fewest as f64);
    found.add("  subscribers dropped", heard.dropped as f64);
    found.add(DEAF_LABEL, deaf_dropped as f64);
    found.add("  longest wait between PINGs, ms (failover)", gap);
    found
}

const DEAF_LABEL: &str = "  of 4 that never read, dropped";
