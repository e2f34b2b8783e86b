use std::collections::BTreeMap;
use std::net::SocketAddr;

use vedette_core::{
    Answer, Effect, Endpoint, Event, EventKind, InfoAnswer, Input, MasterView, Part, Purpose,
    Query, ReplicationTarget, Role,
};

use super::lines::Lines;
use super::{Invariant, hold};
use crate::address;
use crate::sentinel_host::SentinelIndex;
use crate::witness::{Scene, Seen};

/// A replica of the wrong master is redirected (`+fix-slave-config`) only after it has said so for
/// failover-timeout, all that time with our subscription on that very node confirmed, and while the
/// master has said `role:master` since the switch to it (rule R3, hole H14).
#[derive(Default)]
pub(super) struct MisledInTime {
    lines: Lines,
    /// Whom a node says that it follows, and since when.
    follows: BTreeMap<(SentinelIndex, SocketAddr), (Endpoint, u64)>,
    /// When a node last said what it is.
    words: BTreeMap<(SentinelIndex, SocketAddr), (Role, u64)>,
    /// The master of a group, and since when it has been that.
    terms: BTreeMap<(SentinelIndex, usize), (SocketAddr, u64)>,
    /// What the last order to a node lacked to be such a repair.
    orders: BTreeMap<(SentinelIndex, SocketAddr), Result<(), String>>,
}

impl MisledInTime {
    fn hear_info(
        &mut self,
        (at_ms, who): (u64, SentinelIndex),
        from: SocketAddr,
        role: Role,
        master: Option<&Endpoint>,
    ) {
        self.words.insert((who, from), (role, at_ms));
        let Some(master) = master else { return };
        let known = self.follows.entry((who, from)).or_insert_with(|| (master.clone(), at_ms));
        if known.0 != *master {
            *known = (master.clone(), at_ms);
        }
    }

    fn look(&mut self, at_ms: u64, who: SentinelIndex, view: &MasterView) {
        let Some(group) = address::group_of(&view.node.address) else { return };
        let Some(master) = view.node.socket else { return };
        let term = self.terms.entry((who, group)).or_insert((master, at_ms));
        if term.0 != master {
            *term = (master, at_ms);
        }
    }

    fn judge(
        &self,
        (at_ms, who): (u64, SentinelIndex),
        node: SocketAddr,
        window_ms: u64,
    ) -> Result<(), String> {
        let ours = |line: &super::lines::Line| {
            (line.to == node && line.purpose == Purpose::Subscription).then_some(line.subscribed_ms)
        };
        let heard_ms = self.lines.of(who).find_map(|(_, line)| ours(line).flatten());
        let follows = self.follows.get(&(who, node));
        let since_ms = follows.zip(heard_ms).map(|((_, since), heard)| heard.max(*since));
        hold(since_ms.is_some_and(|since_ms| at_ms >= since_ms + window_ms), || {
            format!("{node} follows {follows:?}, subscribed since {heard_ms:?}, at {at_ms}")
        })?;
        let group = address::group_of_socket(node).unwrap_or_default();
        let Some((master, switched_ms)) = self.terms.get(&(who, group)) else { return Ok(()) };
        let word = self.words.get(&(who, *master));
        let sane = word.is_some_and(|(role, at)| *role == Role::Master && at >= switched_ms);
        hold(sane, || format!("{master} is master since {switched_ms}, and said {word:?}"))
    }

    fn order(&mut self, scene: &Scene<'_>, node: SocketAddr) {
        let masters = scene.snapshot.into_iter().flat_map(|snapshot| snapshot.masters());
        let group = address::group_of_socket(node);
        let mut here = masters.filter(|view| address::group_of(&view.node.address) == group);
        let window_ms = here.next().map_or(0, |view| view.settings.failover_timeout.0);
        let verdict = self.judge((scene.at_ms, scene.sentinel), node, window_ms);
        self.orders.insert((scene.sentinel, node), verdict);
    }

