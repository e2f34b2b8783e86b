//! The Vedette that is measured: this workspace's, built for release.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

/// Builds it if needed and says where it is.
///
/// # Errors
///
/// It does not build.
pub(crate) fn vedette() -> anyhow::Result<PathBuf> {
    eprintln!("building vedette for release...");
    let output = Command::new(env!("CARGO"))
        .args(["build", "--release", "--package", "vedette", "--bin", "vedette"])
        .args(["--message-format", "json-render-diagnostics", "--quiet"])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "vedette does not build");
    let text = String::from_utf8(output.stdout)?;
    text.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
        .context("cargo named no executable")
}

/// Builds one of its examples beside this program.
///
/// # Errors
///
/// It does not build.
pub(crate) fn example(name: &str) -> anyhow::Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--package", "vedette", "--example", name, "--quiet"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    ensure!(cargo.status().context("cannot run cargo")?.success(), "{name} does not build");
    Ok(())
}
