//! How long a switch may take: a term for each wait that rules.md allows, so that the sum is what
//! was promised and no more.

use std::fmt;

use vedette_core::{MasterView, Tunable, Tunables};

use super::World;
use super::outage::Ordeal;
use crate::plan::Loss;

/// Waits in their order, each with the rule that allows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Patience(Vec<(&'static str, u64)>);

impl Patience {
    fn add(&mut self, rule: &'static str, ms: u64) {
        self.0.push((rule, ms));
    }

    pub(super) fn total_ms(&self) -> u64 {
        self.0.iter().map(|(_, ms)| ms).sum()
    }
}

impl fmt::Display for Patience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms: Vec<String> = self.0.iter().map(|(rule, ms)| format!("{rule} {ms}")).collect();
        write!(f, "{}", terms.join(", "))
    }
}

/// The numbers that the waits are made of, at the slowest Sentinel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    down_after_ms: u64,
    failover_timeout_ms: u64,
    /// Known Sentinels, and those of them that are in order.
    known: u64,
    alive: u64,
    /// The longest way, there and back.
    round_ms: u64,
    /// A save that waits for another.
    save_ms: u64,
    /// Between two PINGs to the master (rule E2).
    close_ping_ms: u64,
    /// What many masters that are gone at once add to the waits of an election (rule S3).
    throng_ms: u64,
}

/// Members that told an older vote are refusals after this (rule S5).
const LATE_VOTE_MS: u64 = 1_000;
/// A vote that is not durable by then is told by the next answer (rule V3).
const VOTE_PATIENCE_MS: u64 = 500;
/// The longest back-off after the first lost election (rule F2).
const LOST_PAUSE_MS: u64 = 250;
/// A leader waits so long for INFO before it ranks (rule L3).
const FRESH_INFO_MS: u64 = 100;
/// A member that does not answer is a refusal after this (rule S5), and a forced failover goes on
/// without a majority (rule C1).
const BALLOT_PATIENCE_MS: u64 = 500;
/// Nothing is told to a node twice within this (rule L5).
const AGAIN_MS: u64 = 1_000;
/// A replica that hung says how it is within this (spec: behaviour 5.1).
const FAST_INFO_MS: u64 = 1_000;
/// Processes that share a millisecond run one after the other, and rounding.
const SLACK_MS: u64 = 50;

fn tunable(tunable: Tunable) -> u64 {
    Tunables::default().get(tunable).0
}

impl Pace {
    /// The longest that a leader may work without progress (D).
    pub(super) fn longest_work_ms(&self) -> u64 {
        self.failover_timeout_ms.min(tunable(Tunable::ElectionTimeout) * 3 / 2)
    }

    fn detection(&self, terms: &mut Patience) {
        terms.add("E2", self.close_ping_ms * 6 / 5 + self.round_ms);
        terms.add("down-after", self.down_after_ms + 1);
        terms.add("S1", self.round_ms);
    }

    /// An election in which `dead` members do not take their turn.
    fn election(&self, dead: u64, terms: &mut Patience) {
        let step = (2 * (self.round_ms + self.save_ms / 2)).max(5) + self.throng_ms;
        let step = step.min(1_000);
        let dead = (self.known - self.alive + dead).min(self.known.saturating_sub(1));
        terms.add("S3", step * dead);
        let ballot_ms = self.save_ms * 2 + self.round_ms;
        let late = ballot_ms > VOTE_PATIENCE_MS;
        terms.add("S5, V3", ballot_ms + if late { VOTE_PATIENCE_MS + self.round_ms } else { 0 });
        // One election may be lost. If the others defer to who lost it, it stands again at another
        // epoch, where its turn may be the last.
        let lost_ms = if late { LATE_VOTE_MS } else { BALLOT_PATIENCE_MS + self.round_ms };
        let lost_ms = lost_ms + LOST_PAUSE_MS + 2 * self.throng_ms;
        terms.add("F2", lost_ms + step * self.known.saturating_sub(1));
    }

    fn promotion(&self, terms: &mut Patience) {
        terms.add("L3", FRESH_INFO_MS);
        terms.add("L5, L6", self.round_ms * 3);
        terms.add("L7", self.save_ms + self.round_ms);
    }

    /// A silent leader is given up (rule F1).
    fn leader_silence_ms(&self) -> u64 {
        let ping = self.down_after_ms.min(tunable(Tunable::PingPeriod));
        5_000.min(self.down_after_ms.max(1_000) + ping * 3 / 2) + self.round_ms
    }
}

