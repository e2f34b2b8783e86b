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

    fn start(&mut self, scene: &Scene<'_>, state: &vedette_core::DurableState) {
        self.config.retain(|(who, _), _| *who != scene.sentinel);
        for master in &state.masters {
            self.config.insert((scene.sentinel, master.name.clone()), master.config_epoch);
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
                self.start(scene, state);
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
            Seen::Ended
            | Seen::Took(_)
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
}
