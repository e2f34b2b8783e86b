use super::CommandNames;
use super::{COMMANDS, Listing, find, find_full, find_subcommand};
use crate::Dialect;
use crate::commands::{Filter, count, list};
use crate::reply::Reply;

fn shown(dialect: Dialect) -> usize {
    match list(Filter::None, &CommandNames::default(), dialect) {
        Reply::Array(names) => names.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn counts_are_those_of_redis() {
    assert_eq!(count(&CommandNames::default()), Reply::Integer(15));
    // 72 names on 7.0, and CLIENT SETINFO since 7.2.
    assert_eq!(shown(Dialect::Redis), 73);
    // And four more for primaries.
    assert_eq!(shown(Dialect::Valkey), 77);
}

#[test]
fn names_are_full_lower_case_and_unique() {
    let mut names: Vec<_> = COMMANDS
        .iter()
        .flat_map(|command| command.subcommands.iter().chain([command]))
        .map(|command| command.name)
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    for command in COMMANDS {
        for sub in command.subcommands {
            assert_eq!(
                sub.name.split_once('|').map(|(container, _)| container),
                Some(command.name)
            );
        }
    }
}

#[test]
fn lookup_ignores_case_and_knows_aliases() {
    let sentinel = find(b"SENTINEL").expect("a command");
    let primaries = find_subcommand(sentinel, b"Primaries").expect("an alias");
    let masters = find_full(b"sentinel|masters").expect("a command");
    assert_eq!(primaries.verb, masters.verb);
    assert_eq!(primaries.listing, Listing::ValkeyAlias);
    assert!(find(b"reset").is_none() && find(b"config").is_none() && find(b"").is_none());
}

#[test]
fn arity_counts_all_words() {
    let masters = find_full(b"sentinel|masters").expect("a command");
    assert!(masters.takes(2) && !masters.takes(3));
    let set = find_full(b"sentinel|set").expect("a command");
    assert!(!set.takes(4) && set.takes(5) && set.takes(50));
}
