//! Exploring to the end, or until a hole is found.

use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model};

use crate::group::{Group, World};
use crate::moves::Move;

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Different states, Sentinels' numbers aside.
    pub states: usize,
    /// Moves tried.
    pub moves: usize,
    /// Whether every state within the bounds was seen.
    pub exhausted: bool,
    /// How long it took.
    pub took: Duration,
    /// Properties that do not hold, each with a way there.
    pub holes: Vec<(&'static str, Vec<Move>)>,
    /// Situations that were never reached although they must be.
    pub unreached: Vec<&'static str>,
}

impl Group {
    /// Visits every state, on so many threads; gives up after `patience`.
    #[must_use]
    pub fn explore(self, threads: usize, patience: Duration) -> Report {
        let started = Instant::now();
        let checker = self.checker().threads(threads).timeout(patience);
        let checker = checker.symmetry_fn(World::representative).spawn_dfs().join();
        self.report(&checker, started, patience)
    }

    /// Looks for the shortest way to break `property`; gives up after `patience`.
    #[must_use]
    pub fn hunt(self, property: &'static str, threads: usize, patience: Duration) -> Report {
        let started = Instant::now();
        let found = HasDiscoveries::AnyOf([property].into());
        let checker = self.checker().threads(threads).timeout(patience).finish_when(found);
        self.report(&checker.spawn_bfs().join(), started, patience)
    }

    /// Looks for the shortest way to break any property; gives up after `patience`.
    #[must_use]
    pub fn hunt_any(self, threads: usize, patience: Duration) -> Report {
        let started = Instant::now();
        let checker = self.checker().threads(threads).timeout(patience);
        let checker = checker.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        self.report(&checker, started, patience)
    }

    fn report(self, checker: &impl Checker<Self>, started: Instant, patience: Duration) -> Report {
        let mut discoveries = checker.discoveries();
        let (mut holes, mut unreached) = (Vec::new(), Vec::new());
        for property in self.properties() {
            let path = discoveries.remove(property.name).map(stateright::Path::into_actions);
            match (property.expectation, path) {
                (stateright::Expectation::Sometimes, None) => unreached.push(property.name),
                (stateright::Expectation::Sometimes, Some(_)) => {}
                (_, Some(path)) => holes.push((property.name, path)),
                (_, None) => {}
            }
        }
        let took = started.elapsed();
        Report {
            states: checker.unique_state_count(),
            moves: checker.state_count(),
            exhausted: took < patience && holes.is_empty(),
            took,
            holes,
            unreached,
        }
    }
}
