use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use vedette_core::{
    Answer, Detail, DurableChange, Effect, Endpoint, Epoch, Event, Hello, InfoAnswer, Input,
    Manner, MasterView, Purpose, Query, ReplicationTarget, Request, Role, SentinelId, Wants,
};

use super::lines::Lines;
use super::{Invariant, hold};
use crate::address;
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// How long an unannounced promotion is given to be announced (rule R1).
const GRACE_MS: u64 = 8_000;

/// A fresh master is never demoted. A node whose last INFO says `role:master` is told to follow
/// another only under rule R1 (it has said so for eight seconds in this configuration, and all that
/// time the Sentinel's subscription on that very node was confirmed) or under rule R2 (it is the
/// master that this Sentinel left with its last switch and has not said `role:slave` since, and:
/// the Sentinel led a forced failover; or the present master's INFO says master, a majority
/// announces the same configuration in hellos that came after it was seen, and nobody raised the
/// epoch in the last eight seconds).
#[derive(Default)]
pub(super) struct FreshMaster {
    lines: Lines,
    words: BTreeMap<(SentinelIndex, SocketAddr), Word>,
    terms: BTreeMap<(SentinelIndex, usize), Term>,
    hellos: BTreeMap<(SentinelIndex, usize, SentinelId), (Hello, u64)>,
    epochs: BTreeMap<SentinelIndex, (Epoch, Option<u64>)>,
    /// Saves are on their way or failed: what comes after them is not seen yet, and an epoch may
    /// be one's own.
    saving: BTreeSet<SentinelIndex>,
}

/// What a node last said of itself.
#[derive(Clone, Copy, Debug)]
struct Word {
    at_ms: u64,
    role: Role,
    /// Since when it has said so without a break, in this configuration.
    since_ms: u64,
    /// It has said `role:slave` in this configuration.
    has_followed: bool,
}

/// A configuration of a Sentinel.
#[derive(Clone, Debug, Default)]
struct Term {
    master: Option<SocketAddr>,
    left: Option<SocketAddr>,
    /// A failover was forced here: in the configuration before, and in this one.
    forced_before: bool,
    forced: bool,
}

impl FreshMaster {
    fn hear_info(&mut self, at_ms: u64, who: SentinelIndex, from: SocketAddr, role: Role) {
        let new = Word { at_ms, role, since_ms: at_ms, has_followed: role == Role::Replica };
        let word = self.words.entry((who, from)).or_insert(new);
        if word.role != role {
            word.since_ms = at_ms;
        }
        (word.at_ms, word.role) = (at_ms, role);
        word.has_followed |= role == Role::Replica;
    }

    fn hear_hello(&mut self, scene: &Scene<'_>, hello: &Hello) {
        let Some(group) = address::group_of(&hello.address) else { return };
        let who = scene.sentinel;
        self.hellos.insert((who, group, hello.id), (hello.clone(), scene.at_ms));
        self.hear_epoch(who, hello.current_epoch, Some(scene.at_ms));
    }

    /// An epoch is told by somebody, or is one's own.
    fn hear_epoch(&mut self, who: SentinelIndex, told: Epoch, at_ms: Option<u64>) {
        let at_ms = at_ms.filter(|_| !self.saving.contains(&who));
        let (epoch, rose_ms) = self.epochs.entry(who).or_insert((told, None));
        if told > *epoch {
            (*epoch, *rose_ms) = (told, at_ms.or(*rose_ms));
        }
    }

    fn hear_question(
        &mut self,
        scene: &Scene<'_>,
        about: &Endpoint,
        asker: SentinelId,
        told: Epoch,
    ) {
        let masters = scene.snapshot.into_iter().flat_map(|snapshot| snapshot.masters());
        let mut here = masters.filter(|view| view.node.address == *about);
        let is_member = here.any(|view| view.sentinels.iter().any(|member| member.id == asker));
        self.hear_epoch(scene.sentinel, told, is_member.then_some(scene.at_ms));
    }

    fn save(&mut self, who: SentinelIndex, changes: &[DurableChange]) {
        for change in changes {
            let own = match change {
                DurableChange::CurrentEpoch(epoch) => Some(*epoch),
                DurableChange::Master(master) => master.leader_epoch,
                DurableChange::Settings(_) | DurableChange::Removed(_) => None,
            };
            own.into_iter().for_each(|epoch| self.hear_epoch(who, epoch, None));
        }
    }

