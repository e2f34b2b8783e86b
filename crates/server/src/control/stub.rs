//! Stands in until the core has its state machine.
use vedette_core::{Config, DurableState, Effect, Input, Now, Time};

pub(crate) struct Sentinel;

impl Sentinel {
    pub(crate) fn start(_: Config, _: DurableState, _: u64, _: Now) -> Self {
        Self
    }
}

impl super::Core for Sentinel {
    fn handle_input(&mut self, _: Now, _: Input) {}
    fn poll_effect(&mut self) -> Option<Effect> {
        None
    }
    fn poll_deadline(&self) -> Option<Time> {
        None
    }
}
