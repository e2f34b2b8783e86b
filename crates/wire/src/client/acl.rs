//! ACL, as far as one default user goes (spec: interface 4.12). Changing users comes later.

use bytes::Bytes;
use vedette_resp::parse_integer;

use super::Client;
use super::execute::{Executed, Outcome};
use super::surroundings::Surroundings;
use crate::accounts::{Accounts, DEFAULT_USER};
use crate::commands::{AclVerb, Command, names_in_category};
use crate::replies::help;
use crate::reply::{Reply, error, error_with, not_an_integer, word};

/// All categories, in the reference's order.
const CATEGORIES: [&str; 21] = [
    "keyspace",
    "read",
    "write",
    "set",
    "sortedset",
    "list",
    "hash",
    "string",
    "bitmap",
    "hyperloglog",
    "geo",
    "stream",
    "pubsub",
    "admin",
    "fast",
    "slow",
    "blocking",
    "dangerous",
    "connection",
    "transaction",
    "scripting",
];

/// Longest password that `GENPASS` makes, in bits.
const GENPASS_BITS_MAX: i64 = 4096;

impl Client {
    pub(super) fn acl(
        &self,
        verb: AclVerb,
        command: &Command,
        words: &[Bytes],
        surroundings: &mut dyn Surroundings,
    ) -> Executed {
        let reply = match verb {
            AclVerb::Cat => categories(words)?,
            AclVerb::GenPass => generate_password(words, surroundings)?,
            AclVerb::Help => help::acl(),
            AclVerb::List => list(surroundings.accounts(), command)?,
            AclVerb::Users => Reply::Array(vec![word(DEFAULT_USER)]),
            AclVerb::WhoAmI => word(self.session.user),
            AclVerb::Load | AclVerb::Save => {
                return Err(error("ERR This Redis instance is not configured to use an ACL file."));
            }
            AclVerb::DelUser
            | AclVerb::DryRun
            | AclVerb::GetUser
            | AclVerb::Log
            | AclVerb::SetUser => return Err(unsupported(command)),
        };
        Ok(Outcome::Reply(reply))
    }
}

fn categories(words: &[Bytes]) -> Result<Reply, Reply> {
    match words {
        [] => Ok(Reply::Array(CATEGORIES.into_iter().map(word).collect())),
        [name] if CATEGORIES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())) => {
            Ok(Reply::Array(names_in_category(name).into_iter().map(word).collect()))
        }
        [name] => Err(error_with(&[b"ERR Unknown category '", name, b"'"])),
        _ => Err(wrong_words("cat")),
    }
}

fn generate_password(words: &[Bytes], surroundings: &mut dyn Surroundings) -> Result<Reply, Reply> {
    let bits = match words {
        [] => 256,
        [bits] => parse_integer(bits).ok_or_else(not_an_integer)?,
        _ => return Err(wrong_words("genpass")),
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

fn list(accounts: &Accounts, command: &Command) -> Result<Reply, Reply> {
    match accounts.default_is_open() {
        true => Ok(Reply::Array(vec![word("user default on nopass sanitize-payload ~* &* +@all")])),
        // Its line shows the hash of the password.
        false => Err(unsupported(command)),
    }
}

fn wrong_words(subcommand: &str) -> Reply {
    error(format!(
        "ERR unknown subcommand or wrong number of arguments for '{subcommand}'. Try ACL HELP."
    ))
}

fn unsupported(command: &Command) -> Reply {
    error(format!("ERR '{}' is not supported yet by this Sentinel", command.name))
}
