//! ACL (spec: interface 4.12).

use bytes::Bytes;
use vedette_core::Now;
use vedette_resp::parse_integer;

use super::Client;
use super::action::{AclFileTask, CloseReason};
use super::execute::{Executed, Outcome};
use super::gate::{find_command, up_to_null};
use super::surroundings::Surroundings;
use crate::Dialect;
use crate::accounts::{
    Accounts, AclLogEntry, BadRules, DEFAULT_USER, Denial, SelectorView, User, first_arg_advice,
    first_arg_rules,
};
use crate::commands::{
    AclVerb, CATEGORIES, CommandNames, Listing, find_subcommand, names_in_category,
};
use crate::replies::help;
use crate::reply::{Reply, bulk, error, error_with, not_an_integer, word};

/// Longest password that `GENPASS` makes, in bits.
const GENPASS_BITS_MAX: i64 = 4096;
/// Entries that `LOG` shows unless told otherwise.
const LOG_SHOWN: i64 = 10;

impl Client {
    pub(super) fn acl(
        &mut self,
        verb: AclVerb,
        words: &[Bytes],
        surroundings: &mut dyn Surroundings,
    ) -> Executed {
        let (name, arguments) = (&words[1], &words[2..]);
        let accounts = surroundings.accounts();
        let reply = match verb {
            AclVerb::Cat => categories(name, arguments, self.facts.dialect)?,
            AclVerb::DelUser => return self.delete_users(arguments, surroundings),
            AclVerb::DryRun => {
                dry_run(&arguments[0], &arguments[1..], accounts, &self.facts.names)?
            }
            AclVerb::GenPass => generate_password(name, arguments, surroundings)?,
            AclVerb::GetUser => {
                let user = accounts.user(&arguments[0]);
                user.map_or(Reply::Null, |user| show(user, self.facts.dialect))
            }
            AclVerb::Help => help::acl(&words[0], self.facts.dialect),
            AclVerb::List => {
                let shown = |user: &User| [b"user ", &user.shown(self.facts.dialect)[..]].concat();
                Reply::Array(accounts.users().map(|user| bulk(shown(user))).collect())
            }
            AclVerb::Load => return file_task(AclFileTask::Load, accounts, self.facts.dialect),
            AclVerb::Log => log(name, arguments, surroundings)?,
            AclVerb::Save => return file_task(AclFileTask::Save, accounts, self.facts.dialect),
            AclVerb::SetUser => return self.set_user(arguments, surroundings),
            AclVerb::Users => {
                Reply::Array(accounts.users().map(|user| bulk(user.name())).collect())
            }
            AclVerb::WhoAmI => bulk(self.session.user.name()),
        };
        Ok(Outcome::Reply(reply))
    }

    fn set_user(&mut self, words: &[Bytes], surroundings: &mut dyn Surroundings) -> Executed {
        let mut outcome = Ok(());
        surroundings.change_accounts(&mut |accounts| match accounts
            .with_rules(&words[0], &words[1..])
        {
            Ok(changed) => Some(changed),
            Err(bad) => {
                outcome = Err(bad);
                None
            }
        });
        outcome.map_err(|bad| bad_rules(&bad))?;
        for rule in first_arg_rules(&words[1..]) {
            self.warn(first_arg_advice(rule));
        }
        self.reply(&Reply::OK);
        self.leave_if_gone(surroundings.accounts());
        Ok(Outcome::Silence)
    }

    fn delete_users(&mut self, names: &[Bytes], surroundings: &mut dyn Surroundings) -> Executed {
        if names.iter().any(|name| name == DEFAULT_USER.as_bytes()) {
            return Err(error("ERR The 'default' user cannot be removed"));
        }
        let mut count = 0;
        surroundings.change_accounts(&mut |accounts| {
            let (changed, gone) = accounts.without(names);
            count = gone;
            (gone > 0).then_some(changed)
        });
        self.reply(&crate::reply::count(count));
        self.leave_if_gone(surroundings.accounts());
        Ok(Outcome::Silence)
    }

