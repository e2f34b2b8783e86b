//! Everybody connects at once.

use std::time::{Duration, Instant};

use anyhow::ensure;

use vedette::lab::Client;

use super::lines::{Lines, Ready, Received, command};
use super::{ClientsArgs, Findings, Stage};
use crate::bench::usage::{cpu_time, resident_mib};

/// How many find no room.
const TOO_MANY: usize = 50;
const REFUSAL: &[u8] = b"-ERR max number of clients reached\r\n";
const PATIENCE: Duration = Duration::from_secs(60);
/// Memory settles.
const REST: Duration = Duration::from_millis(500);

/// As many clients as there is room for connect at once, ask and stay; then come more.
pub(super) fn storm(args: &ClientsArgs, stage: &Stage<'_>) -> anyhow::Result<Findings> {
    let mut fleet = stage.fleet(args, 1)?;
    let (port, pid) = stage.sentinel(&mut fleet);
    std::thread::sleep(REST);
    let (before, used) = (resident_mib(pid)?, cpu_time(pid)?);
    let ping = command(&["PING"]);
    let mut lines = Lines::new(port)?;
    let begin = Instant::now();
    for _ in 0..args.clients {
        lines.begin(None)?;
    }
    let (mut is_greeted, mut ready) = (vec![false; args.clients], Ready::new());
    let mut answered = Vec::with_capacity(args.clients);
    while answered.len() < args.clients {
        let missing = args.clients - answered.len();
        ensure!(begin.elapsed() < PATIENCE, "{missing} clients were never answered");
        lines.wait(Duration::from_millis(100), &mut ready)?;
        for &line in &ready.lines {
            if !std::mem::replace(&mut is_greeted[line], true) {
                lines.send(line, &ping)?;
                lines.listen(line)?;
                continue;
            }
            match lines.read(line)? {
                Received::End => anyhow::bail!("a client was turned away"),
                Received::Replies(scanned) if scanned.replies > 0 => {
                    ensure!(scanned.errors == 0, "a client was refused");
                    answered.push(begin.elapsed());
                }
                Received::Nothing | Received::Replies(_) => {}
            }
        }
    }
    let used = cpu_time(pid)? - used;
    std::thread::sleep(REST);
    let memory = resident_mib(pid)? - before;
    let clients = args.clients as f64;
    let mut found = Findings::default();
    let ms = |share: usize| answered[(answered.len() - 1) * share / 100].as_secs_f64() * 1e3;
    found.add("a storm: half are answered after, ms", ms(50));
    found.add("  99 % are answered after, ms", ms(99));
    found.add("  the last is answered after, ms", ms(100));
    found.add("  server CPU per client, us", used.as_secs_f64() * 1e6 / clients);
    found.add("  memory per client, KiB", memory * 1024.0 / clients);
    found.add("  turned away beyond maxclients", turned_away(port)? as f64);
    Ok(found)
}

/// How many of those who find no room are told so in the reference's words.
fn turned_away(port: u16) -> anyhow::Result<usize> {
    let mut told = 0;
    for _ in 0..TOO_MANY {
        let mut client = Client::connect(port)?;
        let refusal = client.receive()?;
        let text = [b"-", vedette::lab::text(&refusal).as_bytes(), b"\r\n"].concat();
        told += usize::from(refusal.is_error() && text == REFUSAL && client.receive().is_err());
    }
    Ok(told)
}
