//! Sets of channels on which events are published: who cannot want an event is not asked.

use vedette_core::EventKind;
use vedette_wire::events::event_name;
use vedette_wire::glob::{Case, matches};

/// A set of channels, with a bit for each type of event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Channels(u64);

const _: () = assert!(EventKind::ALL.len() <= u64::BITS as usize, "a bit for each type of event");

impl Channels {
    /// The channel of this type of event.
    pub(crate) fn of(kind: EventKind) -> Self {
        Self(1 << kind as u32)
    }

    /// The channel of this name, if events are published on it.
    pub(crate) fn named(name: &[u8]) -> Self {
        Self::all_where(|channel| channel == name)
    }

    /// All channels that match.
    pub(crate) fn matching(pattern: &[u8]) -> Self {
        Self::all_where(|channel| matches(pattern, channel, Case::Sensitive))
    }

    /// Those of either.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a channel is in both.
    pub(crate) fn meet(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn all_where(is_wanted: impl Fn(&[u8]) -> bool) -> Self {
        let kinds = EventKind::ALL.iter().filter(|kind| is_wanted(event_name(**kind).as_bytes()));
        kinds.fold(Self::default(), |channels, kind| channels.and(Self::of(*kind)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_patterns_find_their_channels() {
        let switch = Channels::of(EventKind::SwitchMaster);
        assert_eq!(Channels::named(b"+switch-master"), switch);
        assert_eq!(Channels::named(b"+switch-*"), Channels::default());
        assert_eq!(Channels::matching(b"+switch-*"), switch);
        let down = Channels::of(EventKind::SdownEntered).and(Channels::of(EventKind::SdownLeft));
        assert_eq!(Channels::matching(b"?sdown"), down);
        assert!(down.meet(Channels::matching(b"*")) && !down.meet(switch));
    }

    #[test]
    fn every_type_has_a_bit_of_its_own() {
        let all = Channels::matching(b"*").0.count_ones();
        assert_eq!(all as usize, EventKind::ALL.len());
    }
}
