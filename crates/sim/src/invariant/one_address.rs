use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{Effect, Endpoint, Epoch, EventKind, MasterName, Query};

use super::{Invariant, hold, saved, shown};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Equal config epochs of a master name one address, whoever tells them, unless a failover at that
/// epoch was forced without a majority. Epoch 0 is no version.
#[derive(Default)]
pub(super) struct OneAddress {
    told: BTreeMap<(MasterName, Epoch), (Endpoint, SentinelIndex)>,
    forced: BTreeSet<(MasterName, Epoch)>,
}

impl OneAddress {
    fn tell(
        &mut self,
        who: SentinelIndex,
        master: &MasterName,
        epoch: Epoch,
        address: &Endpoint,
    ) -> Result<(), String> {
        let key = (master.clone(), epoch);
        if epoch == Epoch::ZERO || self.forced.contains(&key) {
            return Ok(());
        }
        let told = self.told.entry(key).or_insert_with(|| (address.clone(), who));
        hold(told.0 == *address, || {
            format!(
                "config epoch {epoch} of {master} is {address}, but Sentinel {} told {}",
                told.1.0, told.0
            )
        })
    }
}

impl Invariant for OneAddress {
    fn name(&self) -> &'static str {
        "equal config epochs name one address"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Ordered(Effect::Send { query: Query::Hello(hello), .. }) => {
                self.tell(scene.sentinel, &hello.master, hello.config_epoch, &hello.address)
            }
            Seen::Ordered(Effect::Publish(publication)) => {
                for event in &publication.events {
                    let Some(about) = event.about.as_ref() else { continue };
                    let view = shown(scene, &about.master);
                    let forced =
                        view.and_then(|view| view.failover).is_some_and(|failover| failover.forced);
                    if event.kind == EventKind::ElectedLeader
                        && forced
                        && let Some(record) = saved(scene.disk, &about.master)
                    {
                        let epoch = record.leader_epoch.unwrap_or_default();
                        self.forced.insert((about.master.clone(), epoch));
                    }
                }
                publication.masters.iter().try_for_each(|view| {
                    self.tell(scene.sentinel, &view.name, view.config_epoch, &view.node.address)
                })
            }
            Seen::Started(_)
            | Seen::Ended
            | Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Heard { .. }
            | Seen::Responded { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_address_under_one_epoch_is_found() {
        let mut check = OneAddress::default();
        let [one, two] = ["10.1.0.1", "10.1.0.2"].map(|host| Endpoint::new(host, 6379));
        let (epoch, master) = (Epoch::new(2).unwrap_or_default(), MasterName::from("m0"));
        assert!(check.tell(SentinelIndex(0), &master, epoch, &one).is_ok());
        assert!(check.tell(SentinelIndex(1), &master, Epoch::ZERO, &two).is_ok());
        assert!(check.tell(SentinelIndex(1), &master, epoch, &two).is_err());
        check.forced.insert((master.clone(), epoch));
        assert!(check.tell(SentinelIndex(1), &master, epoch, &two).is_ok());
    }
}
