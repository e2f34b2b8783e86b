//! General directives that need more than a value and a place.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::reader::Reader;
use super::statement::Statement;
use crate::directives::{Special, memory, spread};
use crate::error::OsError;
use crate::settings::{BindAddress, BufferLimit, UserLine};

const BAD_DIRECTIVE: &str = "Bad directive or wrong number of arguments";
const WRONG_NUMBER: &str = "wrong number of arguments";
/// The reference's limit.
const BIND_MAX: usize = 16;
/// The commands of a Sentinel, which `rename-command` may name (spec: interface 4.1).
const COMMANDS: &str = "acl auth client command hello info ping psubscribe publish punsubscribe \
                        role sentinel shutdown subscribe unsubscribe";
const TITLE_VARIABLES: &[&str] =
    &["title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"];

impl Reader<'_> {
    pub(super) fn apply_special(
        &mut self,
        special: Special,
        statement: &Statement,
    ) -> Result<(), String> {
        let values = &statement.words[1..];
        match special {
            Special::Bind => self.bind(values),
            Special::BufferLimit => self.buffer_limits(values),
            Special::Dir => self.enter(values),
            Special::Include => self.include(values),
            Special::LoadModule if values.is_empty() => Err(BAD_DIRECTIVE.into()),
            Special::LoadModule => Ok(()),
            Special::ProcTitleTemplate => self.proc_title(values),
            Special::RenameCommand => self.rename_command(values),
            Special::User => self.user(statement),
        }
    }

    fn bind(&mut self, values: &[Vec<u8>]) -> Result<(), String> {
        let words = spread(values)?;
        if words.len() > BIND_MAX {
            return Err("Too many bind addresses specified.".into());
        }
        let address = |word: &Vec<u8>| {
            let text = String::from_utf8_lossy(word);
            let bare = text.strip_prefix('-');
            BindAddress { address: bare.unwrap_or(&text).into(), optional: bare.is_some() }
        };
        let words = words.iter().filter(|word| !word.is_empty());
        self.server.bind = words.map(address).collect();
        Ok(())
    }

    fn buffer_limits(&mut self, values: &[Vec<u8>]) -> Result<(), String> {
        let words = spread(values)?;
        if !words.len().is_multiple_of(4) || values.len() == 1 && words.is_empty() {
            return Err("Wrong number of arguments in buffer limit configuration.".into());
        }
        for limit in words.chunks_exact(4) {
            let place = match limit[0].to_ascii_lowercase().as_slice() {
                b"normal" => &mut self.server.output_buffer_normal,
                b"replica" | b"slave" => &mut self.server.output_buffer_replica,
                b"pubsub" => &mut self.server.output_buffer_pubsub,
                _ => {
                    return Err(
                        "Invalid client class specified in buffer limit configuration.".into()
                    );
                }
            };
            *place = buffer_limit(&limit[1..]).ok_or(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
            )?;
        }
        Ok(())
    }

    fn enter(&mut self, values: &[Vec<u8>]) -> Result<(), String> {
        let [dir] = values else { return Err(WRONG_NUMBER.into()) };
        let dir = PathBuf::from(OsStr::from_bytes(dir));
        self.files.enter(&dir).map_err(|error| OsError(error).to_string())?;
        self.server.dir = Some(dir);
        Ok(())
    }

    fn proc_title(&mut self, values: &[Vec<u8>]) -> Result<(), String> {
        let [template] = values else { return Err(WRONG_NUMBER.into()) };
        let template = String::from_utf8_lossy(template).into_owned();
        if !is_title(&template) {
            return Err("template format is invalid or contains unknown variables".into());
        }
        self.server.proc_title_template = template;
        Ok(())
    }

    fn rename_command(&mut self, values: &[Vec<u8>]) -> Result<(), String> {
        let [old, new] = values else { return Err(BAD_DIRECTIVE.into()) };
        let old = String::from_utf8_lossy(old).to_ascii_lowercase();
        let new = String::from_utf8_lossy(new).to_ascii_lowercase();
        let renamed = |name: &str| self.server.renames.iter().any(|(from, _)| from == name);
        let target = |name: &str| self.server.renames.iter().any(|(_, to)| to == name);
        let exists = |name: &str| {
            target(name) || COMMANDS.split(' ').any(|command| command == name) && !renamed(name)
        };
        if !exists(&old) {
            return Err("No such command in rename-command".into());
        }
        if !new.is_empty() && new != old && exists(&new) {
            return Err("Target command name already exists".into());
        }
        self.server.renames.push((old, new));
        Ok(())
    }

    fn user(&mut self, statement: &Statement) -> Result<(), String> {
        let [_, name, rules @ ..] = &statement.words[..] else { return Err(BAD_DIRECTIVE.into()) };
        if self.server.users.iter().any(|user| user.name == *name) {
            let name = String::from_utf8_lossy(name);
            return Err(format!(
                "Error in user declaration '{name}': Duplicate user found. A user can only be \
                 defined once in config files"
            ));
        }
        self.server.users.push(UserLine {
            name: name.clone(),
            rules: rules.to_vec(),
            origin: statement.origin.clone(),
            number: statement.number,
            text: statement.text.clone(),
        });
        Ok(())
    }
}

fn buffer_limit(words: &[Vec<u8>]) -> Option<BufferLimit> {
    let [hard, soft, secs] = words else { return None };
    // The reference takes what fits into an `int`.
    let soft_secs: u32 = str::from_utf8(secs).ok()?.parse().ok()?;
    let soft_secs = i32::try_from(soft_secs).ok()?.unsigned_abs().into();
    Some(BufferLimit { hard_bytes: memory(hard)?, soft_bytes: memory(soft)?, soft_secs })
}

/// Whether all variables of a template are known and something is left without the title.
fn is_title(template: &str) -> bool {
    let mut rest = template;
    let mut shown = false;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((variable, tail)) = after.split_once('}') else { return false };
        if !TITLE_VARIABLES.contains(&variable) {
            return false;
        }
        shown |= variable != "title" || !before.trim().is_empty();
        rest = tail;
    }
    shown || !rest.trim().is_empty()
}
