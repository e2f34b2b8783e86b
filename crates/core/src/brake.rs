//! The brake of a mass failover: of the replicas on one host only so many are promoted at a time,
//! in the order in which their masters' failovers came so far.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::failover::Failover;
use crate::group::Group;
use crate::host::{Cx, NodeId};
use crate::ident::MasterId;
use crate::limits;
use crate::time::Time;

/// Who may order, and who waits, for each host of data nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Brake {
    lanes: BTreeMap<Arc<str>, Lane>,
}

/// Promotions on one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Lane {
    /// Ordered and not yet seen to be done: until when each counts. A host that hangs must not hold
    /// up the rest of its masters for ever.
    under_way: VecDeque<(MasterId, Time)>,
    /// Everything else about these orders is ready.
    waiting: VecDeque<MasterId>,
}

/// A group's place in a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pass {
    host: Arc<str>,
    /// It orders; otherwise it waits.
    is_ordering: bool,
}

impl Lane {
    /// How many more may order.
    fn free(&mut self, limit: usize, now: Time) -> usize {
        self.under_way.retain(|(_, until)| *until > now);
        limit.max(1).saturating_sub(self.under_way.len())
    }

    /// When the orders that keep the one at this place of the queue from leaving have ended, at the
    /// latest.
    fn goes_by(&self, place: usize, free: usize, now: Time) -> Time {
        let order = self.under_way.get(place.saturating_sub(free)).or(self.under_way.back());
        order.map_or(now + limits::ORDER_COUNTS, |(_, until)| *until)
    }

    fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.waiting.is_empty()
    }
}

/// What the brake says to an order.
enum Word {
    /// It may leave.
    Go,
    /// It has a place in the queue now, and is to ask again when it is told, at the latest then.
    Queue(Time),
    /// It keeps its place, and is to ask again in the same way.
    Wait(Time),
}

impl Brake {
    /// Whether this master's order may leave now.
    fn asks(&mut self, host: &Arc<str>, master: MasterId, limit: usize, now: Time) -> Word {
        let lane = self.lanes.entry(host.clone()).or_default();
        let free = lane.free(limit, now);
        let queued = lane.waiting.iter().position(|waiting| *waiting == master);
        let place = queued.unwrap_or(lane.waiting.len());
        // Whose order counts still sends it again without waiting.
        let again = lane.under_way.iter().any(|(other, _)| *other == master);
        if again || place < free {
            lane.waiting.retain(|waiting| *waiting != master);
            lane.under_way.retain(|(other, _)| *other != master);
            lane.under_way.push_back((master, now + limits::ORDER_COUNTS));
            return Word::Go;
        }
        let by = lane.goes_by(place, free, now);
        if queued.is_some() {
            return Word::Wait(by);
        }
        lane.waiting.push_back(master);
        Word::Queue(by)
    }

    /// The master has no order on its way to this host any more, and waits for none. Those who may
    /// order now are told.
    fn leaves(
        &mut self,
        host: &Arc<str>,
        master: MasterId,
        limit: usize,
        now: Time,
        mut tell: impl FnMut(MasterId),
    ) {
        let Some(lane) = self.lanes.get_mut(host) else { return };
        lane.under_way.retain(|(other, _)| *other != master);
        lane.waiting.retain(|other| *other != master);
        let free = lane.free(limit, now);
        lane.waiting.iter().take(free).for_each(|next| tell(*next));
        if lane.is_empty() {
            self.lanes.remove(host);
        }
    }

    /// Masters that wait, and those that have ordered.
    pub(crate) fn count(&self) -> (usize, usize) {
        let sum = |count: fn(&Lane) -> usize| self.lanes.values().map(count).sum();
        (sum(|lane| lane.waiting.len()), sum(|lane| lane.under_way.len()))
    }
}

impl Group {
    /// Whether `SLAVEOF NO ONE` may leave to this replica as far as its host is concerned. All else
    /// is ready when this is asked, so that nobody waits for who cannot go.
    pub(crate) fn may_order(&mut self, cx: &mut Cx<'_>, candidate: NodeId) -> bool {
        let Some(replica) = self.replica(candidate) else { return false };
        let host = replica.node.address.host().clone();
        if let Some(other) = self.pass.take_if(|pass| pass.host != host) {
            self.leave(cx, &other);
        }
        let (limit, now) = (cx.host.config.promotions_per_host, cx.now.mono);
        let word = cx.host.brake.asks(&host, self.id, limit, now);
        let is_ordering = match word {
            Word::Go => true,
            Word::Queue(at) | Word::Wait(at) => {
                cx.wake(at);
                self.keep_ready(cx, candidate);
                false
            }
        };
        if let Word::Queue(_) = word {
            cx.host.counters.braked_promotions += 1;
        }
        self.pass = Some(Pass { host, is_ordering });
        is_ordering
    }

