//! The masters that the second pass builds up.

use std::path::Path;
use std::sync::Arc;

use vedette_core::{
    Endpoint, Epoch, MasterName, MasterSettings, SavedMaster, SavedSentinel, SentinelId, Span,
    Tunables,
};

use super::second_pass::{epoch, secret};
use super::statement::{Statement, leading_number};
use crate::directives::{INT_MAX, SentinelDirective, out_of_range};
use crate::document::Origin;
use crate::error::Warning;
use crate::files::Files;

/// What to do about a line that says what another one says.
const REPEATED: &str = "take the line out";
const NO_SUCH_MASTER: &str = "No such master with specified name.";

/// A master and the line that introduced it.
struct Draft {
    saved: SavedMaster,
    monitor: Statement,
}

/// All masters so far, in configuration order.
pub(super) struct Masters<'a> {
    drafts: Vec<Draft>,
    by_name: std::collections::HashMap<MasterName, usize>,
    names_allowed: bool,
    files: &'a dyn Files,
    warnings: Vec<Warning>,
}

impl<'a> Masters<'a> {
    pub(super) fn new(names_allowed: bool, files: &'a dyn Files) -> Self {
        Self {
            drafts: Vec::new(),
            by_name: Default::default(),
            names_allowed,
            files,
            warnings: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> (Vec<SavedMaster>, Vec<Warning>) {
        (self.drafts.into_iter().map(|draft| draft.saved).collect(), self.warnings)
    }

    fn warn(&mut self, statement: &Statement, text: impl Into<String>, remedy: &'static str) {
        self.warnings.push(Warning { place: Some(statement.place()), text: text.into(), remedy });
    }

    pub(super) fn monitor(&mut self, statement: &Statement) -> Result<(), String> {
        let quorum = leading_number(&statement.words[5]).unwrap_or(0);
        if quorum < 1 {
            return Err("Quorum must be 1 or greater.".into());
        }
        let quorum = statement.integer(5, 1)?;
        let address = statement.endpoint(3, self.names_allowed)?;
        let name: MasterName = statement.text_of(2)?.into();
        if let Some(index) = self.by_name.get(&name) {
            return self.monitor_again(*index, statement, address, quorum);
        }
        let saved = SavedMaster {
            name: name.clone(),
            address,
            settings: MasterSettings::new(quorum, &Tunables::default()),
            config_epoch: Epoch::ZERO,
            leader_epoch: None,
            replicas: Vec::new(),
            sentinels: Vec::new(),
            last_vote: None,
        };
        self.by_name.insert(name, self.drafts.len());
        self.drafts.push(Draft { saved, monitor: statement.clone() });
        Ok(())
    }

    /// A second `monitor` line for one name. Identical ones are harmless; the main file, which holds
    /// the state, wins over includes and options (spec: holes H26, interface 13.10).
    fn monitor_again(
        &mut self,
        index: usize,
        statement: &Statement,
        address: Endpoint,
        quorum: u32,
    ) -> Result<(), String> {
        let draft = &mut self.drafts[index];
        let settled = draft.monitor.origin == Origin::Main;
        let quorum_differs = draft.saved.settings.quorum != quorum;
        let first = draft.monitor.origin.place(draft.monitor.number);
        let from_main = statement.origin == Origin::Main;
        if draft.saved.address == address && !quorum_differs {
            self.warn(statement, format!("repeats the `monitor` line at {first}"), REPEATED);
        } else if settled == from_main {
            return Err("Duplicate master name.".into());
        } else if from_main {
            draft.saved.address = address;
            draft.saved.settings.quorum = quorum;
            draft.monitor = statement.clone();
        }
        if quorum_differs {
            let text = "two `monitor` lines with different quorums: the main file's counts";
            self.warn(statement, text, "give both the same quorum");
        }
        Ok(())
    }

    pub(super) fn monitors(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub(super) fn option(
        &mut self,
        directive: SentinelDirective,
        statement: &Statement,
        my_id: Option<SentinelId>,
    ) -> Result<(), String> {
        let name = statement.text_of(2)?;
        let index = *self.by_name.get(name).ok_or(NO_SUCH_MASTER)?;
        match directive {
            SentinelDirective::KnownReplica => self.known_replica(index, statement),
            SentinelDirective::KnownSentinel => self.known_sentinel(index, statement, my_id),
            SentinelDirective::RenameCommand => self.rename_command(index, statement),
            SentinelDirective::ConfigEpoch => {
                let saved = &mut self.drafts[index].saved;
                saved.config_epoch = saved.config_epoch.max(epoch(statement, 3)?);
                Ok(())
            }
            SentinelDirective::LeaderEpoch => {
                let saved = &mut self.drafts[index].saved;
                saved.leader_epoch = saved.leader_epoch.max(Some(epoch(statement, 3)?));
                Ok(())
            }
            other => set(&mut self.drafts[index].saved.settings, other, statement, self.files),
        }
    }

    fn known_replica(&mut self, index: usize, statement: &Statement) -> Result<(), String> {
        let address = statement.endpoint(3, self.names_allowed)?;
        let replicas = &mut self.drafts[index].saved.replicas;
        // The reference refuses a repetition; it cannot but be identical (spec: holes H26).
        if replicas.iter().any(|known| same(known, &address)) {
            self.warn(statement, "repeats a known replica", REPEATED);
        } else {
            replicas.push(address);
        }
        Ok(())
    }

    fn known_sentinel(
        &mut self,
        index: usize,
        statement: &Statement,
        my_id: Option<SentinelId>,
    ) -> Result<(), String> {
        // The old form without id says nothing that can be used.
        let Some(id) = statement.words.get(5) else { return Ok(()) };
        let address = statement.endpoint(3, self.names_allowed)?;
        let id = str::from_utf8(id).ok().and_then(SentinelId::parse);
        let id = id.ok_or("Malformed Sentinel id in known-sentinel option.")?;
        if Some(id) == my_id {
            let text = "this Sentinel's own id is no peer and is left out";
            let remedy = "if the file was copied from another Sentinel, take out its `sentinel \
                          myid` line";
            self.warn(statement, text, remedy);
            return Ok(());
        }
        let sentinels = &mut self.drafts[index].saved.sentinels;
        match sentinels.iter().find(|known| known.id == id) {
            None => sentinels.push(SavedSentinel { id, address }),
            Some(known) if same(&known.address, &address) => {
                self.warn(statement, "repeats a known Sentinel", REPEATED);
            }
            Some(_) => return Err("Duplicate runid for sentinel.".into()),
        }
        Ok(())
    }

    fn rename_command(&mut self, index: usize, statement: &Statement) -> Result<(), String> {
        let old: Arc<str> = statement.text_of(3)?.to_ascii_uppercase().into();
        let new: Arc<str> = statement.text_of(4)?.into();
        let renames = Arc::make_mut(&mut self.drafts[index].saved.settings.renames);
        match renames.get(&old) {
            None => {
                renames.insert(old, new);
            }
            Some(known) if *known == new => {
                self.warn(statement, "repeats a renamed command", REPEATED)
            }
            Some(_) => {
                return Err("Same command renamed multiple times with rename-command.".into());
            }
        }
        Ok(())
    }
}

fn same(one: &Endpoint, other: &Endpoint) -> bool {
    one.port == other.port && one.host.eq_ignore_ascii_case(&other.host)
}

/// Sets an option that is a single value.
fn set(
    settings: &mut MasterSettings,
    directive: SentinelDirective,
    statement: &Statement,
    files: &dyn Files,
) -> Result<(), String> {
    match directive {
        SentinelDirective::DownAfter => settings.down_after = positive_ms(statement)?,
        SentinelDirective::FailoverTimeout => settings.failover_timeout = positive_ms(statement)?,
        SentinelDirective::ParallelSyncs => settings.parallel_syncs = statement.integer(3, 0)?,
        SentinelDirective::RebootDownAfter => {
            let number = leading_number(&statement.words[3]).unwrap_or(0);
            settings.reboot_down_after = milliseconds(number, 0, "negative time parameter.")?;
        }
        SentinelDirective::NotificationScript => {
            let message = "Notification script seems non existing or non executable.";
            settings.notification_script = Some(script(statement, files, message)?);
        }
        SentinelDirective::ClientReconfigScript => {
            let message = "Client reconfiguration script seems non existing or non executable.";
            settings.client_reconfig_script = Some(script(statement, files, message)?);
        }
        SentinelDirective::AuthPass => settings.auth_pass = secret(&statement.words[3]),
        SentinelDirective::AuthUser => settings.auth_user = statement.optional_text(3)?,
        SentinelDirective::MyId
        | SentinelDirective::DenyScriptsReconfig
        | SentinelDirective::ResolveHostnames
        | SentinelDirective::AnnounceHostnames
        | SentinelDirective::Monitor
        | SentinelDirective::ConfigEpoch
        | SentinelDirective::LeaderEpoch
        | SentinelDirective::KnownReplica
        | SentinelDirective::KnownSentinel
        | SentinelDirective::RenameCommand
        | SentinelDirective::CurrentEpoch
        | SentinelDirective::AnnounceIp
        | SentinelDirective::AnnouncePort
        | SentinelDirective::SentinelUser
        | SentinelDirective::SentinelPass => {
            return Err("Unrecognized sentinel configuration statement.".into());
        }
    }
    Ok(())
}

fn positive_ms(statement: &Statement) -> Result<Span, String> {
    let number = leading_number(&statement.words[3]).unwrap_or(0);
    milliseconds(number, 1, "negative or zero time parameter.")
}

/// Milliseconds of 31 bits: the reference cuts larger ones (spec: holes H32).
fn milliseconds(number: i128, min: i128, too_small: &str) -> Result<Span, String> {
    if number < min {
        return Err(too_small.into());
    }
    let fits = number <= i128::from(INT_MAX);
    let span = u64::try_from(number).ok().filter(|_| fits).map(Span);
    span.ok_or_else(|| out_of_range(min, INT_MAX))
}

fn script(statement: &Statement, files: &dyn Files, message: &str) -> Result<Arc<str>, String> {
    let path = statement.text_of(3)?;
    files.is_executable(Path::new(path)).then(|| path.into()).ok_or(message.into())
}
