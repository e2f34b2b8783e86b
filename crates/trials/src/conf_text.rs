//! Configurations: no text panics; an unchanged document is written as it was; what was loaded and
//! rewritten loads as the same, and is not rewritten again; an empty file comes to tell it all.
//!
//! Input: the main file; after a byte 0x1c each the file `a.conf` for includes, standard input, and
//! the words of the command line with 0x1f between them.

use std::path::Path;

use vedette_conf::{Document, Loaded, SentinelFile, ServerSettings, inspect, load};
use vedette_core::{DurableState, SentinelId};

use crate::memory_files::MemoryFiles;
use crate::shown;

/// Between the parts of an input.
const NEXT_PART: u8 = 0x1c;
/// Between words of the command line.
const NEXT_WORD: u8 = 0x1f;

/// A user by name and rules.
type User = (Vec<u8>, Vec<Vec<u8>>);

/// Everything that a start reads.
struct Start<'a> {
    main: &'a [u8],
    include: &'a [u8],
    stdin: Option<&'a [u8]>,
    arguments: Vec<Vec<u8>>,
}

/// The trial.
pub fn run(data: &[u8]) {
    let mut parts = data.split(|byte| *byte == NEXT_PART);
    let start = Start {
        main: parts.next().unwrap_or_default(),
        include: parts.next().unwrap_or_default(),
        stdin: parts.next(),
        arguments: parts.next().map_or_else(Vec::new, words),
    };
    let document = Document::parse(start.main);
    assert_eq!(shown(&document.render()), shown(start.main));

    let inspection = start.inspect(start.main);
    for error in &inspection.errors {
        assert!(!error.to_string().is_empty());
        assert!(error.fatal_block("Redis 7.4.2").ends_with('\n'));
    }
    for warning in &inspection.loaded.warnings {
        assert!(!warning.to_string().is_empty());
    }
    // Whatever was understood can be written.
    let state = inspection.loaded.state.durable(SentinelId::from_random([1; 20]));
    SentinelFile::new(inspection.loaded.document.clone(), &state, Path::new("/here")).render();
    if inspection.errors.is_empty() {
        is_told_whole(&state);
        is_stable(&start, &inspection.loaded, &state);
    }
}

fn words(part: &[u8]) -> Vec<Vec<u8>> {
    part.split(|byte| *byte == NEXT_WORD).map(<[u8]>::to_vec).collect()
}

impl Start<'_> {
    fn files(&self, main: &[u8]) -> MemoryFiles {
        MemoryFiles::default().with("main", main).with("a.conf", self.include)
    }

    fn inspect(&self, main: &[u8]) -> vedette_conf::Inspection {
        inspect(Path::new("main"), &self.arguments, self.stdin, &self.files(main))
    }

    fn load(&self, main: &[u8]) -> Loaded {
        let loaded = load(Path::new("main"), &self.arguments, self.stdin, &self.files(main));
        loaded.unwrap_or_else(|error| panic!("{error}\nin {}", shown(main)))
    }
}

/// Into an empty file the whole state is written, and nothing else is needed to read it.
fn is_told_whole(state: &DurableState) {
    let text = SentinelFile::new(Document::default(), state, Path::new("/here")).render();
    let start = Start { main: &text, include: b"", stdin: None, arguments: Vec::new() };
    let again = start.load(&text).state.durable(SentinelId::from_random([2; 20]));
    assert_eq!(sorted(again), sorted(state.clone()), "{}", shown(&text));
}

/// What is written for a configuration that is in order.
fn is_stable(start: &Start<'_>, loaded: &Loaded, state: &DurableState) {
    let mut file = SentinelFile::new(loaded.document.clone(), state, Path::new("/here"));
    let text = file.render();
    let again = start.load(&text);
    let new_id = SentinelId::from_random([2; 20]);
    assert_eq!(sorted(again.state.durable(new_id)), sorted(state.clone()), "{}", shown(&text));
    assert_eq!(of_shell(&again.server), of_shell(&loaded.server), "{}", shown(&text));

    file.reject();
    assert_eq!(shown(&file.render()), shown(&text), "after a save that failed");
    file.accept();
    assert_eq!(shown(&file.render()), shown(&text), "after a save");

    let mut next = SentinelFile::new(again.document, state, Path::new("/elsewhere"));
    assert_eq!(shown(&next.render()), shown(&text), "by the next process");
}

/// Without the order of sets.
fn sorted(mut state: DurableState) -> DurableState {
    for master in &mut state.masters {
        master.replicas.sort();
        master.sentinels.sort_by_key(|sentinel| (sentinel.id, sentinel.address.clone()));
    }
    state
}

/// Without what a rewrite adds and moves: the folder and the places of users' lines. The default
/// user's line goes where `requirepass` says it all.
fn of_shell(server: &ServerSettings) -> (ServerSettings, Vec<User>) {
    let said_otherwise =
        |user: &vedette_conf::UserLine| user.name == b"default" && server.requirepass.is_some();
    let users = server.users.iter().filter(|user| !said_otherwise(user));
    let users = users.map(|user| (user.name.clone(), user.rules.clone())).collect();
    (ServerSettings { dir: None, users: Vec::new(), ..server.clone() }, users)
}
