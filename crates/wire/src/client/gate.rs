//! The checks before a command is executed, in the reference's order (spec: interface 1.6, 1.7).

use bytes::Bytes;

use super::limits::ECHO_MAX;
use crate::commands::{Command, CommandNames, Verb, find_subcommand};
use crate::reply::{Reply, error, error_with};

/// Whether a request smells of a browser that was tricked into talking to us.
pub(super) fn is_cross_protocol(words: &[Bytes]) -> bool {
    words.first().is_some_and(|word| {
        word.eq_ignore_ascii_case(b"post") || word.eq_ignore_ascii_case(b"host:")
    })
}

/// Finds the command and counts its words.
///
/// # Errors
/// Unknown command, unknown subcommand, wrong number of words.
pub(super) fn find_command(
    names: &CommandNames,
    words: &[Bytes],
) -> Result<&'static Command, Reply> {
    let name = words.first().map_or(&b""[..], |name| name);
    let mut command = names.find(name).ok_or_else(|| unknown_command(name, &words[1..]))?;
    if let (false, Some(sub)) = (command.subcommands.is_empty(), words.get(1)) {
        command = find_subcommand(command, sub).ok_or_else(|| unknown_subcommand(name, sub))?;
    }
    match command.takes(words.len()) {
        true => Ok(command),
        false => Err(wrong_arity(command)),
    }
}

/// Whether a request names a command of CLIENT, with the right number of words or not.
pub(super) fn is_about_client(names: &CommandNames, words: &[Bytes]) -> bool {
    let [name, sub, ..] = words else { return false };
    let command = names.find(name).and_then(|container| find_subcommand(container, sub));
    command.is_some_and(|command| matches!(command.verb, Verb::Client(_)))
}

/// Commands that need no authentication.
pub(super) fn is_free(command: &Command) -> bool {
    command.has_flag("no_auth")
}

/// Whether the first word names one, whatever follows it.
pub(super) fn names_a_free_one(names: &CommandNames, words: &[Bytes]) -> bool {
    words.first().and_then(|name| names.find(name)).is_some_and(is_free)
}

/// Commands that a RESP2 connection with subscriptions may use (spec: interface 1.8).
pub(super) fn is_for_subscribers(command: &Command) -> bool {
    match command.verb {
        Verb::Ping
        | Verb::Psubscribe
        | Verb::Punsubscribe
        | Verb::Quit
        | Verb::Subscribe
        | Verb::Unsubscribe => true,
        Verb::Container
        | Verb::Acl(_)
        | Verb::Auth
        | Verb::Client(_)
        | Verb::Command(_)
        | Verb::Hello
        | Verb::Info
        | Verb::Publish
        | Verb::Request(_)
        | Verb::Role
        | Verb::Sentinel(_)
        | Verb::Shutdown => false,
    }
}

/// The refusal of any other command there.
pub(super) fn only_for_subscribers(command: &Command) -> Reply {
    error(format!(
        "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET \
         are allowed in this context",
        command.name
    ))
}

/// `-NOAUTH`
pub(super) fn not_authenticated() -> Reply {
    error("NOAUTH Authentication required.")
}

/// `-NOPERM` for the command itself.
pub(super) fn command_not_allowed(user: &[u8], command: &Command) -> Reply {
    let name = command.name.as_bytes();
    error_with(&[b"NOPERM User ", user, b" has no permissions to run the '", name, b"' command"])
}

/// `-NOPERM` for a channel.
pub(super) fn channel_not_allowed() -> Reply {
    error("NOPERM No permissions to access a channel")
}

/// `-WRONGPASS`
pub(super) fn wrong_password() -> Reply {
    error("WRONGPASS invalid username-password pair or user is disabled.")
}

/// Wrong number of words.
pub(super) fn wrong_arity(command: &Command) -> Reply {
    error(format!("ERR wrong number of arguments for '{}' command", command.name))
}

fn unknown_command(name: &[u8], arguments: &[Bytes]) -> Reply {
    let mut text = b"ERR unknown command '".to_vec();
    text.extend_from_slice(echo(name, ECHO_MAX));
    text.extend_from_slice(b"', with args beginning with: ");
    let start = text.len();
    for argument in arguments {
        let used = text.len() - start;
        if used >= ECHO_MAX {
            break;
        }
        text.push(b'\'');
        text.extend_from_slice(echo(argument, ECHO_MAX - used));
        text.extend_from_slice(b"' ");
    }
    error(text)
}

fn unknown_subcommand(container: &[u8], name: &[u8]) -> Reply {
    let container = container.to_ascii_uppercase();
    error_with(&[
        b"ERR unknown subcommand '",
        echo(name, ECHO_MAX),
        b"'. Try ",
        &container,
        b" HELP.",
    ])
}

/// As much of a word as an error repeats: up to a NUL byte or a length.
fn echo(word: &[u8], max: usize) -> &[u8] {
    let word = up_to_null(word);
    &word[..word.len().min(max)]
}

/// A word up to a NUL byte.
pub(super) fn up_to_null(word: &[u8]) -> &[u8] {
    let end = word.iter().position(|byte| *byte == 0).unwrap_or(word.len());
    &word[..end]
}