impl World {
    /// The pace of a group as its healed Sentinels are set at this moment.
    pub(super) fn pace(&self, group: usize) -> Pace {
        let name = &self.plan.masters[group].name;
        let views: Vec<&MasterView> = self
            .healed_sentinels()
            .filter_map(|index| self.snapshot(index)?.master(name).map(|view| &**view))
            .collect();
        let longest = |of: fn(&MasterView) -> u64| views.iter().map(|view| of(view)).max();
        let down_after_ms = longest(|view| view.settings.down_after.0).unwrap_or(0);
        let network = &self.plan.network;
        let ping_ms = tunable(Tunable::PingPeriod).min(down_after_ms);
        // With many masters the process would send too many PINGs (rule E2).
        let close = self.plan.masters.len() <= 10;
        let close_ms = (down_after_ms / 10).max(100).min(ping_ms);
        Pace {
            down_after_ms,
            failover_timeout_ms: longest(|view| view.settings.failover_timeout.0).unwrap_or(0),
            known: longest(|view| view.sentinels.len() as u64 + 1).unwrap_or(1),
            alive: views.len() as u64,
            round_ms: 2 * (network.delay_ms + network.jitter_ms),
            save_ms: 2 * self.plan.commit_ms.1,
            close_ping_ms: if close { close_ms } else { ping_ms },
            throng_ms: if self.plan.gathers() { self.plan.masters.len() as u64 / 2 } else { 0 },
        }
    }

    /// Whether a save can hold back a member's PONGs, which follow the vote on the connection, for
    /// longer than some master's down-after: the shared link is closed then, and the vote with it.
    /// Nothing is promised for such disks (seed 7003460).
    pub(super) fn savers_look_dead(&self) -> bool {
        let down_afters = self.plan.masters.iter().map(|master| master.down_after_ms);
        let network = &self.plan.network;
        let held_ms = 2 * self.plan.commit_ms.1 + 2 * (network.delay_ms + network.jitter_ms);
        down_afters.min().is_some_and(|shortest_ms| held_ms >= shortest_ms)
    }

    /// How long the switch of a group may take after the loss, given what has gone wrong so far.
    pub(super) fn switch_patience(&self, ordeal: &Ordeal, pace: &Pace) -> Patience {
        let mut terms = Patience::default();
        let ping_ms = tunable(Tunable::PingPeriod);
        match ordeal.loss {
            Loss::Killed { .. } => {
                pace.detection(&mut terms);
                pace.election(0, &mut terms);
            }
            Loss::Forced { .. } => {
                terms.add("C1", pace.save_ms * 2 + pace.round_ms + BALLOT_PATIENCE_MS);
            }
        }
        pace.promotion(&mut terms);
        if let Some(fell) = ordeal.leader_fell {
            terms.add("F1", pace.leader_silence_ms());
            // What it began, others finish only after a detection of their own.
            terms.add("its fall", fell.after_ms);
            pace.election(1, &mut terms);
            pace.promotion(&mut terms);
        }
        if let Some(fell) = ordeal.chosen_fell {
            if fell.accepted {
                // A leader waits for the word of who accepted; announced, it is a dead master.
                let mut again = Patience::default();
                pace.detection(&mut again);
                terms.add("L1, D", pace.longest_work_ms().max(again.total_ms()));
                pace.election(0, &mut terms);
            } else {
                terms.add("down-after", pace.down_after_ms + ping_ms);
                terms.add("L1", 2 * ping_ms);
            }
            pace.promotion(&mut terms);
        }
        if let Some(for_ms) = ordeal.replicas_hang_ms {
            terms.add("replicas hang", for_ms);
            terms.add("E1", ping_ms * 6 / 5 + pace.round_ms);
            terms.add("F3", FAST_INFO_MS + pace.round_ms);
            pace.election(0, &mut terms);
        }
        terms.add("slack", SLACK_MS);
        terms
    }

    /// How long the old master may stay a master after a forced switch.
    pub(super) fn demotion_patience(&self, cut: bool, pace: &Pace) -> Patience {
        let mut terms = Patience::default();
        if cut {
            terms.add("R1", 4 * tunable(Tunable::PublishPeriod) + tunable(Tunable::InfoPeriod));
        } else {
            terms.add("R2", pace.round_ms);
        }
        terms.add("L5", AGAIN_MS + pace.round_ms * 2);
        terms.add("slack", SLACK_MS);
        terms
    }
}
