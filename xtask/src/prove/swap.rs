//! `cargo xtask prove swap`: one file, both programs, round after round.

use std::process::ExitCode;

use anyhow::Context as _;
use vedette::lab::{DataServer, GroupSpec, Lab, Swap, Template, programs};

use super::Proof;

const ROUNDS: usize = 10;

pub(super) fn prove(proof: &Proof) -> anyhow::Result<ExitCode> {
    let redis = programs::redis_server().context("no redis-server")?;
    let valkey = programs::valkey_server();
    for server in std::iter::once(redis).chain(valkey) {
        let name = format!("{} {}", server.display(), programs::version_of(&server));
        let reference = Template::reference(&server);
        let data = DataServer::Program(proof.server.clone());
        let lab = Lab::start(GroupSpec {
            // The reference may fail over twice when this is short (holes H1).
            down_after_ms: 2000,
            failover_timeout_ms: 10_000,
            password: Some("sesame".to_owned()),
            sentinel_password: Some("open".to_owned()),
            sentinel_lines: vec!["# kept: a comment of the operator's".to_owned()],
            parent: Some(proof.parent.clone()),
            ..GroupSpec::new(data, vec![reference.clone(); 3])
        })?;
        let mut swap = Swap::start(lab)?;
        let rounds = proof.count(ROUNDS);
        for round in 1..=rounds {
            swap.change_to(&proof.vedette).with_context(|| format!("round {round}"))?;
            swap.change_to(&reference).with_context(|| format!("round {round}"))?;
            eprintln!("{name}: {round} of {rounds}");
        }
        println!("good: {} failovers by turns with {name}, nothing lost", 2 * rounds);
    }
    Ok(ExitCode::SUCCESS)
}
