//! Who may use whom. The table of arrows in `ARCHITECTURE.md` is the rule.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::report::{Violation, expect_none};
use crate::tree;

/// What a crate may use.
#[derive(Debug, Default)]
struct Arrows {
    ours: BTreeSet<String>,
    tokio: bool,
}

#[test]
fn crates_use_only_what_the_table_allows() {
    let table = table();
    let mut violations = Vec::new();
    for krate in crates() {
        let manifest = format!("crates/{krate}/Cargo.toml");
        let Some(allowed) = table.get(&krate) else {
            violations.push(Violation::of(&manifest, "has no row in the table of arrows"));
            continue;
        };
        let itself = package_name(&krate);
        for dependency in dependencies(&itself) {
            let ours = crates().into_iter().find(|other| package_name(other) == dependency);
            let is_allowed = match ours {
                Some(other) => dependency == itself || allowed.ours.contains(&other),
                None => dependency != "tokio" || allowed.tokio,
            };
            if !is_allowed {
                violations.push(Violation::of(&manifest, format!("may not use {dependency}")));
            }
        }
    }
    let remedy = "move the code to the crate that may use it, or change the architecture: edit \
                  the table of arrows in ARCHITECTURE.md in the same commit and say why";
    expect_none(remedy, &violations);
}

#[test]
fn table_of_arrows_names_every_crate_once() {
    let named: BTreeSet<String> = table().into_keys().collect();
    assert_eq!(named, crates().into_iter().collect(), "the table of arrows in ARCHITECTURE.md");
}

#[test]
fn core_depends_on_serde_and_thiserror_only() {
    let manifest = tree::read("crates/core/Cargo.toml");
    let section = manifest.text.split("[dependencies]").nth(1).expect("a section");
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    for line in lines.filter(|line| !line.is_empty()) {
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        assert!(
            ["serde", "thiserror"].contains(&name),
            "crates/core/Cargo.toml: `{line}`: the core is pure; pass the need in as a value"
        );
    }
}

/// Rows of `ARCHITECTURE.md` such as ``| `wire` | core, resp | no |``.
fn table() -> BTreeMap<String, Arrows> {
    let page = tree::read("ARCHITECTURE.md");
    let section = page.text.split("\n## Arrows\n").nth(1).expect("ARCHITECTURE.md has Arrows");
    let section = section.split("\n## ").next().unwrap_or(section);
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let rows = rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [krate, ours, tokio] = cells[..] else { panic!("ARCHITECTURE.md: `{line}`") };
        let ours = match ours {
            "all" => crates().into_iter().collect(),
            "–" => BTreeSet::new(),
            list => list.split(", ").map(str::to_owned).collect(),
        };
        (krate.trim_matches('`').to_owned(), Arrows { ours, tokio: tokio == "yes" })
    });
    rows.collect()
}

/// The folders in `crates/`.
fn crates() -> Vec<String> {
    let manifests = tree::text_files().into_iter();
    let folders = manifests.filter_map(|file| {
        let folder = file.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
        (!folder.contains('/')).then(|| folder.to_owned())
    });
    folders.collect()
}

fn package_name(krate: &str) -> String {
    if krate == "vedette" { krate.to_owned() } else { format!("vedette-{krate}") }
}

/// Everything that a package needs to run, directly or not.
fn dependencies(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-p", package, "-e", "normal", "--prefix", "none"])
        .current_dir(tree::root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    lines.lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}
