//! What happened in a run, as people and checks read it.

use bytes::Bytes;

use crate::sentinel_host::SentinelIndex;

/// One event of one Sentinel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Virtual time in milliseconds.
    pub at_ms: u64,
    /// Who said it.
    pub sentinel: SentinelIndex,
    /// The event type, as `+sdown`.
    pub channel: &'static str,
    /// Its text.
    pub payload: Bytes,
}

impl Moment {
    /// Its text, readable.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// All events of a run in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline(Vec<Moment>);

impl Timeline {
    pub(crate) fn add(&mut self, moment: Moment) {
        self.0.push(moment);
    }

    /// Everything.
    #[must_use]
    pub fn moments(&self) -> &[Moment] {
        &self.0
    }

    /// Every time that anybody said this.
    #[must_use]
    pub fn all(&self, channel: &str) -> Vec<&Moment> {
        self.0.iter().filter(|moment| moment.channel == channel).collect()
    }

    /// How often anybody said this.
    #[must_use]
    pub fn count(&self, channel: &str) -> usize {
        self.all(channel).len()
    }

    /// One line each, with the time relative to `zero_ms`.
    #[must_use]
    pub fn print(&self, zero_ms: u64) -> String {
        let line = |moment: &Moment| {
            let at = i128::from(moment.at_ms) - i128::from(zero_ms);
            format!("{at:>7} {:?} {} {}\n", moment.sentinel, moment.channel, moment.text())
        };
        self.0.iter().map(line).collect()
    }
}
