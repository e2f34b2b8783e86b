use std::collections::BTreeMap;

use vedette_core::{Detail, Effect, Epoch, Event, MasterName, MasterView, Time};

use super::{Invariant, hold};
use crate::address;
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// An opinion lives for five ASK-PERIODs; a stall may delay its end, not its use.
const LIFE_MS: u64 = 5_000;

/// A master is objectively down only with the word of quorum Sentinels, oneself included, each
/// about this address, since the last switch, and not older than five ASK-PERIODs. That is judged
/// when it begins: its end may be late by a stall, and in TILT it has none.
#[derive(Default)]
pub(super) struct OdownHasReasons {
    /// What a peer last said: by hearer, group and peer.
    opinions: BTreeMap<(SentinelIndex, usize, SentinelIndex), Word>,
    /// Configurations as pictures showed them last.
    terms: BTreeMap<(SentinelIndex, MasterName), Epoch>,
    /// ODOWN as pictures showed it last.
    shown: BTreeMap<(SentinelIndex, MasterName), Time>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Word {
    about: String,
    down: bool,
    at_ms: u64,
}

impl OdownHasReasons {
    fn agreeing(&self, who: SentinelIndex, group: usize, about: &str, at_ms: u64) -> u32 {
        let counts = |((hearer, of, _), word): &(&(SentinelIndex, usize, SentinelIndex), &Word)| {
            (*hearer, *of) == (who, group)
                && word.down
                && word.about == about
                && at_ms - word.at_ms <= LIFE_MS
        };
        u32::try_from(self.opinions.iter().filter(counts).count()).unwrap_or(u32::MAX - 1)
    }

    /// A picture that shows a new ODOWN. (The event may wait behind a vote that is being saved.)
    fn look(&mut self, scene: &Scene<'_>, view: &MasterView) -> Result<(), String> {
        let Some(group) = address::group_of(&view.node.address) else { return Ok(()) };
        let key = (scene.sentinel, view.name.clone());
        if self.terms.insert(key.clone(), view.config_epoch) != Some(view.config_epoch) {
            // What was heard in this very turn may be about the new term already.
            self.opinions.retain(|(who, of, _), word| {
                (*who, *of) != (scene.sentinel, group) || word.at_ms == scene.at_ms
            });
        }
        let before = match view.odown_since {
            Some(since) => self.shown.insert(key, since),
            None => self.shown.remove(&key),
        };
        if view.odown_since.is_none() || view.odown_since == before {
            return Ok(());
        }
        let about = view.node.address.to_string();
        let heard = 1 + self.agreeing(scene.sentinel, group, &about, scene.at_ms);
        let quorum = view.settings.quorum;
        hold(heard >= quorum && view.node.sdown_since.is_some(), || {
            let heard: Vec<_> =
                self.opinions.iter().filter(|((who, ..), _)| *who == scene.sentinel).collect();
            format!("{} {about} is ODOWN with quorum {quorum}, but it heard {heard:?}", view.name)
        })
    }

    fn hear_event(event: &Event) -> Result<(), String> {
        let Detail::Agreement { count, quorum } = &event.detail else { return Ok(()) };
        hold(count >= quorum, || format!("+odown with {count}/{quorum}"))
    }
}

impl Invariant for OdownHasReasons {
    fn name(&self) -> &'static str {
        "ODOWN only with quorum fresh opinions"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Heard { by, question, opinion } => {
                if let Some(group) = address::group_of(&question.address) {
                    let about = question.address.to_string();
                    let word = Word { about, down: opinion.down, at_ms: scene.at_ms };
                    self.opinions.insert((scene.sentinel, group, *by), word);
                }
                Ok(())
            }
            Seen::Ordered(Effect::Publish(publication)) => {
                publication.events.iter().try_for_each(Self::hear_event)?;
                publication.masters.iter().try_for_each(|view| self.look(scene, view))
            }
            Seen::Started(_) | Seen::Ended => {
                self.opinions.retain(|(who, _, _), _| *who != scene.sentinel);
                self.shown.retain(|(who, _), _| *who != scene.sentinel);
                Ok(())
            }
            Seen::Took(_)
            | Seen::Ordered(_)
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
    fn old_and_foreign_opinions_do_not_count() {
        let mut check = OdownHasReasons::default();
        let who = SentinelIndex(0);
        let word = |about: &str, at_ms| Word { about: about.to_owned(), down: true, at_ms };
        check.opinions.insert((who, 0, SentinelIndex(1)), word("10.1.0.1:6379", 1_000));
        check.opinions.insert((who, 0, SentinelIndex(2)), word("10.1.0.2:6379", 1_000));
        assert_eq!(check.agreeing(who, 0, "10.1.0.1:6379", 6_000), 1);
        assert_eq!(check.agreeing(who, 0, "10.1.0.1:6379", 6_001), 0);
    }
}
