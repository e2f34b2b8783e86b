use std::collections::{BTreeMap, BTreeSet};

use vedette_core::{
    Detail, Effect, Event, Input, JobId, LogLevel, SavedMaster, ScriptArguments, ScriptCall,
    ScriptEnd, Tunable,
};

use super::{Invariant, hold};
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// Scripts that may run at once, and notifications among them (spec: behaviour 11.3, holes H37).
const RUNNING_MAX: (usize, usize) = (16, 12);
/// Starts of one script.
const ATTEMPTS_MAX: u32 = 10;

/// A script runs at most once per event and master, in this life of the process: a job stands for
/// an event that was published; it is started again only after exit code 1, a signal or a failed
/// start, ten times at most, after a pause that doubles; never twice at once; never more jobs at
/// once than the limit; and it is killed only after its time.
#[derive(Default)]
pub(super) struct ScriptsOnce {
    jobs: BTreeMap<(SentinelIndex, JobId), Job>,
    ended: BTreeSet<(SentinelIndex, JobId)>,
    /// Some master has scripts.
    on: bool,
    /// Jobs beyond published events: orders leave before the picture of their turn.
    balance: BTreeMap<(SentinelIndex, String), i64>,
    /// Of which of them there are too many, and since when.
    suspects: BTreeMap<(SentinelIndex, String), u64>,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    is_notification: bool,
    attempts: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running { since_ms: u64, killed: bool },
    Waiting { until_ms: u64 },
}

fn key_of_call(call: &ScriptCall) -> String {
    match &call.arguments {
        ScriptArguments::Notification(event) => format!("{event:?}"),
        ScriptArguments::ClientReconfig { master, from, to, .. } => {
            format!("{master} from {from} to {to}")
        }
    }
}

/// The scripts that an event stands for.
fn keys_of_event(event: &Event) -> impl Iterator<Item = String> {
    let about = event.about.as_ref();
    let notifies = about.is_some() && event.kind.level() == LogLevel::Warning;
    let switched =
        if let Detail::Switch { from, to } = &event.detail { Some((from, to)) } else { None };
    let reconfigures = switched.zip(about);
    let reconfigures =
        reconfigures.map(|((from, to), about)| format!("{} from {from} to {to}", about.master));
    notifies.then(|| format!("{event:?}")).into_iter().chain(reconfigures)
}

impl ScriptsOnce {
    fn start(
        &mut self,
        (at_ms, who): (u64, SentinelIndex),
        id: JobId,
        is_notification: bool,
        key: impl FnOnce() -> String,
    ) -> Result<(), String> {
        hold(!self.ended.contains(&(who, id)), || format!("{id:?} is started, but it is done"))?;
        let running = |job: &&Job| matches!(job.state, State::Running { .. });
        let mine = self.jobs.range((who, JobId(0))..=(who, JobId(u64::MAX)));
        let running: Vec<&Job> = mine.map(|(_, job)| job).filter(running).collect();
        let notifying = running.iter().filter(|job| job.is_notification).count();
        let fits = running.len() < RUNNING_MAX.0 && (!is_notification || notifying < RUNNING_MAX.1);
        hold(fits, || format!("{id:?} is started while {} run", running.len()))?;
        let state = State::Running { since_ms: at_ms, killed: false };
        let Some(job) = self.jobs.get_mut(&(who, id)) else {
            self.jobs.insert((who, id), Job { is_notification, attempts: 1, state });
            self.count(at_ms, who, key(), 1);
            return Ok(());
        };
        let due = matches!(job.state, State::Waiting { until_ms } if until_ms <= at_ms);
        hold(due && job.attempts < ATTEMPTS_MAX, || format!("{id:?} is started again: {job:?}"))?;
        (job.attempts, job.state) = (job.attempts + 1, state);
        Ok(())
    }

    fn count(&mut self, at_ms: u64, who: SentinelIndex, key: String, change: i64) {
        let balance = self.balance.entry((who, key.clone())).or_default();
        *balance += change;
        if *balance > 0 {
            self.suspects.entry((who, key)).or_insert(at_ms);
        } else {
            self.suspects.remove(&(who, key));
        }
    }

    /// Retries begin with this pause.
    fn end(&mut self, at_ms: u64, who: SentinelIndex, id: JobId, again: Option<u64>) {
        let Some(job) = self.jobs.get_mut(&(who, id)) else { return };
        match again.filter(|_| job.attempts < ATTEMPTS_MAX) {
            Some(pause_ms) => job.state = State::Waiting { until_ms: at_ms + pause_ms },
            None => {
                self.jobs.remove(&(who, id));
                self.ended.insert((who, id));
            }
        }
    }

    fn kill(
        &mut self,
        at_ms: u64,
        who: SentinelIndex,
        id: JobId,
        longest_ms: u64,
    ) -> Result<(), String> {
        let job = self.jobs.get_mut(&(who, id)).map(|job| &mut job.state);
        let Some(State::Running { since_ms, killed: killed @ false }) = job else {
            return Err(format!("{id:?} is killed, but it is {job:?}"));
        };
        *killed = true;
        let since_ms = *since_ms;
        hold(at_ms > since_ms + longest_ms, || {
            format!("{id:?} is killed after {} ms", at_ms - since_ms)
        })
    }