    /// A picture: a new address begins a new term, in which everything is seen anew.
    fn look(&mut self, at_ms: u64, who: SentinelIndex, view: &MasterView) {
        let Some(group) = address::group_of(&view.node.address) else { return };
        let term = self.terms.entry((who, group)).or_default();
        term.forced |= view.failover.is_some_and(|failover| failover.forced);
        if term.master == view.node.socket {
            return;
        }
        let (left, forced_before) = (term.master, term.forced);
        *term = Term { master: view.node.socket, left, forced_before, forced: false };
        self.see_anew(at_ms, who, group);
    }

    fn see_anew(&mut self, at_ms: u64, who: SentinelIndex, group: usize) {
        for ((of, node), word) in &mut self.words {
            if *of == who && address::group_of_socket(*node) == Some(group) {
                word.since_ms = at_ms;
                word.has_followed = false;
            }
        }
    }

    /// A turn can hold several switches, and end where it began: what was left is what the last
    /// one says.
    fn hear_switch(&mut self, at_ms: u64, who: SentinelIndex, event: &Event) {
        let Detail::Switch { from, .. } = &event.detail else { return };
        let Some(group) = address::group_of(from) else { return };
        self.see_anew(at_ms, who, group);
        if let Some(term) = self.terms.get_mut(&(who, group)) {
            term.left = format!("{from}").parse().ok();
        }
    }

    /// Rule R1.
    fn is_settled(&self, at_ms: u64, who: SentinelIndex, node: SocketAddr, word: &Word) -> bool {
        let ours = |line: &super::lines::Line| {
            (line.to == node && line.purpose == Purpose::Subscription).then_some(line.subscribed_ms)
        };
        let subscribed_ms = self.lines.of(who).find_map(|(_, line)| ours(line).flatten());
        let since_ms = subscribed_ms.map(|subscribed_ms| subscribed_ms.max(word.since_ms));
        since_ms.is_some_and(|since_ms| at_ms >= since_ms + GRACE_MS)
    }

    /// Rule R2.
    fn is_left(&self, scene: &Scene<'_>, node: SocketAddr, word: &Word, group: usize) -> bool {
        let who = scene.sentinel;
        let Some(term) = self.terms.get(&(who, group)) else { return false };
        if term.left != Some(node) || word.has_followed {
            return false;
        }
        let masters = scene.snapshot.into_iter().flat_map(|snapshot| snapshot.masters());
        let mut here = masters.filter(|v| address::group_of(&v.node.address) == Some(group));
        let Some(view) = here.next() else { return false };
        let master = term.master.and_then(|master| self.words.get(&(who, master)));
        let confirmed = master
            .is_some_and(|master| master.role == Role::Master && master.at_ms >= word.since_ms);
        let agrees = |id: SentinelId| {
            self.hellos.get(&(who, group, id)).is_some_and(|(hello, at_ms)| {
                *at_ms >= word.since_ms
                    && hello.config_epoch == view.config_epoch
                    && hello.address == view.node.address
            })
        };
        let agreeing = 1 + view.sentinels.iter().filter(|member| agrees(member.id)).count();
        let rose_ms = self.epochs.get(&who).and_then(|(_, rose_ms)| *rose_ms);
        let calm = rose_ms.is_none_or(|rose_ms| scene.at_ms >= rose_ms + GRACE_MS);
        let by_majority = confirmed && calm && 2 * agreeing > view.sentinels.len() + 1;
        term.forced_before || by_majority
    }

    fn order(&self, scene: &Scene<'_>, node: SocketAddr) -> Result<(), String> {
        let who = scene.sentinel;
        let word = self.words.get(&(who, node)).filter(|word| word.role == Role::Master);
        let (Some(word), Some(group)) = (word, address::group_of_socket(node)) else {
            return Ok(());
        };
        let allowed =
            self.is_settled(scene.at_ms, who, node, word) || self.is_left(scene, node, word, group);
        hold(allowed, || {
            let term = self.terms.get(&(who, group));
            let epoch = self.epochs.get(&who);
            format!("{node} is told to follow, but it is {word:?}; {term:?}, epoch {epoch:?}")
        })
    }
}

impl FreshMaster {
    /// Whichever master is meant: of that one the old master may be demoted at once (rule C1).
    fn forced(&mut self, who: SentinelIndex) {
        let mine = self.terms.iter_mut().filter(|((of, _), _)| *of == who);
        mine.for_each(|(_, term)| term.forced = true);
    }
}

