//! `match` on our own enums names every variant, so that a new one fails to compile where it
//! matters. A heuristic: a match that names variants of one of our enums and has a catch-all arm.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{ExprMatch, Pat, Path};

use crate::ratchet::{Excesses, expect_no_worse};
use crate::source::sources;

#[test]
fn matches_on_our_enums_name_every_variant() {
    let sources = sources();
    let mut enums = Enums::default();
    for source in sources.iter().filter(|source| source.file.path.starts_with("crates/")) {
        enums.visit_file(&source.syntax());
    }
    let mut found = Excesses::new();
    for source in sources.iter().filter(|source| !source.is_test && source.krate() != "xtask") {
        let mut matches = CatchAlls { enums: &enums.0, lines: Vec::new() };
        matches.visit_file(&source.syntax());
        if !matches.lines.is_empty() {
            let path = &source.file.path;
            println!("{path}: catch-all arms at lines {:?}", matches.lines);
            found.insert(path.clone(), matches.lines.len());
        }
    }
    let remedy = "name the variants instead of `_` (lines are printed above), or use an `if let`";
    expect_no_worse("catch-all-arms", remedy, &found);
}

/// The names of all our enums.
#[derive(Default)]
struct Enums(BTreeSet<String>);

impl<'ast> Visit<'ast> for Enums {
    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.0.insert(item.ident.to_string());
    }
}

/// Lines of catch-all arms in matches that name a variant of ours.
struct CatchAlls<'a> {
    enums: &'a BTreeSet<String>,
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for CatchAlls<'_> {
    fn visit_expr_match(&mut self, expression: &'ast ExprMatch) {
        let patterns = || expression.arms.iter().map(|arm| &arm.pat);
        let names_variant = patterns().any(|pattern| {
            let mut variants = Variants { enums: self.enums, found: false };
            variants.visit_pat(pattern);
            variants.found
        });
        let catch_all = patterns().find_map(|pattern| match pattern {
            Pat::Wild(wild) => Some(wild.underscore_token.span.start().line),
            _ => None,
        });
        self.lines.extend(catch_all.filter(|_| names_variant));
        visit::visit_expr_match(self, expression);
    }
}

/// Whether a pattern names a variant of one of our enums.
struct Variants<'a> {
    enums: &'a BTreeSet<String>,
    found: bool,
}

impl<'ast> Visit<'ast> for Variants<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        let mut owner = path.segments.iter().rev().skip(1);
        self.found |= owner.next().is_some_and(|segment| {
            segment.ident == "Self" || self.enums.contains(&segment.ident.to_string())
        });
    }
}
