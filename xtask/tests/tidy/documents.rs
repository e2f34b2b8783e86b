//! The documents say what is so.

use std::collections::{BTreeMap, BTreeSet};

use crate::ratchet::{Excesses, expect_no_worse};
use crate::report::{Violation, expect_none};
use crate::tree::{self, TextFile};

const DEMO: &str = "cargo run --release -- demo";
const TESTS: &str = "cargo xtask test";
/// The differences that no rule, weakness, recommendation or demand allows are fewer than this.
const OURS_ALONE_MAX: usize = 10;
/// What begins the sources of a difference, before their number.
const NUMBERED: &[&str] = &["E", "S", "V", "F", "L", "C", "A", "R", "H", "I13."];
/// The sources without a number; a word that tells rows apart may follow a colon.
const NAMED: &[&str] = &["TLS", "dialect", "COORDINATED", "secrets"];

#[test]
fn readme_begins_with_the_demo_and_the_tests() {
    let page = tree::read("README.md");
    let mut commands = Vec::new();
    let mut in_code = false;
    for line in page.text.lines() {
        match line.starts_with("```") {
            true => in_code = !in_code,
            false if in_code && line.starts_with("cargo ") => {
                commands.push(line.split('#').next().unwrap_or(line).trim());
            }
            false => {}
        }
    }
    assert_eq!(commands.get(..2), Some(&[DEMO, TESTS][..]), "README.md: its first two commands");
}

#[test]
fn ci_runs_what_the_readme_says() {
    let script = tree::read(".ci/run").text;
    assert!(script.contains(TESTS), ".ci/run: must run `{TESTS}`, as README.md promises");
}

#[test]
fn every_difference_cites_a_test_that_exists() {
    let mut violations = Vec::new();
    for (number, row) in rows(&shown()) {
        let cited = citations(&row);
        if cited.is_empty() {
            violations.push(Violation::at("COMPAT.md", number, "cites no test"));
        }
        for (file, name) in cited {
            let text = tree::read(&format!("crates/{file}")).text;
            let is_there = match name {
                Some(name) => text.contains(&format!("fn {name}(")),
                None => !text.is_empty() && !file.ends_with(".rs"),
            };
            if !is_there {
                let name = name.unwrap_or("a test's name");
                let what = format!("crates/{file} has no test `{name}`");
                violations.push(Violation::at("COMPAT.md", number, what));
            }
        }
    }
    let remedy = "end the row with `crate/path.rs: name_of_the_test` or `crate/path/scenario.txt`, \
                  or move it to \"Not shown yet\"";
    expect_none(remedy, &violations);
}

#[test]
fn every_difference_has_its_source() {
    let mut violations = Vec::new();
    for (number, row) in rows(&section(&tree::read("COMPAT.md"), "Shown by a test")) {
        let sources = cells(&row)[0];
        for source in sources.split(',').filter(|source| !is_source(source.trim())) {
            let what = format!("`{source}` is no source of a difference");
            violations.push(Violation::at("COMPAT.md", number, what));
        }
    }
    expect_none("name a source, or move the row to \"Ours alone\" with a reason", &violations);
}

#[test]
fn differences_that_are_ours_alone_are_few_and_have_reasons() {
    let rows = rows(&section(&tree::read("COMPAT.md"), "Ours alone"));
    assert!(rows.len() < OURS_ALONE_MAX, "COMPAT.md: {} rows are ours alone", rows.len());
    let mut violations = Vec::new();
    for (number, row) in rows {
        let cells = cells(&row);
        if cells.len() != 5 || cells.iter().any(|cell| cell.is_empty()) {
            violations.push(Violation::at("COMPAT.md", number, "a cell is missing"));
        }
    }
    expect_none("name, the reference, ours, the reason, the tests", &violations);
}

fn is_source(source: &str) -> bool {
    let name = source.split(':').next().unwrap_or(source);
    let is_number = |rest: &str| rest.parse::<u8>().is_ok();
    let is_numbered = |prefix: &&str| source.strip_prefix(*prefix).is_some_and(is_number);
    NAMED.contains(&name) || NUMBERED.iter().any(is_numbered)
}

