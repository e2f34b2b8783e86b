//! Rust sources, read as tokens and as syntax.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{Attribute, Item, Lit};

use crate::tree::{self, TextFile};

/// A Rust file.
#[derive(Debug)]
pub(crate) struct Source {
    /// The file.
    pub(crate) file: TextFile,
    /// Whether all of it is test code.
    pub(crate) is_test: bool,
}

/// What a rule about words sees: comments and documentation are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Numbered from 1.
    pub(crate) line: usize,
    /// What it is.
    pub(crate) word: Word,
    /// Whether it stands in test code.
    pub(crate) in_test: bool,
}

/// A word of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// An identifier.
    Name(String),
    /// An identifier that an argument list or a macro's body follows.
    Call(String),
    /// The value of a string or byte string.
    Text(String),
}

impl Source {
    /// The crate it belongs to: `core`, `wire`, … or `xtask`.
    pub(crate) fn krate(&self) -> &str {
        let path = self.file.path.strip_prefix("crates/").unwrap_or(&self.file.path);
        path.split('/').next().unwrap_or(path)
    }

    /// Whether it is part of that crate's library or program.
    pub(crate) fn is_src_of(&self, krate: &str) -> bool {
        self.file.path.starts_with(&format!("crates/{krate}/src/"))
    }

    /// Its tokens in order.
    pub(crate) fn tokens(&self) -> Vec<Token> {
        let stream = self.file.text.parse::<TokenStream>();
        let stream = stream.unwrap_or_else(|error| panic!("{}: {error}", self.file.path));
        let mut tokens = Vec::new();
        walk(stream, self.is_test, &mut tokens);
        tokens
    }

    /// Its syntax.
    pub(crate) fn syntax(&self) -> syn::File {
        syn::parse_file(&self.file.text)
            .unwrap_or_else(|error| panic!("{}: {error}", self.file.path))
    }
}

/// All Rust files of the project.
pub(crate) fn sources() -> Vec<Source> {
    let files = tree::text_files().into_iter().filter(|file| file.path.ends_with(".rs"));
    let mut sources: Vec<Source> =
        files.map(|file| Source { is_test: is_test_path(&file.path), file }).collect();
    let test_modules: BTreeSet<String> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        let module = source.file.path.trim_end_matches(".rs");
        source.is_test |= test_modules.contains(module)
            || test_modules.iter().any(|test| module.starts_with(&format!("{test}/")));
    }
    sources
}

fn is_test_path(path: &str) -> bool {
    ["tests", "benches", "examples"].iter().any(|folder| path.contains(&format!("/{folder}/")))
}

/// The files, without their ending, that a source declares as `#[cfg(test)] mod name;`.
fn test_modules(source: &Source) -> Vec<String> {
    if !source.file.text.contains("#[cfg(test)]\nmod ") {
        return Vec::new();
    }
    let (folder, name) = source.file.path.rsplit_once('/').unwrap_or(("", &source.file.path));
    let stem = name.trim_end_matches(".rs");
    let folder = match stem {
        "mod" | "lib" | "main" => folder.to_owned(),
        _ => format!("{folder}/{stem}"),
    };
    let items = source.syntax().items.into_iter();
    let modules = items.filter_map(|item| match item {
        Item::Mod(module) if module.content.is_none() && has_cfg_test(&module.attrs) => {
            Some(format!("{folder}/{}", module.ident))
        }
        _ => None,
    });
    modules.collect()
}

fn has_cfg_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let list = attribute.meta.require_list();
        list.is_ok_and(|list| list.path.is_ident("cfg") && list.tokens.to_string() == "test")
    })
}

fn walk(stream: TokenStream, in_test: bool, tokens: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    let mut of_test_item = false;
    while let Some(tree) = trees.next() {
        let mut push = |line, word| {
            tokens.push(Token { line, word, in_test: in_test || of_test_item });
        };
        match tree {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                trees.next_if(
                    |next| matches!(next, TokenTree::Punct(mark) if mark.as_char() == '!'),
                );
                if let Some(TokenTree::Group(attribute)) = trees.next_if(is_brackets) {
                    of_test_item |= is_test_attribute(&attribute);
                    if !is_doc(&attribute) {
                        walk(attribute.stream(), in_test || of_test_item, tokens);
                    }
                }
            }
            TokenTree::Punct(mark) => of_test_item &= mark.as_char() != ';',
            TokenTree::Group(group) => {
                walk(group.stream(), in_test || of_test_item, tokens);
                of_test_item &= group.delimiter() != Delimiter::Brace;
            }
            TokenTree::Ident(name) => {
                let line = name.span().start().line;
                let is_call = trees.peek().is_some_and(|next| is_parens(next) || is_bang(next));
                let name = name.to_string();
                push(line, if is_call { Word::Call(name) } else { Word::Name(name) });
            }
            TokenTree::Literal(literal) => {
                let line = literal.span().start().line;
                if let Some(text) = string(Lit::new(literal)) {
                    push(line, Word::Text(text));
                }
            }
        }
    }
}

fn string(literal: Lit) -> Option<String> {
    match literal {
        Lit::Str(text) => Some(text.value()),
        Lit::ByteStr(bytes) => Some(String::from_utf8_lossy(&bytes.value()).into_owned()),
        _ => None,
    }
}

fn is_brackets(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
}

fn is_parens(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
}

fn is_bang(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(mark) if mark.as_char() == '!')
}

fn is_doc(attribute: &Group) -> bool {
    let first = attribute.stream().into_iter().next();
    matches!(first, Some(TokenTree::Ident(name)) if name == "doc")
}

fn is_test_attribute(attribute: &Group) -> bool {
    let text = attribute.stream().to_string().replace(' ', "");
    text == "cfg(test)" || text == "test" || text.ends_with("::test")
}

#[test]
fn tokens_know_their_line_and_whether_they_are_tests() {
    let text = "/// sleep\nfn a() { b(\"x\"); }\n#[cfg(test)]\nmod t {\n fn c() {}\n}\nfn d() {}\n";
    let file = TextFile { path: "crates/core/src/a.rs".into(), text: text.into() };
    let tokens = Source { file, is_test: false }.tokens();
    let find = |word: Word| {
        let token = tokens.iter().find(|token| token.word == word);
        token.map(|token| (token.line, token.in_test))
    };
    assert_eq!(find(Word::Call("b".into())), Some((2, false)));
    assert_eq!(find(Word::Text("x".into())), Some((2, false)));
    assert_eq!(find(Word::Call("c".into())), Some((5, true)));
    assert_eq!(find(Word::Call("d".into())), Some((7, false)));
    assert_eq!(find(Word::Name("sleep".into())), None);
}
