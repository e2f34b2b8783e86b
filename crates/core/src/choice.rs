//! The choice of a replica: one pure function from candidates to verdicts (spec: behaviour 10.5;
//! rules L4, L5).

use alloc::vec::Vec;
use core::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::ident::RunId;
use crate::query::Role;
use crate::time::{Span, Time};

/// Why a replica cannot be promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Exclusion {
    /// Subjectively down.
    Down,
    /// A connection is missing.
    Disconnected,
    /// No acceptable PING reply lately.
    SilentPing,
    /// Priority 0.
    NeverPromote,
    /// No INFO lately.
    StaleInfo,
    /// It lost its master too long before the others did.
    LinkDownTooLong,
    /// It follows another node since the master went down, and its link is up (rule L5).
    FollowsAnother,
}

/// What the choice looks at in a replica.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Subjectively down.
    pub down: bool,
    /// Both connections exist.
    pub linked: bool,
    /// Last acceptable PING reply.
    pub ok_reply_at: Time,
    /// Last INFO.
    pub info_at: Option<Time>,
    /// 0 means never.
    pub priority: u32,
    /// Replication offset.
    pub offset: u64,
    /// Run id, once known.
    pub run_id: Option<RunId>,
    /// How long its replication link has been down, as reported; negative if it does not know.
    pub link_down_ms: i64,
    /// Whether that link is up.
    pub link_up: bool,
    /// The role it reports.
    pub role: Role,
    /// Whether it says that it follows the present master.
    pub follows_master: bool,
    /// When it last changed whom it follows.
    pub changed_at: Time,
    /// When it turned to master, having followed the present one under the same run id.
    pub turned_at: Option<Time>,
}

/// What the choice looks at beside the replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    /// The present.
    pub now: Time,
    /// Since when the master is subjectively down.
    pub down_since: Option<Time>,
    /// That tells how long the replicas may have been without it: it gave an acceptable reply while
    /// this Sentinel watched it, and does not say that it is a replica.
    pub silence_known: bool,
    /// `down-after-milliseconds`.
    pub down_after: Span,
    /// PING-PERIOD.
    pub ping_period: Span,
    /// INFO-PERIOD.
    pub info_period: Span,
}

/// Judges every candidate. The result has the same order; exclusions say why not.
#[must_use]
pub fn judge(candidates: &[Candidate], at: &Circumstances) -> Vec<Option<Exclusion>> {
    let longest = longest_link_down(candidates, at);
    candidates.iter().map(|candidate| candidate.exclusion(at, longest)).collect()
}

/// Why this candidate may never be told to become a master as it is, whatever else is wrong with
/// it (rule L5). Other exclusions may pass by themselves.
#[must_use]
pub fn forbids(candidate: &Candidate, at: &Circumstances) -> Option<Exclusion> {
    if candidate.priority == 0 && !crate::mutant::Mutant::PriorityZero.lives() {
        return Some(Exclusion::NeverPromote);
    }
    let moved = at.down_since.is_some_and(|since| candidate.changed_at > since);
    let elsewhere =
        candidate.role == Role::Replica && candidate.link_up && !candidate.follows_master;
    (moved && elsewhere).then_some(Exclusion::FollowsAnother)
}

/// The index of the best eligible candidate.
#[must_use]
pub fn choose(candidates: &[Candidate], at: &Circumstances) -> Option<usize> {
    let verdicts = judge(candidates, at);
    let eligible = (0..candidates.len()).filter(|index| verdicts[*index].is_none());
    eligible.min_by_key(|index| candidates[*index].rank(at))
}

/// Whether the best is a stray master, and somebody who may be a current replica is only out of
/// sight: it may be back in a moment (rule L4).
pub(crate) fn has_stopgap_only(candidates: &[Candidate], at: &Circumstances) -> bool {
    let is_out_of_sight = |why: &Option<Exclusion>| match why {
        Some(
            Exclusion::Down
            | Exclusion::Disconnected
            | Exclusion::SilentPing
            | Exclusion::StaleInfo,
        ) => true,
        Some(Exclusion::NeverPromote | Exclusion::LinkDownTooLong | Exclusion::FollowsAnother)
        | None => false,
    };
    let others = candidates.iter().zip(judge(candidates, at));
    let mut better =
        others.filter(|(other, why)| other.role == Role::Replica && is_out_of_sight(why));
    choose(candidates, at).is_some_and(|best| candidates[best].class(at) == STRAY)
        && better.next().is_some()
}

/// The longest time without a master that is tolerated (rule L4): measured against the master's
/// silence or, if that is not known, against the luckiest replica that could be chosen.
fn longest_link_down(candidates: &[Candidate], at: &Circumstances) -> i64 {
    let silence = at.down_since.map_or(Span::ZERO, |since| at.now.since(since));
    let measure = if at.silence_known { None } else { least_link_down(candidates, at) };
    let measure = measure.unwrap_or_else(|| i64::try_from(silence.0).unwrap_or(i64::MAX));
    measure.saturating_add(i64::try_from((at.down_after * 10).0).unwrap_or(i64::MAX))
}

fn least_link_down(candidates: &[Candidate], at: &Circumstances) -> Option<i64> {
    candidates
        .iter()
        .filter(|candidate| candidate.role == Role::Replica && candidate.follows_master)
        .filter(|candidate| candidate.link_down_ms >= 0)
        .filter(|candidate| candidate.exclusion(at, i64::MAX).is_none())
        .map(|candidate| candidate.link_down_ms)
        .min()
}

/// The last class of candidates: an old or empty master.
const STRAY: u8 = 3;

impl Candidate {
    fn has_recent_info(&self, at: &Circumstances) -> bool {
        let valid = if at.down_since.is_some() { at.ping_period * 5 } else { at.info_period * 3 };
        self.info_at.is_some_and(|info_at| at.now.since(info_at) <= valid)
    }

    fn exclusion(&self, at: &Circumstances, longest_link_down: i64) -> Option<Exclusion> {
        let forbidden = forbids(self, at);
        if forbidden == Some(Exclusion::NeverPromote) {
            return forbidden;
        }
        if self.down {
            return Some(Exclusion::Down);
        }
        if !self.linked {
            return Some(Exclusion::Disconnected);
        }
        if at.now.since(self.ok_reply_at) > at.ping_period * 5 {
            return Some(Exclusion::SilentPing);
        }
        if !self.has_recent_info(at) {
            return Some(Exclusion::StaleInfo);
        }
        if self.link_down_ms > longest_link_down {
            return Some(Exclusion::LinkDownTooLong);
        }
        forbidden
    }

    fn class(&self, at: &Circumstances) -> u8 {
        let turned = self.turned_at.is_some_and(|turned| Some(turned) >= at.down_since);
        match self.role {
            Role::Master if turned => 0,
            Role::Replica if self.link_down_ms >= 0 => 1,
            Role::Replica => 2,
            Role::Master => STRAY,
        }
    }

    /// Best first: another leader's choice, then current replicas, then those that do not know how
    /// long they have been alone, then stray masters (rule L4).
    fn rank(&self, at: &Circumstances) -> (u8, u32, Reverse<u64>, Option<[u8; 40]>, bool) {
        let id = self.run_id.map(|id| id.lower_case());
        (self.class(at), self.priority, Reverse(self.offset), id.or(Some([0xff; 40])), id.is_none())
    }
}