impl Invariant for FreshMaster {
    fn name(&self) -> &'static str {
        "a fresh master is never demoted"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let who = scene.sentinel;
        self.lines.see(scene.at_ms, who, seen);
        match seen {
            Seen::Took(Input::Answered {
                conn,
                answer: Answer::Info(InfoAnswer::Report(info)),
            }) => {
                if let Some(to) = self.lines.get(who, *conn).map(|line| line.to) {
                    self.hear_info(scene.at_ms, who, to, info.role);
                }
            }
            Seen::Took(Input::MessageReceived { hello: Some(hello), .. })
            | Seen::Took(Input::Requested { request: Request::Hello(Some(hello)), .. }) => {
                self.hear_hello(scene, hello);
            }
            Seen::Took(Input::Requested {
                request: Request::IsMasterDown { address, epoch, wants: Wants::VoteFor(asker) },
                ..
            }) => self.hear_question(scene, address, *asker, *epoch),
            Seen::Heard { opinion, .. } => {
                self.hear_epoch(who, opinion.leader_epoch, Some(scene.at_ms));
            }
            Seen::Ordered(Effect::Persist { changes, .. }) => {
                self.saving.insert(who);
                self.save(who, changes);
            }
            Seen::Took(Input::Persisted { .. }) => {
                self.saving.remove(&who);
            }
            Seen::Took(Input::Requested {
                request: Request::Failover(_, Manner::Forced), ..
            }) => self.forced(who),
            Seen::Ordered(Effect::Publish(publication)) => {
                for view in &publication.masters {
                    self.look(scene.at_ms, who, view);
                }
                publication
                    .events
                    .iter()
                    .for_each(|event| self.hear_switch(scene.at_ms, who, event));
            }
            Seen::Ordered(Effect::Send {
                conn,
                query: Query::Replicate { target: ReplicationTarget::Node(_), .. },
            }) => {
                let to = self.lines.get(who, *conn).map(|line| line.to);
                return to.map_or(Ok(()), |to| self.order(scene, to));
            }
            Seen::Started(state) => {
                let told = state.masters.iter().filter_map(|master| master.leader_epoch);
                let told = told.chain(state.current_epoch).max().unwrap_or_default();
                self.hear_epoch(who, told, None);
            }
            Seen::Ended => {
                self.saving.remove(&who);
                self.words.retain(|(of, _), _| *of != who);
                self.terms.retain(|(of, _), _| *of != who);
                self.hellos.retain(|(of, ..), _| *of != who);
                self.epochs.remove(&who);
            }
            Seen::Took(_)
            | Seen::Ordered(_)
            | Seen::Judged { .. }
            | Seen::Counted { .. }
            | Seen::Responded { .. } => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vedette_core::ConnId;

    use super::*;
    use crate::invariant::samples;

    const WHO: SentinelIndex = SentinelIndex(0);

    /// A node that says it is a master, with a subscription from `subscribed_ms` on.
    fn order_at(at_ms: u64, subscribed_ms: u64) -> Result<(), String> {
        let mut check = FreshMaster::default();
        let node = address::of_node(0, 1);
        let disk = samples::disk(1);
        let scene = |at_ms| Scene {
            at_ms,
            sentinel: WHO,
            id: disk.my_id,
            rules: vedette_core::Rules::ALL,
            disk: &disk,
            snapshot: None,
        };
        let connect =
            |conn, purpose| Effect::Connect { conn, purpose, to: node, renames: Arc::default() };
        let (commands, subscription) = (ConnId(1), ConnId(2));
        check.see(&scene(0), &Seen::Ordered(&connect(commands, Purpose::Commands)))?;
        check.see(&scene(0), &Seen::Ordered(&connect(subscription, Purpose::Subscription)))?;
        let answer = Answer::Subscribed { accepted: true };
        let confirmed = Input::Answered { conn: subscription, answer };
        check.see(&scene(subscribed_ms), &Seen::Took(&confirmed))?;
        check.hear_info(100, WHO, node, Role::Master);
        check.order(&scene(at_ms), node)
    }

    #[test]
    fn an_order_before_its_time_or_without_ears_is_found() {
        assert!(order_at(7_000, 50).is_err());
        assert!(order_at(8_100, 50).is_ok());
        assert!(order_at(8_100, 4_000).is_err());
    }

    #[test]
    fn the_left_master_may_be_demoted_at_once_after_a_forced_failover_only() {
        let node = address::of_node(0, 0);
        let word = Word { at_ms: 5, role: Role::Master, since_ms: 5, has_followed: false };
        let disk = samples::disk(1);
        let scene = Scene {
            at_ms: 10,
            sentinel: WHO,
            id: disk.my_id,
            rules: vedette_core::Rules::ALL,
            disk: &disk,
            snapshot: None,
        };
        let mut check = FreshMaster::default();
        check.words.insert((WHO, node), word);
        let term = Term { left: Some(node), ..Term::default() };
        check.terms.insert((WHO, 0), term.clone());
        assert!(check.order(&scene, node).is_err());
        check.terms.insert((WHO, 0), Term { forced_before: true, ..term });
        assert!(check.order(&scene, node).is_err(), "nobody shows that it watches the group");
    }
}
