//! Each command, directive and event stands in exactly one table; the rest of the code uses the
//! typed value. Data nodes (`node`) and the house tools (`xtask`) have words of their own.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Expr, ExprLit, ItemConst, Lit};

use crate::report::{Violation, expect_none};
use crate::source::{Source, Word, sources};

const EVENTS: &str = "crates/wire/src/events.rs";
const COMMANDS: &str = "crates/wire/src/commands/table.rs";
const RENAMEABLE: &str = "crates/conf/src/load/special.rs";
const SENTINEL_DIRECTIVES: &str = "crates/conf/src/directives/sentinel.rs";
const GENERAL_DIRECTIVES: &str = "crates/conf/src/directives/general.rs";
const IGNORED_DIRECTIVES: &str = "crates/conf/src/directives/ignored.rs";

/// The lab and the simulator's clients watch Sentinels from outside, and the demo tells what it
/// saw. A witness that read our own tables would not notice a wrong spelling in them.
const WITNESSES: [&str; 3] =
    ["crates/vedette/src/lab/", "crates/vedette/src/demo/", "crates/sim/src/client/"];

/// Places outside the tables that must spell a word: file, word, why.
const MAY_SPELL: &[(&str, &str, &str)] = &[
    ("crates/conf/src/load/second_pass.rs", "deny-scripts-reconfig", "to be directive.name()"),
    ("crates/conf/src/load/second_pass.rs", "resolve-hostnames", "to be directive.name()"),
    ("crates/conf/src/load/second_pass.rs", "announce-hostnames", "to be directive.name()"),
    ("crates/conf/src/load/special.rs", "tls-port", "a variable of proc-title-template"),
    ("crates/conf/src/rewrite/general.rs", "protected-mode", "a line that is always written"),
    (
        "crates/conf/src/rewrite/general.rs",
        "latency-tracking-info-percentiles",
        "a line that is always written",
    ),
    ("crates/conf/src/rewrite/replace.rs", "known-slave", "the one alias that is converted"),
];

#[test]
fn events_stand_in_one_table() {
    let sources = sources();
    let is_event = |text: &String| {
        let rest = text.strip_prefix(['+', '-']).unwrap_or_default();
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    let names = texts(&sources, EVENTS).into_iter().filter(is_event).collect();
    let names = unique("events", names);
    let remedy = "use vedette_wire::events::event_name with the EventKind";
    expect_none(remedy, &spelled_elsewhere(&sources, &names, &[EVENTS], &OURS));
}

#[test]
fn commands_stand_in_one_table() {
    let sources = sources();
    // One word alone, such as `info`, means many things; a command's full name only one.
    let full = |text: &String| text.contains('|');
    let names = texts(&sources, COMMANDS).into_iter().filter(full).collect();
    let names = unique("commands", names);
    let remedy = "find the command in vedette_wire::commands and match on its Verb";
    expect_none(remedy, &spelled_elsewhere(&sources, &names, &[COMMANDS], &OURS));
}

#[test]
fn commands_that_may_be_renamed_are_those_of_the_table() {
    let sources = sources();
    let table = source(&sources, COMMANDS).tokens().into_iter();
    let table = table.skip_while(|token| token.word != Word::Name("COMMANDS".into()));
    let table = table.take_while(|token| token.word != Word::Call("commands".into()));
    let names = table.filter_map(|token| match token.word {
        Word::Text(text) => Some(text),
        Word::Name(_) | Word::Call(_) => None,
    });
    let is_name =
        |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let mut names: BTreeSet<String> = names.filter(is_name).collect();
    // Ours alone: the reference has no such command, so no file of its can rename it.
    names.remove("quit");
    let lists = texts(&sources, RENAMEABLE).into_iter();
    let list = lists.filter(|text| text.starts_with("acl auth ")).collect::<String>();
    let listed = list.split_whitespace().map(str::to_owned).collect();
    assert_eq!(names, listed, "{RENAMEABLE}: conf may not use wire, so it lists the commands too");
}

#[test]
fn directives_stand_in_one_table() {
    let sources = sources();
    let mut general = Tuples::default();
    for path in [GENERAL_DIRECTIVES, IGNORED_DIRECTIVES] {
        general.visit_file(&source(&sources, path).syntax());
    }
    unique("sentinel directives", texts(&sources, SENTINEL_DIRECTIVES));
    let mut names = unique("general directives", general.0);
    names.extend(texts(&sources, SENTINEL_DIRECTIVES));
    // One plain word, such as `port` or `user`, means many things.
    names.retain(|name| name.contains('-'));
    let tables = [SENTINEL_DIRECTIVES, GENERAL_DIRECTIVES, IGNORED_DIRECTIVES];
    // In wire the same words are the options of SENTINEL SET and CONFIG SET.
    let violations = spelled_elsewhere(&sources, &names, &tables, &["core", "conf", "server"]);
    expect_none("use the directive's typed value from conf's tables", &violations);
}

/// The crates that are the Sentinel.
const OURS: [&str; 6] = ["core", "wire", "conf", "sim", "server", "vedette"];

fn spelled_elsewhere(
    sources: &[Source],
    names: &BTreeSet<String>,
    tables: &[&str],
    crates: &[&str],
) -> Vec<Violation> {
    assert!(names.len() > 10, "the table was not found; names: {names:?}");
    let mut violations = Vec::new();
    for source in sources {
        let path = source.file.path.as_str();
        if tables.contains(&path)
            || WITNESSES.iter().any(|witness| path.starts_with(witness))
            || !crates.iter().any(|krate| source.is_src_of(krate))
        {
            continue;
        }
        for token in source.tokens().into_iter().filter(|token| !token.in_test) {
            let Word::Text(text) = token.word else { continue };
            let is_excused = MAY_SPELL.iter().any(|(file, word, _)| *file == path && *word == text);
            if names.contains(&text) && !is_excused {
                violations.push(Violation::at(path, token.line, format!("spells `{text}`")));
            }
        }
    }
    violations
}

fn source<'a>(sources: &'a [Source], path: &str) -> &'a Source {
    let found = sources.iter().find(|source| source.file.path == path);
    found.unwrap_or_else(|| panic!("{path} is gone: tell this test where its table went"))
}

fn texts(sources: &[Source], path: &str) -> Vec<String> {
    let tokens = source(sources, path).tokens().into_iter();
    let texts = tokens.filter_map(|token| match token.word {
        Word::Text(text) if !token.in_test => Some(text),
        _ => None,
    });
    texts.collect()
}

#[test]
fn excused_spellings_are_still_there() {
    let sources = sources();
    for (path, word, reason) in MAY_SPELL {
        let is_there = texts(&sources, path).iter().any(|text| text == word);
        assert!(is_there, "{path} no longer spells `{word}` ({reason}): remove it from MAY_SPELL");
    }
}

#[track_caller]
fn unique(table: &str, names: Vec<String>) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for name in names {
        assert!(!seen.contains(&name), "{table}: `{name}` stands there twice");
        seen.insert(name);
    }
    seen
}

/// The names in a table of directives: `("name", …)` or `(…, "name name …")`.
#[derive(Default)]
struct Tuples(Vec<String>);

impl<'ast> Visit<'ast> for Tuples {
    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        if item.ident == "TABLE" || item.ident == "IGNORED" {
            visit::visit_item_const(self, item);
        }
    }

    fn visit_expr_tuple(&mut self, tuple: &'ast syn::ExprTuple) {
        for element in &tuple.elems {
            if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = element {
                self.0.extend(text.value().split_whitespace().map(str::to_owned));
            }
        }
    }
}
