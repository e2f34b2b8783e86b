use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{Effect, Endpoint, Epoch, MasterName, Query, Rules};

use super::elections::{Elected, Elections};
use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Equal config epochs of a master name one address, whoever tells them, unless a failover at that
/// epoch was forced and went on without max(majority, quorum) votes (rule C1) or on a list of
/// members that was not whole yet (seed 10044114), or a member at the reference's pace voted for
/// two candidates. Epoch 0 is no version.
#[derive(Default)]
pub(super) struct OneAddress {
    elections: Elections,
    elected: BTreeMap<(MasterName, Epoch), Vec<Elected>>,
    told: BTreeMap<(MasterName, Epoch), (Endpoint, SentinelIndex)>,
    /// Epochs that may name two addresses.
    excused: BTreeSet<(MasterName, Epoch)>,
    /// What a Sentinel at the reference's pace was the first to tell: others may repeat it.
    old: BTreeSet<(MasterName, Epoch, Endpoint)>,
    /// Sentinels at the reference's pace.
    at_old_pace: BTreeSet<SentinelIndex>,
}

impl OneAddress {
    fn elect(&mut self, master: MasterName, epoch: Epoch, new: Elected) {
        let key = (master, epoch);
        let others = self.elected.entry(key.clone()).or_default();
        let is_twice = others.iter().any(|other| {
            other.who != new.who && other.won_by_double_votes(&new, &self.at_old_pace)
        });
        others.push(new.clone());
        if is_twice || new.forced && !new.has_majority() {
            self.excused.insert(key);
        }
    }

    fn tell(
        &mut self,
        who: SentinelIndex,
        rules: Rules,
        master: &MasterName,
        epoch: Epoch,
        address: &Endpoint,
    ) -> Result<(), String> {
        let key = (master.clone(), epoch);
        // Almost always nothing is new.
        if self.told.get(&key).is_some_and(|(told, _)| told == address) {
            return Ok(());
        }
        let word = (master.clone(), epoch, address.clone());
        if epoch == Epoch::ZERO || self.excused.contains(&key) || self.old.contains(&word) {
            return Ok(());
        }
        if rules != Rules::ALL {
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
        if scene.rules != Rules::ALL {
            self.at_old_pace.insert(scene.sentinel);
        }
        for (master, epoch, elected) in self.elections.see(scene, seen) {
            self.elect(master, epoch, elected);
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
        check.excused.insert((master.clone(), epoch));
        assert!(check.tell(SentinelIndex(1), Rules::ALL, &master, epoch, &two).is_ok());
    }

    #[test]
    fn an_order_without_a_majority_of_the_whole_group_excuses() {
        let (epoch, master) = (Epoch::new(2).unwrap_or_default(), MasterName::from("m0"));
        for (forced, group, excused) in [(true, 3, 1), (true, 1, 0), (false, 3, 0)] {
            let mut check = OneAddress::default();
            let elected = Elected {
                who: SentinelIndex(0),
                voters: ["a".to_owned()].into(),
                quorum: 1,
                votes: [SentinelIndex(0)].into(),
                forced,
                group,
            };
            check.elect(master.clone(), epoch, elected);
            assert_eq!(check.excused.len(), excused);
        }
    }

    #[test]
    fn only_double_votes_at_the_reference_s_pace_excuse() {
        let (epoch, master) = (Epoch::new(2).unwrap_or_default(), MasterName::from("m0"));
        let elected = |who: usize| Elected {
            who: SentinelIndex(who),
            voters: ["a", "b", "c"].map(str::to_owned).into(),
            quorum: 2,
            votes: [SentinelIndex(who), SentinelIndex(2)].into(),
            forced: false,
            group: 3,
        };
        for at_old_pace in [1, 2] {
            let mut check = OneAddress::default();
            check.at_old_pace.insert(SentinelIndex(at_old_pace));
            check.elect(master.clone(), epoch, elected(0));
            assert!(check.excused.is_empty());
            check.elect(master.clone(), epoch, elected(1));
            assert_eq!(check.excused.len(), usize::from(at_old_pace == 2));
        }
    }
}