#[test]
fn sources_are_told_from_words() {
    for source in ["S1", "H43", "I13.4", "TLS", "TLS: keys", "secrets"] {
        assert!(is_source(source), "{source}");
    }
    for source in ["", "S", "H4x", "names", "I13", "X1", "dialects"] {
        assert!(!is_source(source), "{source}");
    }
}

#[test]
fn differences_without_a_test_only_get_fewer() {
    let page = tree::read("COMPAT.md");
    let rows = rows(&section(&page, "Not shown yet")).len();
    let found: Excesses = (rows > 0).then(|| ("COMPAT.md".to_owned(), rows)).into_iter().collect();
    expect_no_worse("differences-not-shown", "show the difference with a test", &found);
}

#[test]
fn code_map_names_every_module() {
    let page = tree::read("ARCHITECTURE.md");
    let mut violations = Vec::new();
    for (krate, modules) in modules() {
        let named = mapped(&page, &krate);
        for module in modules.difference(&named) {
            let what = format!("the code map of `{krate}` lacks `{module}`");
            violations.push(Violation::of("ARCHITECTURE.md", what));
        }
        for module in named.difference(&modules) {
            let what = format!("the code map of `{krate}` names `{module}`, which is gone");
            violations.push(Violation::of("ARCHITECTURE.md", what));
        }
    }
    expect_none("keep the code map true to the tree: one line a module", &violations);
}

fn shown() -> Vec<(usize, String)> {
    let page = tree::read("COMPAT.md");
    let sections = ["Shown by a test", "Ours alone", "The same, and shown with real processes"];
    sections.iter().flat_map(|title| section(&page, title)).collect()
}

/// The numbered lines of a section of the second level.
fn section(page: &TextFile, title: &str) -> Vec<(usize, String)> {
    let heading = format!("## {title}");
    let lines = page.lines().skip_while(|(_, line)| *line != heading).skip(1);
    let lines = lines.take_while(|(_, line)| !line.starts_with("## "));
    let lines: Vec<_> = lines.map(|(number, line)| (number, line.to_owned())).collect();
    assert!(!lines.is_empty(), "{}: the section \"{title}\" is gone", page.path);
    lines
}

/// The rows of the tables among these lines, without their heads.
fn rows(lines: &[(usize, String)]) -> Vec<(usize, String)> {
    let is_rule = |line: &str| line.starts_with("|--") || line.starts_with("| --");
    let heads = lines.windows(2).filter(|pair| is_rule(&pair[1].1)).map(|pair| pair[0].0);
    let heads: Vec<usize> = heads.collect();
    let rows = lines.iter().filter(|(number, line)| {
        line.starts_with('|') && !is_rule(line) && !heads.contains(number)
    });
    rows.cloned().collect()
}

/// The cells of a row.
fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}

/// The tests that the last cell of a row names.
fn citations(row: &str) -> Vec<(&str, Option<&str>)> {
    let last = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
    let quoted = last.split('`').skip(1).step_by(2);
    let cited = quoted.map(|cite| match cite.split_once(": ") {
        Some((file, name)) => (file, Some(name)),
        None => (cite, None),
    });
    cited.collect()
}

/// The first-level modules of every crate, by its folder's name.
fn modules() -> BTreeMap<String, BTreeSet<String>> {
    let mut modules: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in tree::text_files() {
        let Some(path) = file.path.strip_prefix("crates/") else { continue };
        let Some((krate, path)) = path.split_once("/src/") else { continue };
        let module = path.split('/').next().unwrap_or(path);
        let module = module.trim_end_matches(".rs");
        let is_root = ["lib", "main"].contains(&module);
        if !is_root && !module.ends_with("tests") {
            modules.entry(krate.to_owned()).or_default().insert(module.to_owned());
        }
    }
    modules
}

/// The modules that the code map names under `### crates/<krate>`: ``- `module` …``, several names
/// before the colon where one line tells of several.
fn mapped(page: &TextFile, krate: &str) -> BTreeSet<String> {
    let heading = format!("### `crates/{krate}`");
    let lines = page.text.lines().skip_while(|line| *line != heading).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('#'));
    let heads = lines
        .filter(|line| line.starts_with("- `"))
        .map(|line| line.split(": ").next().unwrap_or(line).to_owned());
    heads
        .flat_map(|head| {
            let names: Vec<String> =
                head.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            names
        })
        .collect()
}
