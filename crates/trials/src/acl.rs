//! Access: `user` lines and `requirepass` of any kind are read, the stricter of the two wins, users
//! that are written read back, and a password opens the door to its user alone.
//!
//! Rules of `ACL SETUSER` are applied whole or not at all, and what describes a user makes the same
//! user again, from a file and by command.
//!
//! Input: lines of rules as they follow the word `user`; a first line without a blank is the
//! `requirepass`.

use std::path::Path;

use vedette_conf::{SentinelFile, ShellChange, UserLine, inspect, words};
use vedette_core::{Secret, SentinelId};
use vedette_wire::accounts::{Accounts, DEFAULT_USER};

use crate::memory_files::MemoryFiles;
use crate::shown;

/// A user by name and rules.
type User = (Vec<u8>, Vec<Vec<u8>>);

/// The trial.
pub fn run(data: &[u8]) {
    let mut lines: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let password = match lines.first() {
        Some(first) if !first.contains(&b' ') => Some(lines.remove(0)),
        Some(_) | None => None,
    };
    accounts_open_to_the_password_alone(password, &lines);
    rules_are_whole_and_read_back(&lines);

    let mut text = Vec::new();
    if let Some(password) = password {
        text.extend([b"requirepass ".as_slice(), &words::quote(password), b"\n"].concat());
    }
    for line in &lines {
        text.extend([b"user ".as_slice(), line, b"\n"].concat());
    }
    let server = inspect(Path::new("main"), &[], None, &files(&text)).loaded.server;
    if let (Some(_), Some(default)) = (&server.requirepass, default_user(&server.users)) {
        assert!(!is_open(&default.rules), "{}", shown(&text));
    }
    users_read_back(&server.users);
}

fn files(main: &[u8]) -> MemoryFiles {
    MemoryFiles::default().with("main", main)
}

fn default_user(users: &[UserLine]) -> Option<&UserLine> {
    users.iter().find(|user| user.name == DEFAULT_USER.as_bytes())
}

/// Whether these rules ask for no password: the last word on it counts.
fn is_open(rules: &[Vec<u8>]) -> bool {
    let says = |rule: &Vec<u8>| match rule.to_ascii_lowercase().as_slice() {
        b"nopass" => Some(true),
        b"resetpass" | b"reset" | [b'>' | b'#', ..] => Some(false),
        _ => None,
    };
    rules.iter().filter_map(says).next_back().unwrap_or(false)
}

/// Saved as the shell saves users, they are what they were.
fn users_read_back(users: &[UserLine]) {
    let saved: Vec<Vec<u8>> = users
        .iter()
        .map(|user| {
            let words = std::iter::once(&user.name).chain(&user.rules);
            words.map(|word| words::quote_if_needed(word)).collect::<Vec<_>>().join(&b' ')
        })
        .collect();
    let empty = inspect(Path::new("main"), &[], None, &files(b"")).loaded;
    let state = empty.state.durable(SentinelId::from_random([1; 20]));
    let mut file = SentinelFile::new(empty.document, &state, Path::new("/"));
    file.change_shell(ShellChange::Users(saved));
    let text = file.render();
    let again = inspect(Path::new("main"), &[], None, &files(&text));
    assert!(again.errors.is_empty(), "{:?}: {}", again.errors, shown(&text));
    let plain = |users: &[UserLine]| -> Vec<User> {
        let users = users.iter().map(|user| (user.name.clone(), user.rules.clone()));
        users.filter(|user| !is_implied(user)).collect()
    };
    assert_eq!(plain(&again.loaded.server.users), plain(users), "{}", shown(&text));
}

/// The default user as it is without a line: no line is written for it.
fn is_implied((name, rules): &User) -> bool {
    let mut rules: Vec<&[u8]> =
        rules.iter().map(Vec::as_slice).filter(|rule| *rule != b"sanitize-payload").collect();
    rules.sort_unstable();
    let open: [&[u8]; 5] = [b"&*", b"+@all", b"nopass", b"on", b"~*"];
    name == DEFAULT_USER.as_bytes() && rules == open
}

/// Every line changes the same user.
fn rules_are_whole_and_read_back(lines: &[&[u8]]) {
    let mut accounts = Accounts::new(None);
    for line in lines {
        let rules: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let before = accounts.render();
        match accounts.with_rules(b"somebody", &rules) {
            Ok(changed) => accounts = changed,
            Err(_) => assert_eq!(accounts.render(), before),
        }
        let _ = accounts.with_rules(line, &[b"on"]);
        let text = accounts.render();
        let again = accounts.load(&text).map(|loaded| loaded.accounts.render());
        assert_eq!(again.as_ref(), Ok(&text), "{}", shown(&text));
        for user in accounts.users() {
            let again = Accounts::new(None).with_line(user.name(), &user.rules());
            let again = again.unwrap_or_else(|bad| panic!("{bad:?}: {}", shown(&text)));
            let same = again.user(user.name()).map(|user| user.describe());
            let own = user.describe();
            // The default user starts from `reset`, which says what is also said by silence.
            let silent = |text: &[u8]| shown(text).replace(" sanitize-payload", "");
            assert_eq!(same.map(|text| silent(&text)), Some(silent(&own)), "{}", shown(&text));
        }
    }
}

fn accounts_open_to_the_password_alone(password: Option<&[u8]>, others: &[&[u8]]) {
    let accounts = Accounts::new(password.map(Secret::new));
    let needed = password.filter(|password| !password.is_empty());
    assert_eq!(accounts.default_is_open(), needed.is_none());
    let tried = others.iter().copied().chain(password).chain([b"".as_slice()]);
    for tried in tried {
        let fits = needed.is_none_or(|needed| needed == tried);
        let user = accounts.authenticate(DEFAULT_USER.as_bytes(), tried);
        assert_eq!(user.is_some(), fits);
        let is_default = tried == DEFAULT_USER.as_bytes();
        assert_eq!(accounts.has_user(tried), is_default);
        assert!(is_default || accounts.authenticate(tried, needed.unwrap_or_default()).is_none());
    }
}
