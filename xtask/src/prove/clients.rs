//! `cargo xtask prove clients`: what applications notice, beside redis-sentinel.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use vedette::lab::{
    BOUND, DataNode, FRESH_VIEW, GroupSpec, Lab, Make, Order, RealClient, Tally, Template,
    programs, text, until,
};

use super::Proof;
use crate::binary;

/// Increments after which a client is well.
const WELL: usize = 100;
/// When an old master must be left.
const LEFT_AFTER: Duration = Duration::from_secs(5);

/// What one client went through.
struct Row {
    make: Make,
    sentinels: &'static str,
    /// From the kill until the next acknowledged increment.
    after_kill: Duration,
    lost_by_kill: usize,
    /// From the command until it writes on the new master.
    after_command: Duration,
    on_old_master: bool,
    tally: Tally,
}

pub(super) fn prove(proof: &Proof) -> anyhow::Result<ExitCode> {
    binary::example("redis_rs")?;
    let redis = programs::redis_server().context("no redis-server")?;
    let teams =
        [("vedette", proof.vedette.clone()), ("redis-sentinel", Template::reference(&redis))];
    let mut rows = Vec::new();
    for make in Make::ALL {
        for (sentinels, template) in &teams {
            let lab = Lab::start(proof.group(template))?;
            match RealClient::start(make, &Order::of(&lab))? {
                Some(client) => rows.push(go_through(lab, client, sentinels)?),
                None => println!("{} is not installed; .ci/prepare installs it", make.name()),
            }
        }
    }
    print(&rows);
    let is_good = rows.iter().all(|row| row.sentinels != "vedette" || !row.on_old_master);
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Proof {
    fn group(&self, template: &Template) -> GroupSpec {
        let server = vedette::lab::DataServer::Program(self.server.clone());
        GroupSpec {
            failover_timeout_ms: 60_000,
            parent: Some(self.parent.clone()),
            ..GroupSpec::new(server, vec![template.clone(); 3])
        }
    }
}

/// A kill, then a manual failover.
fn go_through(mut lab: Lab, client: RealClient, sentinels: &'static str) -> anyhow::Result<Row> {
    let name = lab.name().to_owned();
    std::thread::sleep(FRESH_VIEW);
    client.wait_for_more(WELL)?;
    let first = lab.agreed_master(&name).context("no agreed master")?;
    let killed_at = Instant::now();
    lab.shards[0].node(first).process().kill();
    let second = lab.wait_for_switch_from(&name, first)?;
    client.wait_for_more(WELL)?;
    let after_kill = client.silence_since(killed_at).context("no increment")?;
    let lost_by_kill = client.tally().lost;
    lab.shards[0].node(first).restart_as_replica_of(second)?;
    lab.wait_until_following(0, second)?;
    lab.wait_until_settled()?;
    lab.wait_until_roles_are_known(second)?;

    let commanded_at = Instant::now();
    let answer = lab.sentinels[0].ask(&["SENTINEL", "FAILOVER", &name])?;
    anyhow::ensure!(text(&answer) == "OK", "{}", text(&answer));
    let is_new = |node: &&DataNode| node.port() != second && node.is_master() && node.writers() > 0;
    until("the client on the new master", BOUND, || lab.shards[0].nodes.iter().find(is_new))
        .with_context(|| client.describe())?;
    let after_command = commanded_at.elapsed();
    std::thread::sleep(LEFT_AFTER.saturating_sub(after_command));
    // Who came later than that was on the old master.
    let on_old_master = after_command > LEFT_AFTER || lab.shards[0].node(second).writers() > 0;
    let third = lab.wait_for_switch_from(&name, second)?;
    lab.wait_until_following(0, third)?;
    client.wait_for_more(WELL)?;
    let (make, tally) = (client.make(), client.finish()?);
    let row =
        Row { make, sentinels, after_kill, lost_by_kill, after_command, on_old_master, tally };
    println!("{}", row.line());
    Ok(row)
}

impl Row {
    fn line(&self) -> String {
        format!(
            "{:16} {:14} {:>8.2} {:>6} {:>10.2} {:>6} {:>13} {:>12}",
            self.make.name(),
            self.sentinels,
            self.after_kill.as_secs_f64(),
            self.lost_by_kill,
            self.after_command.as_secs_f64(),
            self.tally.lost - self.lost_by_kill,
            if self.on_old_master { "yes" } else { "no" },
            self.tally.acknowledged,
        )
    }
}

fn print(rows: &[Row]) {
    println!();
    println!("seconds until it writes again; acknowledged increments lost; down-after 1 s");
    println!(
        "{:16} {:14} {:>8} {:>6} {:>10} {:>6} {:>13} {:>12}",
        "client", "Sentinels", "kill", "lost", "FAILOVER", "lost", "on old at 5 s", "acknowledged"
    );
    for row in rows {
        println!("{}", row.line());
    }
}