    /// Who takes the own rights away still hears that it is done.
    fn leave_if_gone(&mut self, accounts: &Accounts) {
        if self.must_go(accounts) {
            self.drain(CloseReason::Killed);
        }
    }
}

fn file_task(task: AclFileTask, accounts: &Accounts, dialect: Dialect) -> Executed {
    match accounts.file() {
        Some(_) => Ok(Outcome::AclFile(task)),
        None => Err(error(match dialect {
            Dialect::Redis => {
                "ERR This Redis instance is not configured to use an ACL file. You may want to \
                 specify users via the ACL SETUSER command and then issue a CONFIG REWRITE \
                 (assuming you have a Redis configuration file set) in order to store users in the \
                 Redis configuration."
            }
            Dialect::Valkey => {
                "ERR This instance is not configured to use an ACL file. You may want to specify \
                 users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you \
                 have a configuration file set) in order to store users in the configuration."
            }
        })),
    }
}

fn bad_rules(bad: &BadRules) -> Reply {
    match bad {
        BadRules::Name => error("ERR Usernames can't contain spaces or null characters"),
        BadRules::Unmatched(_, rule) => error_with(&[
            b"ERR Unmatched parenthesis in acl selector starting at '",
            up_to_null(rule),
            b"'.",
        ]),
        BadRules::Rule(_, rule, flaw) => error_with(&[
            b"ERR Error in ACL SETUSER modifier '",
            up_to_null(rule),
            b"': ",
            flaw.to_string().as_bytes(),
        ]),
    }
}

/// `ACL DRYRUN`: arity counts, and then what rules say.
fn dry_run(
    name: &[u8],
    words: &[Bytes],
    accounts: &Accounts,
    names: &CommandNames,
) -> Result<Reply, Reply> {
    let user = accounts
        .user(name)
        .ok_or_else(|| error_with(&[b"ERR User '", up_to_null(name), b"' not found"]))?;
    let typed = words.first().map_or(&b""[..], |word| word);
    let container = names.find(typed).filter(|command| command.listing != Listing::Courtesy);
    let is_known = container.is_some_and(|command| {
        let sub = words.get(1).filter(|_| !command.subcommands.is_empty());
        sub.is_none_or(|sub| find_subcommand(command, sub).is_some())
    });
    if !is_known {
        return Err(error_with(&[b"ERR Command '", up_to_null(typed), b"' not found"]));
    }
    let command = find_command(names, words)?;
    let object = match user.check(command, words) {
        Ok(()) => return Ok(Reply::OK),
        Err(Denial::Command) => {
            let command = command.name.as_bytes();
            let text: [&[u8]; 5] =
                [b"User ", user.name(), b" has no permissions to run the '", command, b"' command"];
            return Ok(bulk(text.concat()));
        }
        Err(Denial::Channel(index)) => words.get(index).map_or(&b""[..], |word| word),
    };
    let text: [&[u8]; 5] =
        [b"User ", user.name(), b" has no permissions to access the '", object, b"' channel"];
    Ok(bulk(text.concat()))
}

/// `ACL GETUSER`
fn show(user: &User, dialect: Dialect) -> Reply {
    let mut selectors = user.selectors().into_iter();
    let root = selectors.next().map(|root| permissions(root, dialect)).unwrap_or_default();
    let hashes = user.password_hashes().into_iter().map(bulk).collect();
    let mut pairs = vec![
        (word("flags"), Reply::Set(user.shown_flags(dialect).into_iter().map(word).collect())),
        (word("passwords"), Reply::Array(hashes)),
    ];
    pairs.extend(root);
    let others = selectors.map(|selector| Reply::Map(permissions(selector, dialect))).collect();
    pairs.push((word("selectors"), Reply::Array(others)));
    Reply::Map(pairs)
}

