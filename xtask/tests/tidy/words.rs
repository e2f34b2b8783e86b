//! Words that do not stand in the tree.

use crate::report::{Violation, expect_none};
use crate::source::{Word, sources};
use crate::tree;

#[test]
fn no_unfinished_code() {
    let unfinished = ["todo", "unimplemented", "dbg"].map(|name| Word::Call(name.into()));
    let mut violations = Vec::new();
    for source in sources() {
        let tokens = source.tokens().into_iter();
        for token in tokens.filter(|token| unfinished.contains(&token.word)) {
            violations.push(Violation::at(&source.file.path, token.line, "unfinished"));
        }
    }
    expect_none("finish it, or return a typed error", &violations);
}

#[test]
fn modules_are_named_after_one_thing() {
    let vague = ["utils", "util", "common", "types", "helpers", "helper", "misc"];
    let mut violations = Vec::new();
    for source in sources() {
        let mut parts = source.file.path.trim_end_matches(".rs").split('/');
        if let Some(part) = parts.find(|part| vague.contains(part)) {
            violations.push(Violation::of(&source.file.path, format!("`{part}` names nothing")));
        }
    }
    expect_none("name the module after the one thing it is, or split it", &violations);
}

#[test]
fn no_path_of_somebodys_machine() {
    // In two parts, so that this file does not find itself.
    let roots = [("/wo", "rk/"), ("/ro", "ot/"), ("/Us", "ers/"), ("/home/", "runner")];
    let roots = roots.map(|(head, tail)| format!("{head}{tail}"));
    let mut violations = Vec::new();
    for file in tree::text_files() {
        for (number, line) in file.lines() {
            if let Some(path) = roots.iter().find(|path| line.contains(*path)) {
                violations.push(Violation::at(&file.path, number, path));
            }
        }
    }
    expect_none("use a path relative to the project, a temporary folder or PATH", &violations);
}
