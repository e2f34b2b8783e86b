//! A file is one thing, and so is a function.

use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Block, Signature};

use crate::ratchet::{Excesses, expect_no_worse};
use crate::source::sources;

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_COLUMNS_MAX: usize = 100;

#[test]
fn files_are_one_thing() {
    let lengths = sources().into_iter().map(|source| {
        let lines = source.file.text.lines().count();
        (source.file.path, lines)
    });
    let found: Excesses = lengths.filter(|(_, lines)| *lines > FILE_LINES_MAX).collect();
    expect_no_worse("file-lines", "past 600 lines a file is two things: split it", &found);
}

#[test]
fn functions_are_one_thing() {
    let mut found = Excesses::new();
    for source in sources() {
        let mut lengths = Lengths::default();
        lengths.visit_file(&source.syntax());
        for (name, lines) in lengths.0 {
            if lines > FUNCTION_LINES_MAX {
                found.insert(format!("{}:{name}", source.file.path), lines);
            }
        }
    }
    expect_no_worse("function-lines", "past 70 lines a function is two: split it", &found);
}

#[test]
fn lines_are_at_most_100_columns_wide() {
    let mut found = Excesses::new();
    for source in sources() {
        let path = &source.file.path;
        for (number, line) in source.file.lines() {
            if line.chars().count() > LINE_COLUMNS_MAX {
                println!("{path}:{number}: {} columns", line.chars().count());
                *found.entry(path.clone()).or_default() += 1;
            }
        }
    }
    let remedy = "break the lines that are printed above; rustfmt leaves long texts to you";
    expect_no_worse("wide-lines", remedy, &found);
}

/// Names and lines of all functions, without their documentation.
#[derive(Default)]
struct Lengths(Vec<(String, usize)>);

impl Lengths {
    fn note(&mut self, signature: &Signature, body: &Block) {
        let first = signature.span().start().line;
        let last = body.span().end().line;
        self.0.push((signature.ident.to_string(), last - first + 1));
    }
}

impl<'ast> Visit<'ast> for Lengths {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.note(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.note(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }
}
