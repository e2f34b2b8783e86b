use std::collections::BTreeMap;

use vedette_core::{Effect, Event, EventKind, LogLevel, Publication, Rules};
use vedette_wire::events::{PAYLOAD_MAX, render};

use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Every published event has the words that its kind has (spec: interface 5), and publications are
/// numbered without a gap.
#[derive(Default)]
pub(super) struct EventsWellFormed {
    last: BTreeMap<SentinelIndex, u64>,
}

/// Events that tell of a path and numbers.
const SCRIPTS: &[EventKind] = &[
    EventKind::ScriptError,
    EventKind::ScriptTimeout,
    EventKind::ScriptDropped,
    EventKind::ScriptChild,
    EventKind::ScriptChildEnded,
];

/// Words of an instance: type, name, host, port, and for all but masters `@` and the master.
fn is_instance(words: &[&str]) -> bool {
    let is_port = |word: &str| word.parse::<u16>().is_ok();
    match words {
        ["master", name, _, port, ..] => !name.is_empty() && is_port(port),
        ["slave" | "sentinel", _, _, port, "@", _, _, master_port, ..] => {
            is_port(port) && is_port(master_port)
        }
        _ => false,
    }
}

fn is_well_formed(kind: EventKind, text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let no_gaps = words.iter().all(|word| !word.is_empty());
    let fine = if kind == EventKind::NewEpoch {
        words.len() == 1 && words[0].parse::<u64>().is_ok()
    } else if kind == EventKind::VoteForLeader {
        words.len() == 2 && words[0].len() == 40 && words[1].parse::<u64>().is_ok()
    } else if kind == EventKind::SwitchMaster {
        let [_, from, from_port, to, to_port] = words[..] else { return false };
        (from, from_port) != (to, to_port) && to_port.parse::<u16>().is_ok()
    } else if [EventKind::TiltEntered, EventKind::TiltLeft].contains(&kind) {
        text.starts_with("#tilt mode")
    } else {
        SCRIPTS.contains(&kind) || is_instance(&words)
    };
    fine && no_gaps && text.len() <= PAYLOAD_MAX && !text.contains(['\r', '\n'])
}

impl EventsWellFormed {
    fn publish(&mut self, who: SentinelIndex, publication: &Publication) -> Result<(), String> {
        let last = self.last.insert(who, publication.seq).unwrap_or(0);
        hold(publication.seq == last + 1, || {
            format!("publication {} follows {last}", publication.seq)
        })?;
        let shown = |event: &&Event| event.kind.level() > LogLevel::Debug;
        publication.events.iter().filter(shown).try_for_each(|event| {
            let payload = render(event).payload().clone();
            let text = String::from_utf8_lossy(&payload);
            hold(is_well_formed(event.kind, &text), || format!("{:?}: {text:?}", event.kind))
        })
    }
}

impl Invariant for EventsWellFormed {
    fn name(&self) -> &'static str {
        "events are well formed"
    }

    fn binds(&self, _: Rules) -> bool {
        true
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Ordered(Effect::Publish(publication)) => {
                self.publish(scene.sentinel, publication)
            }
            Seen::Started(_) => {
                self.last.remove(&scene.sentinel);
                Ok(())
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

    #[test]
    fn ill_formed_texts_are_found() {
        let sdown = EventKind::SdownEntered;
        assert!(is_well_formed(sdown, "master m0 10.1.0.1 6379"));
        assert!(is_well_formed(sdown, "slave a:1 10.1.0.2 6379 @ m0 10.1.0.1 6379"));
        assert!(!is_well_formed(sdown, "master m0 10.1.0.1"));
        assert!(!is_well_formed(sdown, "slave a:1 10.1.0.2 6379 @ m0 10.1.0.1 "));
        assert!(is_well_formed(EventKind::SwitchMaster, "m0 10.1.0.1 6379 10.1.0.2 6379"));
        assert!(!is_well_formed(EventKind::SwitchMaster, "m0 10.1.0.1 6379 10.1.0.1 6379"));
        assert!(!is_well_formed(EventKind::NewEpoch, "-1"));
    }

    #[test]
    fn a_gap_is_found() {
        let mut check = EventsWellFormed::default();
        let mut publish = |seq| {
            let publication = Publication {
                seq,
                masters: Vec::new(),
                listing: None,
                process: None,
                events: Vec::new(),
            };
            check.publish(SentinelIndex(0), &publication)
        };
        assert!(publish(1).is_ok());
        assert!(publish(2).is_ok());
        assert!(publish(4).is_err());
    }
}