    fn pause_ms(&self, scene: &Scene<'_>, id: JobId) -> u64 {
        let attempts = self.jobs.get(&(scene.sentinel, id)).map_or(1, |job| job.attempts);
        tunable(scene, Tunable::ScriptRetryDelay) << (attempts - 1).min(16)
    }

    fn judge(&self, at_ms: u64, who: SentinelIndex) -> Result<(), String> {
        let extra =
            self.suspects.iter().find(|((of, _), since_ms)| *of == who && **since_ms < at_ms);
        hold(extra.is_none(), || format!("more scripts than events: {extra:?}"))
    }
}

fn tunable(scene: &Scene<'_>, tunable: Tunable) -> u64 {
    let process = scene.snapshot.and_then(|snapshot| snapshot.process());
    process.map_or(0, |process| process.tunables.get(tunable).0)
}

impl Invariant for ScriptsOnce {
    fn name(&self) -> &'static str {
        "a script runs once for an event"
    }

    fn binds(&self, _: vedette_core::Rules) -> bool {
        true
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let (at_ms, who) = (scene.at_ms, scene.sentinel);
        if !self.suspects.is_empty() {
            self.judge(at_ms, who)?;
        }
        match seen {
            Seen::Ordered(Effect::RunScript { job, call }) => {
                let is_notification = matches!(call.arguments, ScriptArguments::Notification(_));
                self.start((at_ms, who), *job, is_notification, || key_of_call(call))
            }
            Seen::Ordered(Effect::KillScript { job }) => {
                self.kill(at_ms, who, *job, tunable(scene, Tunable::ScriptMaxRuntime))
            }
            Seen::Ordered(Effect::Publish(publication)) if self.on => {
                for key in publication.events.iter().flat_map(keys_of_event) {
                    self.count(at_ms, who, key, -1);
                }
                Ok(())
            }
            Seen::Took(Input::ScriptFailedToStart { job }) => {
                self.end(at_ms, who, *job, Some(0));
                Ok(())
            }
            Seen::Took(Input::ScriptEnded { job, end }) => {
                let again = match end {
                    ScriptEnd::Exited(1) | ScriptEnd::Killed(_) => Some(self.pause_ms(scene, *job)),
                    ScriptEnd::Exited(_) => None,
                };
                self.end(at_ms, who, *job, again);
                Ok(())
            }
            Seen::Started(state) => {
                let has_script = |m: &SavedMaster| m.settings.notification_script.is_some();
                self.on |= state.masters.iter().any(has_script);
                Ok(())
            }
            Seen::Ended => {
                self.jobs.retain(|(of, _), _| *of != who);
                self.ended.retain(|(of, _)| *of != who);
                self.balance.retain(|(of, _), _| *of != who);
                self.suspects.retain(|(of, _), _| *of != who);
                Ok(())
            }
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: SentinelIndex = SentinelIndex(0);
    const ID: JobId = JobId(1);

    fn start(check: &mut ScriptsOnce, at_ms: u64, id: JobId) -> Result<(), String> {
        check.start((at_ms, WHO), id, true, || "event".to_owned())
    }

    #[test]
    fn a_job_is_not_started_twice_nor_early_nor_when_done() {
        let mut check = ScriptsOnce::default();
        assert!(start(&mut check, 0, ID).is_ok());
        assert!(start(&mut check, 1, ID).is_err(), "it runs");
        check.end(5, WHO, ID, Some(100));
        assert!(start(&mut check, 104, ID).is_err(), "too early");
        assert!(start(&mut check, 105, ID).is_ok());
        check.end(106, WHO, ID, None);
        assert!(start(&mut check, 500, ID).is_err(), "it is done");
    }

    #[test]
    fn more_jobs_than_events_or_places_are_found() {
        let mut check = ScriptsOnce::default();
        assert!(start(&mut check, 0, ID).is_ok());
        assert!(check.judge(0, WHO).is_ok(), "the event may come in this turn");
        assert!(check.judge(1, WHO).is_err());
        check.count(0, WHO, "event".to_owned(), -1);
        assert!(check.judge(1, WHO).is_ok());
        let started = (2..=20).filter(|id| start(&mut check, 0, JobId(*id)).is_ok());
        assert_eq!(started.count(), RUNNING_MAX.1 - 1);
    }

    #[test]
    fn a_script_is_killed_after_its_time_and_once() {
        let mut check = ScriptsOnce::default();
        assert!(start(&mut check, 0, ID).is_ok());
        assert!(check.kill(1_500, WHO, ID, 1_500).is_err());
        let mut check = ScriptsOnce::default();
        assert!(start(&mut check, 0, ID).is_ok());
        assert!(check.kill(1_501, WHO, ID, 1_500).is_ok());
        assert!(check.kill(1_502, WHO, ID, 1_500).is_err());
    }
}
