use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use vedette_core::{
    Answer, ConnId, DurableChange, Effect, Epoch, EventKind, Hello, Input, Query,
    ReplicationTarget, Request, TransactionOutcome, Tunable,
};

use super::lines::Lines;
use super::{Invariant, hold, shown};
use crate::address;
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// The shortest time that a leader has before `SLAVEOF NO ONE`, and what it keeps back (rule L1).
const SLACK_MS: u64 = 1_000;

/// `SLAVEOF NO ONE` leaves within D - 1 s of the leader's own vote, and to nobody else once a
/// replica has accepted it in the same epoch (rule L1); not after a configuration with a higher
/// epoch was heard, and not after a stall above TILT-TRIGGER that came before the first (rule L2).
#[derive(Default)]
pub(super) struct LeaderInTime {
    lines: Lines,
    /// The last own vote of each Sentinel in each group, and when it was to be saved.
    votes: BTreeMap<(SentinelIndex, usize), (Epoch, u64)>,
    /// The highest config epoch that each heard of.
    heard: BTreeMap<(SentinelIndex, usize), Epoch>,
    /// Epochs whose failover a stall has ended.
    spent: BTreeSet<(SentinelIndex, usize, Epoch)>,
    /// Orders without an answer, oldest first, and whom they went to.
    waiting: BTreeMap<(SentinelIndex, ConnId), (usize, Epoch, SocketAddr)>,
    /// Epochs in which an order left.
    told: BTreeSet<(SentinelIndex, usize, Epoch)>,
    /// Who accepted.
    accepted: BTreeMap<(SentinelIndex, usize, Epoch), SocketAddr>,
}

impl LeaderInTime {
    fn save(&mut self, scene: &Scene<'_>, changes: &[DurableChange]) {
        for change in changes {
            if let DurableChange::Master(record) = change
                && let Some(vote) = &record.last_vote
                && let Some(group) = address::group_of(&record.address)
                && vote.leader == scene.id
            {
                let new = (vote.epoch, scene.at_ms);
                let known = self.votes.entry((scene.sentinel, group)).or_insert(new);
                if known.0 != vote.epoch {
                    *known = new;
                }
            }
        }
    }

    /// How long a leader may take.
    fn limit_ms(scene: &Scene<'_>, group: usize) -> Option<u64> {
        let snapshot = scene.snapshot?;
        let election_ms = snapshot.process()?.tunables.get(Tunable::ElectionTimeout).0;
        let mut masters = snapshot.masters();
        let view = masters.find(|view| address::group_of(&view.node.address) == Some(group))?;
        let longest_ms = view.settings.failover_timeout.0.min(election_ms + election_ms / 2);
        Some(longest_ms.saturating_sub(SLACK_MS).max(SLACK_MS))
    }

    fn order(
        &mut self,
        (who, conn): (SentinelIndex, ConnId),
        at_ms: u64,
        limit_ms: Option<u64>,
    ) -> Result<(), String> {
        let Some(to) = self.lines.get(who, conn).map(|line| line.to) else { return Ok(()) };
        let Some(group) = address::group_of_socket(to) else { return Ok(()) };
        let Some((epoch, voted_ms)) = self.votes.get(&(who, group)).copied() else { return Ok(()) };
        let key = (who, group, epoch);
        let what = || format!("SLAVEOF NO ONE to {to} at {epoch}");
        hold(limit_ms.is_none_or(|limit_ms| at_ms < voted_ms + limit_ms), || {
            format!("{}, its vote is of {voted_ms} ms, it has {limit_ms:?}", what())
        })?;
        let other = self.accepted.get(&key).filter(|accepted| **accepted != to);
        hold(other.is_none(), || format!("{}, but {other:?} has accepted it", what()))?;
        let heard = self.heard.get(&(who, group)).copied().unwrap_or_default();
        hold(heard < epoch, || format!("{}, but it has heard of {heard}", what()))?;
        hold(!self.spent.contains(&key), || format!("{}, after a stall", what()))?;
        self.told.insert(key);
        self.waiting.insert((who, conn), (group, epoch, to));
        Ok(())
    }

    fn answered(&mut self, who: SentinelIndex, conn: ConnId, outcome: &TransactionOutcome) {
        let Some((group, epoch, to)) = self.waiting.remove(&(who, conn)) else { return };
        if *outcome == TransactionOutcome::Done {
            self.accepted.insert((who, group, epoch), to);
        }
    }

    fn hear(&mut self, scene: &Scene<'_>, hello: &Hello) {
        let Some(group) = address::group_of(&hello.address) else { return };
        if hello.id != scene.id && shown(scene, &hello.master).is_some() {
            let heard = self.heard.entry((scene.sentinel, group)).or_default();
            *heard = (*heard).max(hello.config_epoch);
        }
    }