    /// An event may come later than its order, when a vote is being saved meanwhile.
    fn hear_event(&mut self, who: SentinelIndex, event: &Event) -> Result<(), String> {
        let about = event.about.as_ref().filter(|_| event.kind == EventKind::FixReplicaConfig);
        let Some(Part::Replica { address, .. }) = about.map(|about| &about.part) else {
            return Ok(());
        };
        let node = address.to_string().parse().ok();
        node.and_then(|node| self.orders.remove(&(who, node))).unwrap_or(Ok(()))
    }
}

impl Invariant for MisledInTime {
    fn name(&self) -> &'static str {
        "a misled replica is given its time"
    }

    fn see(&mut self, scene: &Scene<'_>, seen: &Seen<'_>) -> Result<(), String> {
        let (at_ms, who) = (scene.at_ms, scene.sentinel);
        self.lines.see(at_ms, who, seen);
        match seen {
            Seen::Took(Input::Answered {
                conn,
                answer: Answer::Info(InfoAnswer::Report(info)),
            }) => {
                if let Some(from) = self.lines.get(who, *conn).map(|line| line.to) {
                    self.hear_info((at_ms, who), from, info.role, info.master.as_ref());
                }
            }
            Seen::Ordered(Effect::Send {
                conn,
                query: Query::Replicate { target: ReplicationTarget::Node(_), .. },
            }) => {
                if let Some(to) = self.lines.get(who, *conn).map(|line| line.to) {
                    self.order(scene, to);
                }
            }
            Seen::Ordered(Effect::Publish(publication)) => {
                publication.masters.iter().for_each(|view| self.look(at_ms, who, view));
                return publication.events.iter().try_for_each(|event| self.hear_event(who, event));
            }
            Seen::Ended => {
                self.follows.retain(|(of, _), _| *of != who);
                self.words.retain(|(of, _), _| *of != who);
                self.terms.retain(|(of, _), _| *of != who);
                self.orders.retain(|(of, _), _| *of != who);
            }
            Seen::Started(_)
            | Seen::Took(_)
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

    use vedette_core::ConnId;

    use super::*;

    const WHO: SentinelIndex = SentinelIndex(0);

    /// A replica that has followed another since 1 s, the subscription on it being confirmed then,
    /// under a master of which the switch and the last word are given.
    fn check_at(at_ms: u64, heard_ms: u64, switched_ms: u64, word: (Role, u64)) -> bool {
        let mut check = MisledInTime::default();
        let [master, node] = [0, 1].map(|number| address::of_node(0, number));
        let (conn, purpose, renames) = (ConnId(1), Purpose::Subscription, Arc::default());
        let connect = Effect::Connect { conn, purpose, to: node, renames };
        check.lines.see(0, WHO, &Seen::Ordered(&connect));
        let answer = Answer::Subscribed { accepted: true };
        check.lines.see(heard_ms, WHO, &Seen::Took(&Input::Answered { conn, answer }));
        let other = Endpoint::new("10.1.0.9", 6379);
        check.hear_info((1_000, WHO), node, Role::Replica, Some(&other));
        check.hear_info((2_000, WHO), node, Role::Replica, Some(&other));
        check.hear_info((word.1, WHO), master, word.0, None);
        check.terms.insert((WHO, 0), (master, switched_ms));
        check.judge((at_ms, WHO), node, 10_000).is_ok()
    }

    #[test]
    fn a_repair_before_its_time_or_without_ears_is_found() {
        assert!(check_at(11_000, 500, 600, (Role::Master, 700)));
        assert!(!check_at(10_999, 500, 600, (Role::Master, 700)));
        assert!(!check_at(11_000, 1_500, 600, (Role::Master, 700)), "deaf until then");
    }

    #[test]
    fn a_repair_for_a_master_that_has_not_said_that_it_is_one_is_found() {
        assert!(!check_at(11_000, 500, 800, (Role::Master, 700)));
        assert!(!check_at(11_000, 500, 600, (Role::Replica, 700)));
    }
}
