//! `cargo xtask prove rolling`: redis-sentinel becomes Vedette and back, round after round.

use std::process::ExitCode;

use anyhow::Context as _;
use vedette::lab::{
    DataServer, GroupSpec, Lab, Make, Order, Pace, RealClient, Rolling, Template, programs,
};

use super::Proof;
use crate::binary;

const ROUNDS: usize = 10;

pub(super) fn prove(proof: &Proof) -> anyhow::Result<ExitCode> {
    binary::example("redis_rs")?;
    let redis = Template::reference(&programs::redis_server().context("no redis-server")?);
    let server = DataServer::Program(proof.server.clone());
    let lab = Lab::start(GroupSpec {
        failover_timeout_ms: 10_000,
        parent: Some(proof.parent.clone()),
        sentinel_lines: vec!["# kept: a comment of the operator's".to_owned()],
        ..GroupSpec::new(server, vec![redis.clone(); 3])
    })?;
    let order = Order::of(&lab);
    let clients = Make::ALL.iter().filter_map(|&make| RealClient::start(make, &order).transpose());
    let clients = clients.collect::<anyhow::Result<Vec<_>>>()?;
    println!("{} clients write", clients.len());
    let mut rolling = Rolling::start(lab, clients, Pace::Usual)?;
    for round in 1..=proof.count(ROUNDS) {
        let mut before = lost(&rolling);
        for (to, template) in [("vedette", &proof.vedette), ("redis-sentinel", &redis)] {
            rolling.replace_all(template)?;
            let now = lost(&rolling);
            let failovers = rolling.failovers();
            println!("round {round}, to {to}: {failovers} failovers, {} lost", now - before);
            before = now;
        }
    }
    println!();
    for (make, tally) in rolling.finish()? {
        println!("{:16} {tally}", make.name());
    }
    println!(
        "good: no wrong master was named, every Sentinel always knew two others, no file lost"
    );
    println!("its comment, id, members or epochs");
    Ok(ExitCode::SUCCESS)
}

/// Acknowledged increments of all clients that are gone.
fn lost(rolling: &Rolling) -> usize {
    rolling.tallies().iter().map(|(_, tally)| tally.lost).sum()
}
