//! The second pass: `sentinel` lines in three groups, file order within each
//! (spec: interface 8.3, 8.5, behaviour 13.3).

use vedette_core::{Epoch, Secret, SentinelId, Settings};

use super::SavedState;
use super::masters::Masters;
use super::orphans::Orphans;
use super::reader::Reader;
use super::statement::{Statement, leading_number};
use crate::directives::{Group, SentinelDirective, out_of_range, yes_no};
use crate::error::Warning;

/// The reference's answer to an unknown name and to a wrong number of words.
const UNRECOGNIZED: &str = "Unrecognized sentinel configuration statement.";

/// Applies the queued lines.
pub(super) fn run(reader: &mut Reader<'_>) -> SavedState {
    let queued = std::mem::take(&mut reader.queued);
    let mut process =
        Process { settings: reader.settings.clone(), my_id: None, current_epoch: None };
    for statement in group(&queued, Group::Process) {
        if let Err(message) = process.apply(statement) {
            reader.errors.push(statement.bad(message));
        }
    }
    let mut masters = Masters::new(process.settings.resolve_hostnames, reader.files);
    for statement in group(&queued, Group::Monitor) {
        if let Err(message) = monitor(&mut masters, statement) {
            reader.errors.push(statement.bad(message));
        }
    }
    let mut orphans = Orphans::find(&queued, &masters, reader.marker);
    for statement in group(&queued, Group::Master) {
        if orphans.take(statement) {
            continue;
        }
        if let Err(message) = option(&mut masters, statement, process.my_id) {
            reader.errors.push(statement.bad(message));
        }
    }
    let (masters, warnings) = masters.finish();
    reader.warnings.extend(warnings);
    let highest = masters.iter().map(|master| master.config_epoch).max();
    let highest = highest.max(orphans.highest_epoch);
    reader.warnings.extend(orphans.warnings);
    reader.warnings.extend(queued.iter().filter_map(tail_warning));
    // 0 is written before there was any (spec: holes H17).
    let current_epoch = process.current_epoch.max(highest).filter(|epoch| *epoch > Epoch::ZERO);
    SavedState { my_id: process.my_id, current_epoch, settings: process.settings, masters }
}

pub(super) fn directive(statement: &Statement) -> Option<SentinelDirective> {
    SentinelDirective::find(&statement.words[1])
}

/// The lines of a group. Unknown names come with the last one.
fn group(queued: &[Statement], group: Group) -> impl Iterator<Item = &Statement> {
    queued.iter().filter(move |statement| {
        directive(statement).map_or(Group::Master, SentinelDirective::group) == group
    })
}

/// The directive of a line if it has the right number of words.
fn complete(statement: &Statement) -> Result<SentinelDirective, String> {
    let directive = directive(statement).ok_or(UNRECOGNIZED)?;
    directive.takes(statement.words.len() - 2).then_some(directive).ok_or(UNRECOGNIZED.into())
}

fn monitor(masters: &mut Masters<'_>, statement: &Statement) -> Result<(), String> {
    complete(statement)?;
    masters.monitor(statement)
}

fn option(
    masters: &mut Masters<'_>,
    statement: &Statement,
    my_id: Option<SentinelId>,
) -> Result<(), String> {
    let directive = complete(statement)?;
    masters.option(directive, statement, my_id)
}

/// An epoch: unsigned 64 bits in the reference, below 2^63 here (spec: holes H17).
pub(super) fn epoch(statement: &Statement, index: usize) -> Result<Epoch, String> {
    let number = leading_number(&statement.words[index])
        .ok_or("argument couldn't be parsed into an integer")?;
    let epoch = u64::try_from(number).ok().and_then(Epoch::new);
    epoch.ok_or_else(|| {
        let range = out_of_range(0, Epoch::MAX);
        format!(
            "{range} (an epoch beyond that ends all failovers: set it in every Sentinel to the \
                 highest config-epoch, or reset the group)"
        )
    })
}

