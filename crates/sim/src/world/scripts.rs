//! Scripts that Sentinels run: they end well, fail, hang, or do not even start.

use std::collections::VecDeque;

use vedette_core::{Input, JobId, Request, ScriptEnd, Span, Tunable};

use super::World;
use crate::agenda::Happening;
use crate::sentinel_host::SentinelIndex;

/// Retries begin after this, so that a run sees some.
const RETRY_MS: u64 = 200;
/// A script that runs longer is killed.
const LONGEST_MS: u64 = 1_500;
/// How long a script runs that does not hang, from and to.
const RUNS_MS: (u64, u64) = (1, 1_400);
/// How long killing takes.
const DIES_MS: u64 = 20;

impl World {
    /// An operator sets short times, as `SENTINEL DEBUG` does.
    pub(super) fn hurry_scripts(&mut self, index: SentinelIndex) {
        if self.plan.scripts {
            let times =
                [(Tunable::ScriptRetryDelay, RETRY_MS), (Tunable::ScriptMaxRuntime, LONGEST_MS)];
            let times = times.map(|(tunable, ms)| (tunable, Span(ms)));
            self.request(index, Request::Tune(times.to_vec()));
        }
    }

    pub(super) fn run_script(
        &mut self,
        index: SentinelIndex,
        job: JobId,
        inputs: &mut VecDeque<Input>,
    ) {
        let chance = &mut self.chance.scripts;
        if chance.percent(5) {
            inputs.push_back(Input::ScriptFailedToStart { job });
            return;
        }
        let Some(process) = &mut self.sentinels[index.0].process else { return };
        process.scripts.insert(job);
        let pid = u32::try_from(job.0 % 30_000).unwrap_or(0) + 1_000;
        inputs.push_back(Input::ScriptStarted { job, pid });
        let end = match chance.below(20) {
            0 => return,
            1 | 2 => ScriptEnd::Exited(1),
            3 => ScriptEnd::Exited(2),
            4 => ScriptEnd::Killed(15),
            _ => ScriptEnd::Exited(0),
        };
        let runs_ms = chance.spread(RUNS_MS.0, RUNS_MS.1);
        self.time_script(index, job, end, runs_ms);
    }

    pub(super) fn kill_script(&mut self, index: SentinelIndex, job: JobId) {
        self.witness.reach("a script was killed");
        self.time_script(index, job, ScriptEnd::Killed(9), DIES_MS);
    }

    fn time_script(&mut self, sentinel: SentinelIndex, job: JobId, end: ScriptEnd, in_ms: u64) {
        let life = self.sentinels[sentinel.0].life;
        let happening = Happening::ScriptEnds { sentinel, life, job, end };
        self.agenda.add(self.now_ms + in_ms, happening);
    }

    pub(super) fn script_ends(
        &mut self,
        sentinel: SentinelIndex,
        life: u64,
        job: JobId,
        end: ScriptEnd,
    ) {
        let host = &mut self.sentinels[sentinel.0];
        if host.life != life {
            return;
        }
        if host.stalled_until.is_some() {
            host.held.push(Happening::ScriptEnds { sentinel, life, job, end });
            return;
        }
        let ran = host.process.as_mut().is_some_and(|process| process.scripts.remove(&job));
        if ran {
            self.run_turns(sentinel, VecDeque::from([Input::ScriptEnded { job, end }]));
        }
    }
}
