//! COMMAND (spec: interface 4.10).

use bytes::Bytes;

use super::Client;
use super::execute::{Executed, Outcome};
use crate::commands::{self, CommandNames, CommandVerb, Filter, find_subcommand};
use crate::replies::help;
use crate::reply::{Reply, error, syntax_error};

impl Client {
    pub(super) fn command(&self, verb: CommandVerb, words: &[Bytes]) -> Executed {
        let (dialect, names) = (self.facts.dialect, &*self.facts.names);
        let arguments = words.get(2..).unwrap_or_default();
        let reply = match verb {
            CommandVerb::All => commands::info_all(names, dialect),
            CommandVerb::Count => commands::count(names),
            CommandVerb::Docs => commands::docs(arguments, names, dialect),
            CommandVerb::GetKeys => return Err(keys(names, arguments)),
            CommandVerb::Help => help::command(&words[0], dialect),
            CommandVerb::Info if arguments.is_empty() => commands::info_all(names, dialect),
            CommandVerb::Info => commands::info_of(arguments, names, dialect),
            CommandVerb::List => commands::list(filter(arguments)?, names, dialect),
        };
        Ok(Outcome::Reply(reply))
    }
}

/// No command has keys here; the error says why there are none.
fn keys(names: &CommandNames, words: &[Bytes]) -> Reply {
    let command = words.first().and_then(|name| names.find(name)).and_then(|command| match command
        .subcommands
        .is_empty()
    {
        true => Some(command),
        false => find_subcommand(command, words.get(1)?),
    });
    match command {
        Some(_) => error("ERR The command has no key arguments"),
        None => error("ERR Invalid command specified"),
    }
}

fn filter(words: &[Bytes]) -> Result<Filter<'_>, Reply> {
    match words {
        [] => Ok(Filter::None),
        [by, kind, value] if by.eq_ignore_ascii_case(b"filterby") => {
            match kind.to_ascii_lowercase().as_slice() {
                b"module" => Ok(Filter::Module),
                b"aclcat" => Ok(Filter::Category(value)),
                b"pattern" => Ok(Filter::Pattern(value)),
                _ => Err(syntax_error()),
            }
        }
        _ => Err(syntax_error()),
    }
}
