//! The core is pure, and the compiler keeps it so as long as these words stay out of it.

use crate::report::{Violation, expect_none};
use crate::source::{Word, sources};
use crate::tree;

/// Words that would let the world in, or chance.
const IMPURE: &[&str] = &[
    "std",
    "HashMap",
    "HashSet",
    "Instant",
    "SystemTime",
    "println",
    "eprintln",
    "print",
    "eprint",
    "log",
    "tracing",
];

#[test]
fn core_stays_no_std_and_safe() {
    let text = tree::read("crates/core/src/lib.rs").text;
    for attribute in ["#![no_std]", "#![forbid(unsafe_code)]"] {
        assert!(
            text.contains(attribute),
            "crates/core/src/lib.rs: {attribute} is gone: restore it"
        );
    }
}

#[test]
fn core_knows_no_clock_no_chance_and_no_output() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| source.is_src_of("core")) {
        for token in source.tokens() {
            let (Word::Name(name) | Word::Call(name)) = token.word else { continue };
            if !token.in_test && IMPURE.contains(&name.as_str()) {
                violations.push(Violation::at(&source.file.path, token.line, name));
            }
        }
    }
    let remedy = "use core, alloc and ordered maps; let time and chance come in with an Input, \
                  and let the shell log what a Note says";
    expect_none(remedy, &violations);
}

/// Crates that may let a Sentinel live without some rules of agreement.
const PROOFS: &[&str] = &["core", "model", "sim", "xtask"];

#[test]
fn the_product_keeps_every_rule() {
    let mut violations = Vec::new();
    for source in sources().iter().filter(|source| !PROOFS.contains(&source.krate())) {
        for token in source.tokens() {
            let (Word::Name(name) | Word::Call(name)) = token.word else { continue };
            if name == "start_under" {
                violations.push(Violation::at(&source.file.path, token.line, name));
            }
        }
    }
    expect_none("rules are turned off by proofs alone: use Sentinel::start", &violations);
}
