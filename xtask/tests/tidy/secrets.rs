//! Who may read a secret.

use crate::report::{Violation, expect_none};
use crate::source::{Word, sources};

/// Files that may call `Secret::expose`, how often, and why.
const MAY_EXPOSE: &[(&str, usize, &str)] = &[
    ("crates/conf/src/rewrite/wanted.rs", 2, "renders auth-pass and sentinel-pass"),
    ("crates/conf/src/load/access.rs", 2, "makes the default user of requirepass"),
    ("crates/server/src/tls/credentials.rs", 1, "decrypts a private key"),
    ("crates/wire/src/accounts/mod.rs", 1, "hashes requirepass"),
    ("crates/wire/src/link/command.rs", 2, "encodes AUTH"),
    ("crates/wire/src/replies/settings.rs", 1, "CONFIG GET sentinel-pass by its exact name (H39)"),
];

#[test]
fn secrets_are_exposed_only_where_they_must() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test) {
        let tokens = source.tokens();
        let calls = tokens.iter().filter(|token| !token.in_test && token.word == expose());
        let lines: Vec<usize> = calls.map(|token| token.line).collect();
        let path = &source.file.path;
        let allowed = MAY_EXPOSE.iter().find(|(file, ..)| file == path);
        let allowed = allowed.map_or(0, |(_, count, _)| *count);
        let is_definition = path == "crates/core/src/ident.rs";
        if !is_definition && lines.len() > allowed {
            let line = lines[allowed];
            violations.push(Violation::at(path, line, format!("{allowed} exposures are allowed")));
        } else if !is_definition && lines.len() < allowed {
            violations.push(Violation::of(path, "exposes less than allowed: lower its number"));
        }
    }
    expect_none(
        "keep the Secret closed, or add the place to MAY_EXPOSE with its reason",
        &violations,
    );
}

fn expose() -> Word {
    Word::Call("expose".into())
}