fn permissions(selector: SelectorView, dialect: Dialect) -> Vec<(Reply, Reply)> {
    let mut pairs = vec![
        (word("commands"), bulk(selector.commands)),
        (word("keys"), bulk(selector.keys)),
        (word("channels"), bulk(selector.channels)),
    ];
    if dialect == Dialect::Valkey {
        // A Sentinel has no databases that could be forbidden.
        pairs.push((word("databases"), word("alldbs")));
    }
    pairs
}

/// `ACL LOG [<count>|RESET]`
fn log(name: &[u8], words: &[Bytes], surroundings: &mut dyn Surroundings) -> Result<Reply, Reply> {
    let shown = match words {
        [] => LOG_SHOWN,
        [reset] if reset.eq_ignore_ascii_case(b"reset") => {
            surroundings.with_acl_log(&mut crate::accounts::AclLog::reset);
            return Ok(Reply::OK);
        }
        [count] => parse_integer(count).ok_or_else(not_an_integer)?,
        _ => return Err(wrong_words(name)),
    };
    let shown = usize::try_from(shown).unwrap_or(0);
    let now = surroundings.now();
    let mut entries = Vec::new();
    surroundings.with_acl_log(&mut |log| {
        let shown = log.entries().take(shown);
        entries = shown.map(|entry| log_entry(entry, now)).collect();
    });
    Ok(Reply::Array(entries))
}

fn log_entry(entry: &AclLogEntry, now: Now) -> Reply {
    let incident = &entry.latest;
    let number = |number: u64| Reply::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    // A millisecond is the finest that is told.
    let age_secs = now.mono.since(incident.at.mono).0 as f64 / 1000.0;
    Reply::Map(vec![
        (word("count"), number(entry.count)),
        (word("reason"), word(incident.reason.name())),
        (word("context"), word("toplevel")),
        (word("object"), bulk(&incident.object)),
        (word("username"), bulk(&incident.username)),
        (word("age-seconds"), Reply::double(age_secs)),
        (word("client-info"), bulk(&incident.client)),
        (word("entry-id"), number(entry.id)),
        (word("timestamp-created"), number(entry.created.0)),
        (word("timestamp-last-updated"), number(incident.at.wall.0)),
    ])
}

fn categories(name: &[u8], words: &[Bytes], dialect: Dialect) -> Result<Reply, Reply> {
    match words {
        [] => Ok(Reply::Array(CATEGORIES.into_iter().map(word).collect())),
        [name] if CATEGORIES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) => {
            Ok(Reply::Array(names_in_category(name, dialect).into_iter().map(word).collect()))
        }
        [name] => Err(error_with(&[b"ERR Unknown category '", up_to_null(name), b"'"])),
        _ => Err(wrong_words(name)),
    }
}

fn generate_password(
    name: &[u8],
    words: &[Bytes],
    surroundings: &mut dyn Surroundings,
) -> Result<Reply, Reply> {
    let bits = match words {
        [] => 256,
        [bits] => parse_integer(bits).ok_or_else(not_an_integer)?,
        _ => return Err(wrong_words(name)),
    };
    let digits = match bits {
        1..=GENPASS_BITS_MAX => usize::try_from(bits).unwrap_or(0).div_ceil(4),
        _ => {
            return Err(error(
                "ERR ACL GENPASS argument must be the number of bits for the output password, a \
                 positive number up to 4096",
            ));
        }
    };
    let mut random = vec![0; digits];
    surroundings.fill_random(&mut random);
    let hex = random.iter().map(|byte| b"0123456789abcdef"[usize::from(byte & 15)]);
    Ok(Reply::Bulk(hex.collect()))
}

/// `subcommand` as typed.
fn wrong_words(subcommand: &[u8]) -> Reply {
    error_with(&[
        b"ERR unknown subcommand or wrong number of arguments for '",
        up_to_null(subcommand),
        b"'. Try ACL HELP.",
    ])
}
