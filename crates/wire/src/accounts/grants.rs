//! Which commands rules allow: a bit for each, so that a check costs one look.

use std::collections::BTreeMap;

use super::Flaw;
use crate::commands::{CATEGORIES, COMMANDS, Command, Listing, find_full, principals};

/// Words of 64 bits that hold a bit for each command.
const WORDS: usize = 3;

/// A set of commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct CommandSet([u64; WORDS]);

impl CommandSet {
    const ALL: Self = Self([u64::MAX; WORDS]);

    fn has(self, command: &'static Command) -> bool {
        let bit = usize::from(command.principal().bit);
        self.0[bit / 64] & (1 << (bit % 64)) != 0
    }

    fn put(&mut self, command: &'static Command, on: bool) {
        let bit = usize::from(command.principal().bit);
        let mask = 1 << (bit % 64);
        match on {
            true => self.0[bit / 64] |= mask,
            false => self.0[bit / 64] &= !mask,
        }
    }
}

/// What commands a user may run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grants {
    /// Whether the rules began with `+@all`: from there they are described.
    from_all: bool,
    commands: CommandSet,
    /// First arguments that a command is allowed with though it is not allowed as such.
    first_args: BTreeMap<u8, Vec<Vec<u8>>>,
}

impl Grants {
    /// `allcommands`
    pub(super) fn all() -> Self {
        Self { from_all: true, commands: CommandSet::ALL, first_args: BTreeMap::new() }
    }

    /// Whether a command with these words is allowed.
    pub(super) fn allow<T: AsRef<[u8]>>(&self, command: &'static Command, words: &[T]) -> bool {
        if self.commands.has(command) {
            return true;
        }
        let Some(allowed) = self.first_args.get(&command.principal().bit) else { return false };
        words.get(1).is_some_and(|first| {
            allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(first.as_ref()))
        })
    }

    /// `+…` or `-…`; `name` is what follows the sign.
    pub(super) fn change(&mut self, name: &[u8], on: bool) -> Result<(), Flaw> {
        if let Some(category) = name.strip_prefix(b"@") {
            return self.change_category(category, on);
        }
        if let Some(command) = find_full(name).filter(is_known) {
            self.put(command, on);
            return Ok(());
        }
        match (on, name.iter().rposition(|byte| *byte == b'|')) {
            (true, Some(bar)) => self.allow_first_arg(&name[..bar], &name[bar + 1..]),
            (true, None) | (false, _) => Err(Flaw::UnknownCommand),
        }
    }

    fn change_category(&mut self, name: &[u8], on: bool) -> Result<(), Flaw> {
        if name.eq_ignore_ascii_case(b"all") {
            *self = if on { Self::all() } else { Self::default() };
            return Ok(());
        }
        let is = |category: &&&str| name.eq_ignore_ascii_case(category.as_bytes());
        let category = CATEGORIES.iter().find(is).ok_or(Flaw::UnknownCommand)?;
        self.put_category(category, on);
        Ok(())
    }

    fn allow_first_arg(&mut self, name: &[u8], arg: &[u8]) -> Result<(), Flaw> {
        let command = find_full(name).filter(is_known);
        let command = command.ok_or(Flaw::UnknownCommand)?;
        if command.name.contains('|') {
            return Err(Flaw::FirstArgOfSubcommand);
        }
        // What cannot be told from its surroundings could not be written down.
        if arg.is_empty() || arg.iter().any(|byte| super::is_blank(*byte)) {
            return Err(Flaw::Syntax);
        }
        if !command.subcommands.is_empty() {
            return Err(Flaw::UnknownCommand);
        }
        let args = self.first_args.entry(command.bit).or_default();
        if !args.iter().any(|known| known.eq_ignore_ascii_case(arg)) {
            args.push(arg.to_vec());
        }
        Ok(())
    }

    /// A container stands for all its subcommands.
    fn put(&mut self, command: &'static Command, on: bool) {
        self.commands.put(command, on);
        self.first_args.remove(&command.bit);
        principals(command.subcommands).for_each(|sub| self.put(sub, on));
    }

    fn put_category(&mut self, category: &str, on: bool) {
        for command in principals(COMMANDS) {
            if command.is_in(category) {
                self.put(command, on);
            }
            for sub in principals(command.subcommands).filter(|sub| sub.is_in(category)) {
                self.put(sub, on);
            }
        }
    }

    /// The shortest rules, as the reference finds them: first categories, each one that explains
    /// more than it spoils, the one that spoils least first; then single commands.
    pub(super) fn describe(&self) -> Vec<u8> {
        let on = !self.from_all;
        let mut said = if on { Self::default() } else { Self::all() };
        let mut text = Vec::from(if on { b"-@all" } else { b"+@all" });
        let sign = if on { '+' } else { '-' };
        // What no category has explained yet.
        let mut left = self.clone();
        while let Some(category) = left.best_category(on) {
            said.put_category(category, on);
            left.put_category(category, !on);
            text.extend(format!(" {sign}@{category}").bytes());
        }
        for command in principals(COMMANDS) {
            self.describe_one(command, &mut said, &mut text);
            for sub in principals(command.subcommands) {
                self.describe_one(sub, &mut said, &mut text);
            }
            let args = self.first_args.get(&command.bit).filter(|_| !self.commands.has(command));
            for arg in args.into_iter().flatten() {
                text.extend([b" +", command.name.as_bytes(), b"|", arg].concat());
            }
        }
        text
    }

    fn describe_one(&self, command: &'static Command, said: &mut Self, text: &mut Vec<u8>) {
        let is = self.commands.has(command);
        if is != said.commands.has(command) {
            text.extend(format!(" {}{}", if is { '+' } else { '-' }, command.name).bytes());
            said.put(command, is);
        }
    }

    fn best_category(&self, on: bool) -> Option<&'static str> {
        let mut best: Option<(usize, usize, &str)> = None;
        for category in CATEGORIES {
            let (mut same, mut different) = (0, 0);
            let all = principals(COMMANDS).flat_map(|command| {
                core::iter::once(command).chain(principals(command.subcommands))
            });
            for command in all.filter(|command| command.is_in(category)) {
                match self.commands.has(command) == on {
                    true => same += 1,
                    false => different += 1,
                }
            }
            let better = best.is_none_or(|(least, most, _)| {
                different < least || different == least && same > most
            });
            if same > different && better {
                best = Some((different, same, category));
            }
        }
        best.map(|(_, _, category)| category)
    }
}

/// Whether rules may name it: what is no command of Redis or Valkey is for everybody.
fn is_known(command: &&'static Command) -> bool {
    command.listing != Listing::Courtesy
}
