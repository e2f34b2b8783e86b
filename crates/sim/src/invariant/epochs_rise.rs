use std::collections::BTreeMap;

use vedette_core::{Effect, Epoch, EventKind, MasterName, Query};

use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Epochs never go back: what a Sentinel tells of its current epoch never falls, across restarts;
/// the config epoch it tells of a master falls at most to what was on its disk when it crashed (a
/// configuration that it heard is saved in the background, rule A3), or to 0 when the master is
/// monitored anew.
#[derive(Default)]
pub(super) struct EpochsRise {
    current: BTreeMap<SentinelIndex, Epoch>,
    config: BTreeMap<(SentinelIndex, MasterName), Epoch>,
    /// What was on the disk when it was told.
    saved: BTreeMap<(SentinelIndex, MasterName), Epoch>,
}

impl EpochsRise {
    fn tell_current(&mut self, who: SentinelIndex, epoch: Epoch) -> Result<(), String> {
        let told = self.current.entry(who).or_default();
        hold(epoch >= *told, || format!("its current epoch falls from {told} to {epoch}"))?;
        *told = epoch;
        Ok(())
    }

    fn tell_config(
        &mut self,
        who: SentinelIndex,
        master: &MasterName,
        epoch: Epoch,
    ) -> Result<(), String> {
        let told = self.config.entry((who, master.clone())).or_default();
        hold(epoch >= *told, || {
            format!("the config epoch of {master} falls from {told} to {epoch}")
        })?;
        *told = epoch;
        Ok(())
    }

    /// A configuration that was heard may be lost with the process, one that was saved may not.
    fn start(
        &mut self,
        who: SentinelIndex,
        state: &vedette_core::DurableState,
    ) -> Result<(), String> {
        self.config.retain(|(owner, _), _| *owner != who);
        for master in &state.masters {
            let key = (who, master.name.clone());
            let (name, epoch) = (&master.name, master.config_epoch);
            let before = self.saved.get(&key).copied().unwrap_or_default();
            hold(epoch >= before, || {
                format!("{name} starts with config epoch {epoch}, the disk had {before}")
            })?;
            self.config.insert(key, epoch);
        }
        Ok(())
    }

    /// What was told, and on the disk at the end of a process, is there at the beginning of the
    /// next. A promotion that was saved and is not told yet may give way to a configuration that
    /// was heard meanwhile (seed 10017631).
    fn end(&mut self, who: SentinelIndex, disk: &vedette_core::DurableState) {
        self.saved.retain(|(owner, _), _| *owner != who);
        for master in &disk.masters {
            let key = (who, master.name.clone());
            let told = self.config.get(&key).copied().unwrap_or_default();
            self.saved.insert(key, master.config_epoch.min(told));
        }
    }
}

impl Invariant for EpochsRise {
    fn name(&self) -> &'static str {
        "epochs never go back"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        match seen {
            Seen::Started(state) => {
                self.start(who, state)?;
                let known = state.current_epoch.unwrap_or_default();
                let raised = state
                    .masters
                    .iter()
                    .map(|m| m.config_epoch.max(m.leader_epoch.unwrap_or_default()));
                self.tell_current(who, raised.max().unwrap_or_default().max(known))
            }
            Seen::Ordered(Effect::Send { query: Query::Hello(hello), .. }) => {
                self.tell_current(who, hello.current_epoch)?;
                self.tell_config(who, &hello.master, hello.config_epoch)
            }
            Seen::Ordered(Effect::Publish(publication)) => {
                for event in &publication.events {
                    if let (EventKind::Monitor | EventKind::Unmonitor, Some(about)) =
                        (event.kind, &event.about)
                    {
                        self.config.remove(&(who, about.master.clone()));
                    }
                }
                if let Some(process) = &publication.process {
                    self.tell_current(who, process.current_epoch)?;
                }
                publication
                    .masters
                    .iter()
                    .try_for_each(|view| self.tell_config(who, &view.name, view.config_epoch))
            }
            Seen::Ended => {
                self.end(who, scene.disk);
                Ok(())
            }
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Heard { .. }
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Responded { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(number: u64) -> Epoch {
        Epoch::new(number).unwrap_or_default()
    }

    #[test]
    fn a_falling_epoch_is_found() {
        let mut check = EpochsRise::default();
        let (who, master) = (SentinelIndex(0), MasterName::from("m0"));
        assert!(check.tell_current(who, epoch(4)).is_ok());
        assert!(check.tell_current(SentinelIndex(1), epoch(3)).is_ok());
        assert!(check.tell_current(who, epoch(3)).is_err());
        assert!(check.tell_config(who, &master, epoch(2)).is_ok());
        assert!(check.tell_config(who, &master, epoch(1)).is_err());
    }

    #[test]
    fn a_file_that_forgets_a_configuration_is_found() {
        use crate::invariant::samples;
        let who = SentinelIndex(0);
        let (mut check, mut disk) = (EpochsRise::default(), samples::disk(4));
        disk.masters[0].config_epoch = epoch(3);
        let mut heard = disk.clone();
        heard.masters[0].config_epoch = epoch(2);
        assert!(check.tell_config(who, &disk.masters[0].name, epoch(2)).is_ok());
        check.end(who, &disk);
        assert!(check.start(who, &heard).is_ok());
        assert!(check.tell_config(who, &disk.masters[0].name, epoch(3)).is_ok());
        check.end(who, &disk);
        assert!(check.start(who, &disk).is_ok());
        disk.masters[0].config_epoch = epoch(2);
        assert!(check.start(who, &disk).is_err());
        assert!(check.start(SentinelIndex(1), &disk).is_ok());
    }
}
