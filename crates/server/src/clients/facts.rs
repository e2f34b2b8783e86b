//! What INFO shows of the process (spec: interface 6).

use std::sync::atomic::Ordering::Relaxed;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;
use rustix::process::Pid;
use vedette_wire::client::{ClientsFacts, CpuFacts, PauseFacts, ServerFacts};

use super::House;

impl House {
    pub(super) fn server_facts(&self) -> ServerFacts {
        let now = self.clock.time();
        let mut process = self.facts.clone();
        process.uptime_secs = now.0 / 1000;
        ServerFacts {
            process,
            clients: ClientsFacts {
                connected: self.roll.connected(),
                max: self.rules.maxclients,
                recent_max_input: self.counters.recent_max_input.load(Relaxed),
                recent_max_output: self.counters.recent_max_output.load(Relaxed),
                subscribers: self.counters.subscribers.load(Relaxed),
                tracking: self.counters.tracking.load(Relaxed),
                pause: self.pause(now).map(|pause| PauseFacts {
                    writes_only: pause.writes_only,
                    left_ms: pause.until.since(now).0,
                }),
            },
            stats: self.counters.stats(now),
            cpu: cpu(self.control_thread),
        }
    }
}

fn cpu(control_thread: Pid) -> CpuFacts {
    let [own, children] =
        [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN].map(|who| getrusage(who).ok());
    let system = |usage: &Option<Usage>| usage.map_or(0, |usage| micros(usage.system_time()));
    let user = |usage: &Option<Usage>| usage.map_or(0, |usage| micros(usage.user_time()));
    let (main_system_us, main_user_us) =
        crate::control::cpu_time_us(control_thread).unwrap_or_default();
    CpuFacts {
        system_us: system(&own),
        user_us: user(&own),
        children_system_us: system(&children),
        children_user_us: user(&children),
        main_system_us,
        main_user_us,
    }
}

fn micros(time: TimeVal) -> u64 {
    u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap_or_default()
}
