//! Stands in until the core has its state machine.
use vedette_core::{Config, DurableState, Effect, Input, Now, Time};

pub(crate) struct Sentinel;

impl Sentinel {
    pub(crate) fn start(_: Config, _: DurableState, _: u64, _: Now) -> Self {
        Self
    }
    pub(crate) fn handle_input(&mut self, _: Now, _: Input) {}
    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        None
    }
    pub(crate) fn poll_deadline(&self) -> Option<Time> {
        None
    }
}