    /// What had not changed anything yet is over.
    fn stall(&mut self, who: SentinelIndex) {
        for ((of, group), (epoch, _)) in &self.votes {
            let key = (who, *group, *epoch);
            if *of == who && !self.told.contains(&key) {
                self.spent.insert(key);
            }
        }
    }

    fn forget(&mut self, who: SentinelIndex) {
        self.votes.retain(|(of, _), _| *of != who);
        self.heard.retain(|(of, _), _| *of != who);
        self.spent.retain(|(of, ..)| *of != who);
        self.told.retain(|(of, ..)| *of != who);
        self.waiting.retain(|(of, _), _| *of != who);
        self.accepted.retain(|(of, ..), _| *of != who);
    }
}

impl Invariant for LeaderInTime {
    fn name(&self) -> &'static str {
        "a leader promotes in time or not at all"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        self.lines.see(scene.at_ms, who, seen);
        match seen {
            Seen::Ordered(Effect::Persist { changes, .. }) => self.save(scene, changes),
            Seen::Ordered(Effect::Send {
                conn,
                query: Query::Replicate { target: ReplicationTarget::NoOne, .. },
            }) => {
                let line = self.lines.get(who, *conn);
                let group = line.and_then(|line| address::group_of_socket(line.to));
                let limit_ms = group.and_then(|group| Self::limit_ms(scene, group));
                return self.order((who, *conn), scene.at_ms, limit_ms);
            }
            Seen::Ordered(Effect::Publish(publication)) => {
                if publication.events.iter().any(|e| e.kind == EventKind::TiltEntered) {
                    self.stall(who);
                }
            }
            Seen::Took(Input::Answered { conn, answer: Answer::Replicate(outcome) }) => {
                self.answered(who, *conn, outcome);
            }
            Seen::Took(
                Input::MessageReceived { hello: Some(hello), .. }
                | Input::Requested { request: Request::Hello(Some(hello)), .. },
            ) => self.hear(scene, hello),
            Seen::Took(Input::Disconnected { conn } | Input::ConnectFailed { conn, .. })
            | Seen::Ordered(Effect::Close { conn }) => {
                self.waiting.remove(&(who, *conn));
            }
            Seen::Started(_) | Seen::Ended => self.forget(who),
            // A master monitored anew begins with nothing heard.
            Seen::Responded { request: Request::Remove(_), .. } => self.forget(who),
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Heard { .. }
            | Seen::Responded { .. } => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vedette_core::Purpose;

    use super::*;

    const WHO: SentinelIndex = SentinelIndex(0);

    fn epoch(number: u64) -> Epoch {
        Epoch::new(number).unwrap_or_default()
    }

    /// A leader that voted for itself at epoch 2, after 100 ms, with connections 1 and 2.
    fn leader() -> LeaderInTime {
        let mut check = LeaderInTime::default();
        check.votes.insert((WHO, 0), (epoch(2), 100));
        for number in [1, 2] {
            let (conn, to) = (ConnId(number), address::of_node(0, number as usize));
            let (purpose, renames) = (Purpose::Commands, Arc::default());
            let connect = Effect::Connect { conn, purpose, to, renames };
            check.lines.see(0, WHO, &Seen::Ordered(&connect));
        }
        check
    }

    fn order(check: &mut LeaderInTime, conn: u64, at_ms: u64) -> Result<(), String> {
        check.order((WHO, ConnId(conn)), at_ms, Some(2_000))
    }

    #[test]
    fn a_late_leader_is_found() {
        assert!(order(&mut leader(), 1, 2_099).is_ok());
        assert!(order(&mut leader(), 1, 2_100).is_err());
    }

    #[test]
    fn a_second_promotion_of_an_epoch_is_found() {
        let mut check = leader();
        assert!(order(&mut check, 1, 200).is_ok());
        assert!(order(&mut check, 2, 300).is_ok(), "the first was not answered");
        check.answered(WHO, ConnId(2), &TransactionOutcome::Done);
        assert!(order(&mut check, 2, 400).is_ok());
        assert!(order(&mut check, 1, 500).is_err());
    }

    #[test]
    fn an_overtaken_leader_is_found() {
        let mut check = leader();
        check.heard.insert((WHO, 0), epoch(1));
        assert!(order(&mut check, 1, 200).is_ok());
        check.heard.insert((WHO, 0), epoch(3));
        assert!(order(&mut check, 1, 300).is_err());
    }

    #[test]
    fn a_leader_that_outlives_a_stall_is_found() {
        let mut check = leader();
        check.stall(WHO);
        assert!(order(&mut check, 1, 200).is_err());
        let mut check = leader();
        assert!(order(&mut check, 1, 200).is_ok());
        check.stall(WHO);
        assert!(order(&mut check, 1, 300).is_ok(), "it had begun");
    }
}
