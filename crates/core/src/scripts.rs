//! Scripts: the queue, its limits and its retries (spec: behaviour 11).

use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::address::Endpoint;
use crate::effect::Effect;
use crate::event::{Detail, Event, EventKind};
use crate::host::Host;
use crate::ident::{JobId, MasterName};
use crate::input::ScriptEnd;
use crate::limits;
use crate::settings::Tunable;
use crate::time::{Span, Time};
use crate::view::ScriptView;

/// A script and what it is called with; `wire` spells the arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptCall {
    /// The program, as configured; also its argument 0.
    pub path: Arc<str>,
    /// The rest.
    pub arguments: ScriptArguments,
}

/// The two kinds of scripts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScriptArguments {
    /// `notification-script`: `<event type> <event text>`.
    Notification(Event),
    /// `client-reconfig-script`: `<name> <leader|observer> start <from> <to>`.
    ClientReconfig {
        /// Of which master.
        master: MasterName,
        /// Whether this Sentinel led the failover.
        leader: bool,
        /// The address before.
        from: Endpoint,
        /// The address now.
        to: Endpoint,
    },
}

/// Scripts that run or wait, in order. Two lanes: notifications never hold up the
/// reconfiguration of clients (spec: holes H37).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScriptQueue {
    jobs: Vec<Job>,
    next_job: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Job {
    id: JobId,
    call: Arc<ScriptCall>,
    attempts: u32,
    state: JobState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum JobState {
    Waiting { start_at: Time },
    Starting,
    Running { pid: u32, since: Time, killed: bool },
}

impl Job {
    fn is_notification(&self) -> bool {
        match self.call.arguments {
            ScriptArguments::Notification(_) => true,
            ScriptArguments::ClientReconfig { .. } => false,
        }
    }

    fn is_waiting(&self) -> bool {
        match self.state {
            JobState::Waiting { .. } => true,
            JobState::Starting | JobState::Running { .. } => false,
        }
    }
}

impl Host {
    /// Queues a script; a full lane drops its oldest waiting one, audibly.
    pub(crate) fn enqueue_script(&mut self, call: ScriptCall, now: Time) {
        let queue = &mut self.scripts;
        queue.next_job += 1;
        let id = JobId(queue.next_job);
        let job = Job {
            id,
            call: Arc::new(call),
            attempts: 0,
            state: JobState::Waiting { start_at: now },
        };
        let lane = job.is_notification();
        queue.jobs.push(job);
        self.outbox.process_changed = true;
        let jobs = &self.scripts.jobs;
        if jobs.iter().filter(|job| job.is_notification() == lane).count() > limits::SCRIPT_QUEUE {
            let oldest = |job: &Job| job.is_notification() == lane && job.is_waiting();
            if let Some(index) = jobs.iter().position(oldest) {
                let dropped = self.scripts.jobs.remove(index);
                self.counters.dropped_scripts += 1;
                let path = dropped.call.path.clone();
                self.emit_script(EventKind::ScriptDropped, Detail::ScriptDropped { path });
            }
        }
    }

    /// Starts what may start, and ends what ran too long.
    pub(crate) fn run_scripts(&mut self, now: Time) {
        let longest = self.tunables.get(Tunable::ScriptMaxRuntime);
        let mut overdue = Vec::new();
        for job in &mut self.scripts.jobs {
            if let JobState::Running { pid, since, killed } = &mut job.state
                && !*killed
                && now > *since + longest
            {
                *killed = true;
                overdue.push((job.id, job.call.path.clone(), *pid));
            }
        }
        for (job, path, pid) in overdue {
            self.emit_script(EventKind::ScriptTimeout, Detail::ScriptTimeout { path, pid });
            self.outbox.order(Effect::KillScript { job });
        }
        while let Some(job) = self.scripts.next_to_start(now) {
            let order = Effect::RunScript { job: job.id, call: job.call.clone() };
            self.outbox.process_changed = true;
            self.outbox.order(order);
        }
    }

    pub(crate) fn script_started(&mut self, id: JobId, pid: u32, now: Time) {
        if let Some(job) = self.scripts.find(id) {
            job.state = JobState::Running { pid, since: now, killed: false };
            self.outbox.process_changed = true;
            self.emit_script(EventKind::ScriptChild, Detail::ScriptChild { pid });
        }
    }

    pub(crate) fn script_failed_to_start(&mut self, id: JobId, now: Time) {
        let retry = now + limits::SAVE_RETRY;
        let Some(job) = self.scripts.find(id) else { return };
        job.state = JobState::Waiting { start_at: retry };
        let path = job.call.path.clone();
        if job.attempts >= limits::SCRIPT_ATTEMPTS {
            self.scripts.jobs.retain(|job| job.id != id);
        }
        let detail = Detail::ScriptError { path, signal: 99, code: 0 };
        self.emit_script(EventKind::ScriptError, detail);
    }

    /// A script ended: done, tried again later, or given up (spec: behaviour 11.3).
    pub(crate) fn script_ended(&mut self, id: JobId, end: ScriptEnd, now: Time) {
        let base = self.tunables.get(Tunable::ScriptRetryDelay);
        let Some(job) = self.scripts.find(id) else { return };
        let (code, signal) = match end {
            ScriptEnd::Exited(code) => (code, 0),
            ScriptEnd::Killed(signal) => (0, signal),
        };
        let pid = match job.state {
            JobState::Running { pid, .. } => pid,
            JobState::Waiting { .. } | JobState::Starting => 0,
        };
        let path = job.call.path.clone();
        let retry = (signal != 0 || code == 1) && job.attempts < limits::SCRIPT_ATTEMPTS;
        if retry {
            let doublings = job.attempts.saturating_sub(1).min(16);
            job.state = JobState::Waiting { start_at: now + base * (1 << doublings) };
        } else {
            self.scripts.jobs.retain(|job| job.id != id);
        }
        self.outbox.process_changed = true;
        let detail = Detail::ScriptChildEnded { pid, code, signal };
        self.emit_script(EventKind::ScriptChildEnded, detail);
        if !retry && (code != 0 || signal != 0) {
            let detail = Detail::ScriptError { path, signal, code };
            self.emit_script(EventKind::ScriptError, detail);
        }
    }

    fn emit_script(&mut self, kind: EventKind, detail: Detail) {
        self.emit(Event { kind, about: None, detail });
    }
}

impl ScriptQueue {
    pub(crate) fn len(&self) -> usize {
        self.jobs.len()
    }

    fn find(&mut self, id: JobId) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    /// The oldest job that may start now, marked as starting.
    fn next_to_start(&mut self, now: Time) -> Option<&Job> {
        let (may_start, may_notify) = self.places();
        if !may_start {
            return None;
        }
        let ready = |job: &&mut Job| match job.state {
            JobState::Waiting { start_at } => {
                start_at <= now && (may_notify || !job.is_notification())
            }
            JobState::Starting | JobState::Running { .. } => false,
        };
        let job = self.jobs.iter_mut().find(ready)?;
        job.attempts += 1;
        job.state = JobState::Starting;
        Some(job)
    }

    /// When a script is to be started or ended. Who waits for a place waits for an ending.
    pub(crate) fn deadline(&self, longest: Span) -> Option<Time> {
        let (may_start, may_notify) = self.places();
        let moments = self.jobs.iter().filter_map(|job| match job.state {
            JobState::Waiting { start_at } => {
                (may_start && (may_notify || !job.is_notification())).then_some(start_at)
            }
            JobState::Starting => None,
            JobState::Running { since, killed, .. } => {
                (!killed).then_some(since + longest + Span(1))
            }
        });
        moments.min()
    }

    /// Whether any script, and whether a notification, may start.
    fn places(&self) -> (bool, bool) {
        let running = self.jobs.iter().filter(|job| !job.is_waiting());
        let (mut all, mut notifying) = (0, 0);
        for job in running {
            all += 1;
            notifying += usize::from(job.is_notification());
        }
        (all < limits::SCRIPTS_RUNNING, notifying < limits::NOTIFICATIONS_RUNNING)
    }

    pub(crate) fn view(&self) -> Vec<ScriptView> {
        let view = |job: &Job| {
            let (running, start_at) = match job.state {
                JobState::Waiting { start_at } => (None, start_at),
                JobState::Starting => (None, Time::default()),
                JobState::Running { pid, since, .. } => (Some((pid, since)), since),
            };
            let (id, call) = (job.id, job.call.clone());
            ScriptView { job: id, call, running, start_at, attempts: job.attempts }
        };
        self.jobs.iter().map(view).collect()
    }
}