    /// While it waits for its host: what the order needs is there when its turn comes (rule L5).
    fn keep_ready(&mut self, cx: &mut Cx<'_>, candidate: NodeId) {
        let Some(replica) = self.replica_mut(candidate) else { return };
        replica.node.refresh_info(cx, limits::FRESH_INFO / 2);
    }

    /// The place in a queue, which must be asked for again: see [`Group::review_pass`].
    pub(crate) fn take_waiting_pass(&mut self) -> Option<Pass> {
        self.pass.take_if(|pass| !pass.is_ordering)
    }

    /// Gives back what is no longer needed: the order is done, or it cannot leave for another
    /// reason, and what it waits for then may take long.
    pub(crate) fn review_pass(&mut self, cx: &mut Cx<'_>, waited: Option<Pass>) {
        let awaits = self.failover.as_ref().is_some_and(Failover::awaits_promotion);
        if self.pass.as_ref().is_some_and(|pass| pass.is_ordering) && !awaits {
            self.leave_lane(cx);
        }
        let here = self.pass.as_ref().map(|pass| &pass.host);
        if let Some(waited) = waited.filter(|waited| Some(&waited.host) != here) {
            self.leave(cx, &waited);
        }
    }

    /// Nothing is ordered, and nothing waits to be.
    pub(crate) fn leave_lane(&mut self, cx: &mut Cx<'_>) {
        if let Some(pass) = self.pass.take() {
            self.leave(cx, &pass);
        }
    }

    fn leave(&self, cx: &mut Cx<'_>, pass: &Pass) {
        let (limit, now) = (cx.host.config.promotions_per_host, cx.now.mono);
        let touched = &mut cx.host.touched;
        cx.host.brake.leaves(&pass.host, self.id, limit, now, |next| {
            touched.insert(next);
        });
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const LIMIT: usize = 2;

    fn goes(brake: &mut Brake, master: u64, now: u64) -> bool {
        matches!(brake.asks(&"h".into(), MasterId(master), LIMIT, Time(now)), Word::Go)
    }

    fn leaves(brake: &mut Brake, master: u64, now: u64) -> Vec<u64> {
        let mut told = Vec::new();
        brake.leaves(&"h".into(), MasterId(master), LIMIT, Time(now), |next| told.push(next.0));
        told
    }

    #[test]
    fn who_came_first_goes_first() {
        let mut brake = Brake::default();
        assert!(goes(&mut brake, 1, 0) && goes(&mut brake, 2, 0));
        assert!(!goes(&mut brake, 3, 0) && !goes(&mut brake, 4, 0) && !goes(&mut brake, 5, 0));
        assert_eq!(brake.count(), (3, 2));
        assert_eq!(leaves(&mut brake, 1, 1), [3]);
        assert!(!goes(&mut brake, 4, 1), "3 was told");
        assert!(!goes(&mut brake, 6, 1), "and others wait");
        assert_eq!(leaves(&mut brake, 3, 1), [4], "it cannot go now");
        assert_eq!(leaves(&mut brake, 2, 1), [4, 5]);
        assert!(goes(&mut brake, 5, 1) && goes(&mut brake, 4, 1));
        assert!(!goes(&mut brake, 3, 1), "it has lost its place");
        for master in 3..=6 {
            leaves(&mut brake, master, 2);
        }
        assert_eq!(brake, Brake::default(), "nothing is kept");
    }

    #[test]
    fn an_order_counts_for_a_while_only() {
        let mut brake = Brake::default();
        assert!(goes(&mut brake, 1, 0) && goes(&mut brake, 2, 10));
        let ends = limits::ORDER_COUNTS.0;
        let word = brake.asks(&"h".into(), MasterId(3), LIMIT, Time(20));
        assert!(matches!(word, Word::Queue(at) if at == Time(ends)));
        assert!(goes(&mut brake, 3, ends));
        assert!(goes(&mut brake, 2, ends), "its own order again");
        assert!(!goes(&mut brake, 4, ends) && goes(&mut brake, 2, ends), "and again");
        assert!(matches!(brake.asks(&"other".into(), MasterId(5), LIMIT, Time(ends)), Word::Go));
    }
}
