//! The users of a start: `user` lines or an `aclfile`, all or nothing (spec: interface 8.4).

use vedette_conf::{ChannelDefault, ConfigError, Loaded, ServerSettings, UserLine};
use vedette_wire::Dialect;
use vedette_wire::accounts::{
    AccountSettings, Accounts, BadRules, Flaw, first_arg_advice, first_arg_rules,
};

use super::load::put_copy_back;
use super::{Refused, refuse_with};
use crate::accounts::{read, warn_of_stricter};
use crate::log::Log;

/// The first `user` line whose rules do not parse; unknown commands are found later, as in the
/// reference.
pub(super) fn find_bad_line(server: &ServerSettings) -> Option<ConfigError> {
    let nobody = Accounts::configured(&settings(server));
    server.users.iter().find_map(|line| match nobody.with_line(&line.name, &line.rules) {
        Err(BadRules::Rule(_, _, Flaw::UnknownCommand) | BadRules::Name) | Ok(_) => None,
        Err(BadRules::Rule(index, _, flaw)) => Some(line.bad_rule(index, &flaw.to_string())),
        // The reference's words for it.
        Err(BadRules::Unmatched(index, _)) => {
            Some(line.bad_rule(index, &Flaw::UnknownCommand.to_string()))
        }
    })
}

/// The users that the configuration names.
pub(super) fn load(loaded: &Loaded, dialect: Dialect, log: &Log) -> Result<Accounts, Refused> {
    let server = &loaded.server;
    let accounts = Accounts::configured(&settings(server));
    let Some(file) = acl_file(server) else {
        return server.users.iter().try_fold(accounts, |known, line| add(&known, line, log));
    };
    if !server.users.is_empty() {
        let (product, file) = (dialect.product(), dialect.name());
        let why = format!(
            "Configuring {product} with users defined in {file}.conf and at the same setting an \
             ACL file path is invalid. This setup is very likely to lead to configuration errors \
             and security holes, please define either an ACL file or declare users directly in \
             your {file}.conf, but not both."
        );
        return Err(refuse_with(log, &why));
    }
    put_copy_back(file, log)?;
    let text = read(Some(file));
    let users = text.and_then(|text| accounts.load(&text).map_err(|bad| bad.to_string()));
    let users = users.map_err(|why| {
        let product = dialect.product();
        refuse_with(log, &format!("Aborting {product} startup because of ACL errors: {why}"))
    })?;
    warn_of_stricter(users.requirepass_was_stricter, log);
    Ok(users.accounts)
}

/// `aclfile`; an empty path is none.
pub(super) fn acl_file(server: &ServerSettings) -> Option<&std::path::Path> {
    server.acl_file.as_deref().filter(|path| !path.as_os_str().is_empty())
}

fn settings(server: &ServerSettings) -> AccountSettings {
    AccountSettings {
        requirepass: server.requirepass.clone(),
        all_channels: server.acl_pubsub_default == ChannelDefault::AllChannels,
        file: acl_file(server).map(|path| path.display().to_string()),
    }
}

fn add(known: &Accounts, line: &UserLine, log: &Log) -> Result<Accounts, Refused> {
    let name = String::from_utf8_lossy(&line.name);
    let refuse = |why: &str| {
        log.warning(why);
        refuse_with(log, &"Critical error while loading ACLs. Exiting.")
    };
    let users = known.with_line(&line.name, &line.rules).map_err(|bad| match bad {
        BadRules::Name => refuse("Spaces not allowed in ACL usernames"),
        BadRules::Unmatched(_, rule) | BadRules::Rule(_, rule, _) if is_secret(&rule) => {
            refuse(&format!("Error loading an ACL rule for the user named '{name}'"))
        }
        BadRules::Unmatched(_, rule) => {
            let rule = String::from_utf8_lossy(&rule);
            refuse(&format!("Unmatched parenthesis in acl selector starting at '{rule}'."))
        }
        BadRules::Rule(_, rule, flaw) => {
            let rule = String::from_utf8_lossy(&rule);
            refuse(&format!("Error loading ACL rule '{rule}' for the user named '{name}': {flaw}"))
        }
    })?;
    first_arg_rules(&line.rules).for_each(|rule| log.warning(&first_arg_advice(rule)));
    if users.user(&line.name).is_some_and(|user| !user.is_on()) {
        log.notice(&format!(
            "The user '{name}' is disabled (there is no 'on' modifier in the user description). \
             Make sure this is not a configuration error."
        ));
    }
    Ok(users)
}

/// Whether a rule that is to be shown holds what may be a password.
fn is_secret(rule: &[u8]) -> bool {
    let mut words = rule.split(|byte| b" (".contains(byte));
    words.any(|word| matches!(word.first(), Some(b'>' | b'<' | b'#' | b'!')))
}
