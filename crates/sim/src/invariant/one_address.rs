use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{Effect, Endpoint, Epoch, MasterName, Query, Rules};

use super::elections::Elections;
use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Equal config epochs of a master name one address, whoever tells them, unless a failover at that
/// epoch was forced and went on without max(majority, quorum) votes (rule C1). Epoch 0 is no
/// version.
#[derive(Default)]
pub(super) struct OneAddress {
    elections: Elections,
    told: BTreeMap<(MasterName, Epoch), (Endpoint, SentinelIndex)>,
    forced: BTreeSet<(MasterName, Epoch)>,
    /// What a Sentinel at the reference's pace was the first to tell: others may repeat it.
    old: BTreeSet<(MasterName, Epoch, String)>,
}

impl OneAddress {
    fn tell(
        &mut self,
        who: SentinelIndex,
        rules: Rules,
        master: &MasterName,
        epoch: Epoch,
        address: &Endpoint,
    ) -> Result<(), String> {
        let key = (master.clone(), epoch);
        let word = (master.clone(), epoch, address.to_string());
        if epoch == Epoch::ZERO || self.forced.contains(&key) || self.old.contains(&word) {
            return Ok(());
        }
        let is_news = self.told.get(&key).is_none_or(|(told, _)| told != address);
        if rules != Rules::ALL && is_news {
            self.old.insert(word);
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

    fn binds(&self, _: Rules) -> bool {
        true
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        for (master, epoch, elected) in self.elections.see(scene, seen) {
            if elected.forced && !elected.has_votes() {
                self.forced.insert((master, epoch));
            }
        }
        match seen {
            Seen::Ordered(Effect::Send { query: Query::Hello(hello), .. }) => self.tell(
                scene.sentinel,
                scene.rules,
                &hello.master,
                hello.config_epoch,
                &hello.address,
            ),
            Seen::Ordered(Effect::Publish(publication)) => {
                publication.masters.iter().try_for_each(|view| {
                    let (name, address) = (&view.name, &view.node.address);
                    self.tell(scene.sentinel, scene.rules, name, view.config_epoch, address)
                })
            }
            Seen::Started(_)
            | Seen::Ended
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

    #[test]
    fn another_address_under_one_epoch_is_found() {
        let mut check = OneAddress::default();
        let [one, two] = ["10.1.0.1", "10.1.0.2"].map(|host| Endpoint::new(host, 6379));
        let (epoch, master) = (Epoch::new(2).unwrap_or_default(), MasterName::from("m0"));
        assert!(check.tell(SentinelIndex(0), Rules::ALL, &master, epoch, &one).is_ok());
        assert!(check.tell(SentinelIndex(1), Rules::ALL, &master, Epoch::ZERO, &two).is_ok());
        assert!(check.tell(SentinelIndex(1), Rules::ALL, &master, epoch, &two).is_err());
        check.forced.insert((master.clone(), epoch));
        assert!(check.tell(SentinelIndex(1), Rules::ALL, &master, epoch, &two).is_ok());
    }
}
