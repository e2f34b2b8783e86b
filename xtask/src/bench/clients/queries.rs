//! `GET-MASTER-ADDR-BY-NAME`, and `SENTINEL MASTERS` of many masters.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::lines::{Lines, command};
use super::load::{Asking, Load};
use super::{ClientsArgs, Findings, Stage};
use crate::bench::fleet::Fleet;
use crate::bench::usage::cpu_time;

/// Before anything is measured: connections are made and memory is warm.
const WARM_UP: Duration = Duration::from_millis(500);
/// How long a quiet Sentinel is looked at.
const QUIET: Duration = Duration::from_secs(3);

/// Applications ask where the master is.
pub(super) fn addresses(args: &ClientsArgs, stage: &Stage<'_>) -> anyhow::Result<Findings> {
    let mut fleet = stage.fleet(args, 1)?;
    let (port, pid) = stage.sentinel(&mut fleet);
    let questions = [command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m0"])];
    let mut lines = Lines::greeted(port, args.connections, &questions[0])?;
    let mut asking = Asking { lines: &mut lines, questions: &questions, pid };
    asking.closed(WARM_UP)?;
    let load = asking.closed(args.span())?;
    let mut found = Findings::default();
    found.add("GET-MASTER-ADDR: per second", load.per_second());
    found.add("  p50, ms", load.percentile(0.5));
    found.add("  p99, ms", load.percentile(0.99));
    found.add("  p99.9, ms", load.percentile(0.999));
    found.add("  server CPU per query, us", load.cost(0.0));
    found.add("  load generator idle, %", load.idle * 100.0);
    check(&load)?;
    let load = asking.open(args.rate, |elapsed| elapsed < args.span())?;
    found.add("at a fixed pace: per second", load.per_second());
    found.add("  p50 since due, ms", load.percentile(0.5));
    found.add("  p99 since due, ms", load.percentile(0.99));
    found.add("  p99.9 since due, ms", load.percentile(0.999));
    found.add("  server CPU per query, us (paced)", load.cost(0.0));
    check(&load)?;
    Ok(found)
}

/// Applications ask for everything, as redis-py does; the control thread must not suffer.
pub(super) fn listings(args: &ClientsArgs, stage: &Stage<'_>) -> anyhow::Result<Findings> {
    let mut fleet = stage.fleet(args, args.masters)?;
    let (port, pid) = stage.sentinel(&mut fleet);
    let questions = [command(&["SENTINEL", "MASTERS"])];
    let (begin, used) = (Instant::now(), cpu_time(pid)?);
    fleet.longest_ping_gap()?;
    std::thread::sleep(QUIET);
    let quiet = (cpu_time(pid)? - used).as_secs_f64() / begin.elapsed().as_secs_f64();
    let quiet_gap = longest_gap(&mut fleet)?;
    let mut lines = Lines::greeted(port, args.listing_connections, &questions[0])?;
    let mut asking = Asking { lines: &mut lines, questions: &questions, pid };
    asking.closed(WARM_UP)?;
    fleet.longest_ping_gap()?;
    let load = asking.closed(args.span())?;
    let mut found = Findings::default();
    found.add("MASTERS: per second", load.per_second());
    found.add("  p50 (MASTERS), ms", load.percentile(0.5));
    found.add("  p99 (MASTERS), ms", load.percentile(0.99));
    found.add("  server CPU per listing, us", load.cost(quiet));
    found.add("  load generator idle, % (MASTERS)", load.idle * 100.0);
    found.add("  longest wait between PINGs, ms", longest_gap(&mut fleet)?);
    found.add("  the same of a quiet Sentinel, ms", quiet_gap);
    check(&load)?;
    Ok(found)
}

fn longest_gap(fleet: &mut Fleet) -> anyhow::Result<f64> {
    Ok(fleet.longest_ping_gap()?.as_secs_f64() * 1e3)
}

fn check(load: &Load) -> anyhow::Result<()> {
    let is_whole = load.lost == 0 && load.refused == 0;
    is_whole.then_some(()).with_context(|| format!("{} lost, {} refused", load.lost, load.refused))
}