/// Numbers are read up to the first other character, as in the reference, but not in silence.
fn tail_warning(statement: &Statement) -> Option<Warning> {
    let index = match directive(statement)? {
        SentinelDirective::Monitor => 5,
        SentinelDirective::DownAfter
        | SentinelDirective::FailoverTimeout
        | SentinelDirective::ParallelSyncs
        | SentinelDirective::RebootDownAfter
        | SentinelDirective::ConfigEpoch
        | SentinelDirective::LeaderEpoch => 3,
        SentinelDirective::CurrentEpoch | SentinelDirective::AnnouncePort => 2,
        SentinelDirective::KnownReplica | SentinelDirective::KnownSentinel => 4,
        SentinelDirective::MyId
        | SentinelDirective::DenyScriptsReconfig
        | SentinelDirective::ResolveHostnames
        | SentinelDirective::AnnounceHostnames
        | SentinelDirective::NotificationScript
        | SentinelDirective::ClientReconfigScript
        | SentinelDirective::AuthPass
        | SentinelDirective::AuthUser
        | SentinelDirective::RenameCommand
        | SentinelDirective::AnnounceIp
        | SentinelDirective::SentinelUser
        | SentinelDirective::SentinelPass => return None,
    };
    if statement.words.len() <= index || !statement.has_tail(index) {
        return None;
    }
    let word = String::from_utf8_lossy(&statement.words[index]);
    let number = leading_number(&statement.words[index])?;
    let text = format!("`{word}` is read as {number}");
    Some(Warning { place: Some(statement.place()), text, remedy: "write the number alone" })
}

/// What the lines of the first group set.
struct Process {
    settings: Settings,
    my_id: Option<SentinelId>,
    current_epoch: Option<Epoch>,
}

impl Process {
    fn apply(&mut self, statement: &Statement) -> Result<(), String> {
        let directive = complete(statement)?;
        let settings = &mut self.settings;
        let asked = |name: &str, option: &str| {
            yes_no(&statement.words[2])
                .ok_or_else(|| format!("Please specify yes or no for the {name} {option}."))
        };
        match directive {
            SentinelDirective::MyId => {
                let id = str::from_utf8(&statement.words[2]).ok().and_then(SentinelId::parse);
                self.my_id = Some(id.ok_or("Malformed Sentinel id in myid option.")?);
            }
            SentinelDirective::DenyScriptsReconfig => {
                settings.deny_scripts_reconfig = asked("deny-scripts-reconfig", "options")?;
            }
            SentinelDirective::ResolveHostnames => {
                settings.resolve_hostnames = asked("resolve-hostnames", "option")?;
            }
            SentinelDirective::AnnounceHostnames => {
                settings.announce_hostnames = asked("announce-hostnames", "option")?;
            }
            SentinelDirective::CurrentEpoch => {
                self.current_epoch = self.current_epoch.max(Some(epoch(statement, 2)?));
            }
            SentinelDirective::AnnounceIp => settings.announce_ip = statement.optional_text(2)?,
            SentinelDirective::AnnouncePort => settings.announce_port = port(statement)?,
            SentinelDirective::SentinelUser => {
                settings.sentinel_user = statement.optional_text(2)?
            }
            SentinelDirective::SentinelPass => settings.sentinel_pass = secret(&statement.words[2]),
            SentinelDirective::Monitor
            | SentinelDirective::DownAfter
            | SentinelDirective::FailoverTimeout
            | SentinelDirective::ParallelSyncs
            | SentinelDirective::NotificationScript
            | SentinelDirective::ClientReconfigScript
            | SentinelDirective::AuthPass
            | SentinelDirective::AuthUser
            | SentinelDirective::RebootDownAfter
            | SentinelDirective::ConfigEpoch
            | SentinelDirective::LeaderEpoch
            | SentinelDirective::KnownReplica
            | SentinelDirective::KnownSentinel
            | SentinelDirective::RenameCommand => return Err(UNRECOGNIZED.into()),
        }
        Ok(())
    }
}

/// 0 is "not set".
fn port(statement: &Statement) -> Result<Option<u16>, String> {
    let number = statement.integer(2, 0)?;
    let port = u16::try_from(number).map_err(|_| out_of_range(0, u16::MAX))?;
    Ok((port != 0).then_some(port))
}

/// The empty password is "not set".
pub(super) fn secret(word: &[u8]) -> Option<Secret> {
    (!word.is_empty()).then(|| Secret::new(word))
}
